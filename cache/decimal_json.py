"""JSON whose numbers keep their exact decimal text, so that money is never a float."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

MAX_EXPONENT: Final = 400  # of ten: 1e999999999 would be a gigabyte of zeros


class RawJson(str):
    """Text that is JSON already; dumps writes it unchanged."""

    __slots__ = ()


def plain(number: Decimal) -> str:
    """Return the shortest exact text of a finite decimal: 0.65, 50, -3.5; never an exponent."""
    text = str(number)
    if "E" in text or not text[-1].isdigit():
        if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
            raise ValueError(f"{number} has no JSON text; numbers must be finite, and below 1e{MAX_EXPONENT}")
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def dumps(value: Any) -> str:
    """Return compact JSON text, ASCII only, so that no Unicode line break can split a line of a stream.

    Accepts JSON types and Decimal. Raises TypeError for anything else and ValueError for NaN.
    """
    # By exact type first: a thousand markets are twenty thousand values, and the event loop waits for them all.
    write = _WRITERS.get(type(value))
    return write(value) if write is not None else _other(value)


def loads(text: str | bytes) -> Any:
    """Return the Python value of JSON text; a number with a fraction is a Decimal. Raises ValueError, also for NaN."""
    if not isinstance(text, str):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    return _DECODER.decode(text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)  # json.loads makes one for each call


def _object(value: Mapping[str, Any]) -> str:
    return "{" + ",".join([f"{quoted(key)}:{dumps(item)}" for key, item in value.items()]) + "}"


def _array(value: Sequence[Any]) -> str:
    return "[" + ",".join([dumps(item) for item in value]) + "]"


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} has no JSON text; numbers must be finite")
    return repr(value)


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    RawJson: str,
    Decimal: plain,
    int: str,
    float: _float,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _object,
    list: _array,
    tuple: _array,
}


def _other(value: Any) -> str:
    """Write subclasses of JSON types: enumerations, named tuples, read-only mappings."""
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return _array(value)
    if isinstance(value, str):
        return quoted(value)
    for kind in (int, Decimal, float):
        if isinstance(value, kind):
            return _WRITERS[kind](kind(value))
    raise TypeError(f"{type(value).__name__} has no JSON form here")
