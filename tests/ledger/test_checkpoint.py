"""The stored state of ledgers: equal to the last digit, and refused when it is another program's."""

import base64
import random
import tracemalloc
import zlib
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.decimal_json import dumps, loads
from ledger import checkpoint
from ledger.account_ledger import AccountLedger, fold
from ledger.market_book import FifoLots, MarketBook
from tests.ledger.maker import random_case

Entries = Sequence[tuple[str, dict[str, Any]]]


def values(thing: Any) -> Any:
    """All that a ledger holds, comparable: amounts by value, lots in order."""
    if isinstance(thing, AccountLedger):
        return {name: values(value) for name, value in vars(thing).items()}
    if isinstance(thing, MarketBook):
        return {name: values(getattr(thing, name)) for name in (*FifoLots.__slots__, *MarketBook.__slots__)}
    if isinstance(thing, dict):
        return {key: values(value) for key, value in thing.items()}
    return list(thing) if isinstance(thing, deque) else thing


def continued(ledger: AccountLedger, entries: Entries, first: int) -> AccountLedger:
    """Add the entries from `first` on, and read the markets that have fallen out of order again from all of them."""
    for kind, body in entries[first:]:
        ledger.apply(kind, body)
        if kind == "correction":
            root = ledger.corrected_by.get(body["seq"], 0)
            ledger.unordered |= {body["ticker"] for kind, body in entries if body["seq"] == root and kind == "trade"}
    for ticker in sorted(ledger.unordered):
        ledger.replay(ticker, [entry for entry in entries if entry[1].get("ticker") == ticker])
    return ledger


@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
@settings(max_examples=150)
def test_a_ledger_that_was_stored_goes_on_as_one_that_was_not(seed: int, share: float) -> None:
    """Restored after any entry, with the rest added, it equals the ledger of all entries: lots, cash, corrections."""
    case = [loads(dumps(entry)) for entry in random_case("stored", random.Random(seed))["entries"]]
    entries = [(entry["kind"], entry) for entry in case]
    first = round(share * len(entries))
    restored = checkpoint.load(checkpoint.dump(fold(entries[:first])))
    assert values(restored) == values(fold(entries[:first]))
    assert values(continued(restored, entries, first)) == values(fold(entries))


def test_numbers_texts_and_containers_keep_their_type_and_every_digit() -> None:
    """A trailing zero, an int beside a Decimal, a set, a pair and a key that is a number stay as they are."""
    state = ({"a": Decimal("1.500"), 3: [None, True, 7]}, {"b", "a"}, deque([Decimal("-0.00000001")]), ("x", "Decimal"))
    loaded = checkpoint.load(checkpoint.dump(state))
    assert loaded == state
    assert str(loaded[0]["a"]) == "1.500"
    assert [type(part) for part in loaded] == [dict, set, deque, tuple]


def test_a_large_state_is_stored_in_little_memory() -> None:
    """A large state is dumped in many short chunks, between which other tasks run."""
    state = [Decimal(number) / 7 for number in range(50_000)]
    tracemalloc.start()
    try:
        sizes = [len(chunk) for chunk in checkpoint.chunks(state)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert len(sizes) > 40


def stored(text: str) -> str:
    """This JSON text in the form in which states are stored."""
    return base64.b64encode(zlib.compress(text.encode())).decode()


def test_a_state_of_other_rules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller then adds up every entry again."""
    text = checkpoint.dump(AccountLedger())
    monkeypatch.setattr(checkpoint, "RULES", checkpoint.RULES + 1)
    with pytest.raises(ValueError, match="expected the state of rules"):
        checkpoint.load(text)


def test_a_state_of_classes_that_have_changed_is_refused() -> None:
    """A lot without its cost is one of an older or newer program."""
    lot = '["OpenLot",{"quantity":1,"left":1,"fee":0,"opened":null}]'
    with pytest.raises(ValueError, match="OpenLot has other attributes now"):
        checkpoint.load(stored(f"[{checkpoint.RULES},{lot}]"))


@pytest.mark.parametrize(
    "text",
    ["", "x", "eA==", "\u00e9", *map(stored, ["", "5", "[1]", '[1,["Decimal","x"]]', '[1,["os",[]]]', '[1,["set"]]',
     '[1,["OpenLot",[]]]', '[1,["dict",[5]]]', '[1,["set",[["list",[]]]]]'])],
)  # fmt: skip
def test_a_text_that_is_no_state_is_a_value_error(text: str) -> None:
    """Cut, damaged or foreign: never another exception."""
    with pytest.raises(ValueError, match=r"."):
        checkpoint.load(text)
