"""JSON with exact numbers: what goes in comes out, and never as a float."""

import collections
import enum
import json
import types
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.decimal_json import RawJson, dumps, loads, plain

exact = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | exact | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_written_text_is_read_back(value: Any) -> None:
    """Equal values, whole decimals as integers; and any other JSON reader agrees on the shape."""
    text = dumps(value)
    assert loads(text) == value
    assert text.isascii()
    json.loads(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.6500", "0.65"), ("50.00", "50"), ("1E+3", "1000"), ("-0.0", "0"), ("0.000001", "0.000001"), ("-3.50", "-3.5")],
)
def test_the_shortest_exact_text(number: int, text: str) -> None:
    """No trailing zeros, no exponent, no minus zero."""
    assert plain(Decimal(number)) == text == dumps(Decimal(number))


HUGE = Decimal("1e999999999999")  # its digits fit into no memory


@pytest.mark.parametrize(
    "bad", [Decimal("NaN"), Decimal("-Infinity"), float("nan"), Decimal("1e999999999999"), float("inf")]
)
def test_nan_and_infinity_are_refused(bad: Any) -> None:
    """Neither written …"""
    with pytest.raises(ValueError):
        dumps([bad])


@pytest.mark.parametrize("bad", ["NaN", "[Infinity]", '{"a":-Infinity}', "", "{", b"\xff"])
def test_text_that_is_no_json_is_refused(bad: Any) -> None:
    """… nor read."""
    with pytest.raises(ValueError):
        loads(bad)


@pytest.mark.parametrize("bad", [object(), b"bytes", {1, 2}, 1j])
def test_a_value_of_another_type_is_refused(bad: Any) -> None:
    """A mistake of ours, so a TypeError."""
    with pytest.raises(TypeError):
        dumps({"a": bad})


def test_line_breaks_of_every_kind_are_escaped() -> None:
    """A stream's line must not be split by what is in it."""
    assert dumps("a\n\r\u2028\u2029\u0085b") == r'"a\n\r\u2028\u2029\u0085b"'


def test_relatives_of_what_json_knows_are_written_like_it() -> None:
    """Enumerations, named tuples, read-only mappings; and text that is JSON already as it stands."""

    class Color(enum.StrEnum):
        RED = "red"

    class Old(str, enum.Enum):  # noqa: UP042  # its str() is not its value
        BLUE = "blue"

    class Number(enum.IntEnum):
        ONE = 1

    pair = collections.namedtuple("pair", "a b")
    value = {"c": Color.RED, "o": Old.BLUE, "n": Number.ONE, "p": pair(1, None), "r": RawJson('{"x":1}')}
    assert dumps(types.MappingProxyType(value)) == '{"c":"red","o":"blue","n":1,"p":[1,null],"r":{"x":1}}'


def test_a_float_keeps_its_shortest_text() -> None:
    """For times and ages, which are floats."""
    assert dumps([1698676800.123, True, 1]) == "[1698676800.123,true,1]"
