"""Freshness of a cached value, and exact decimals in its text."""

from decimal import Decimal
from typing import Any

import pytest

from cache.stale_cache import CachedValue


@pytest.mark.parametrize(
    ("as_of", "complete_to", "since", "verdict"),
    [
        (1000.0, 0.0, 0.0, "fresh"),
        (941.0, 0.0, 0.0, "fresh"),
        (940.0, 0.0, 0.0, "expired"),
        (1004.0, 0.0, 0.0, "fresh"),
        (1006.0, 0.0, 0.0, "expired"),
        (1000.0, 998.0, 997.0, "fresh"),
        (1000.0, 998.0, 998.0, "incomplete"),
        (1000.0, 998.0, 999.0, "incomplete"),
        (1000.0, 0.0, 999.0, "incomplete"),
        (900.0, 899.0, 1.0, "expired"),
    ],
    ids=[
        "new", "just young enough", "too old", "clocks apart", "from the future", "taken in", "at the very moment",
        "not taken in", "source gave no word", "settled but old",
    ],
)  # fmt: skip
def test_freshness_of_a_cached_value(as_of: Any, complete_to: Any, since: Any, verdict: Any) -> None:
    """At 1000 s, with a ttl of 60 s."""
    assert CachedValue("x", as_of, complete_to).freshness(1000.0, 60.0, since) == verdict


def test_its_text_keeps_exact_numbers() -> None:
    """Through the store and back nothing of a price is lost, and no float appears."""
    record = CachedValue({"price": Decimal("0.5275"), "name": "a\u2028b", "none": None}, 1000.25, 999.5)
    assert CachedValue.decode(record.encode()) == record


def test_its_own_text_is_known_by_its_time() -> None:
    """Another record of the same key was read at another time."""
    record = CachedValue("x", 1000.25, 5.0)
    assert record.is_encoded_in(record.encode())
    assert not record.is_encoded_in(CachedValue("x", 1000.251).encode())
    assert not CachedValue("x", 1000.2).is_encoded_in(record.encode())
    assert not record.is_encoded_in(b"\xac\xed")


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"null", b"[1,2]", b'["a","b","c"]', b"[NaN,0,1]", b"\xac\xed\x00\x05", b"[" * 100000]
)
def test_strange_bytes_are_no_record(raw: bytes) -> None:
    """A shared store may hold anything under our key: that is a miss."""
    assert CachedValue.decode(raw) is None
