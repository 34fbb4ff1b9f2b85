"""JSON whose numbers keep their decimal text: money goes in and comes out without ever being a float."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quoted
from typing import Any


class Raw(str):
    """Text that is JSON already; dumps puts it in as it stands."""

    __slots__ = ()


def plain(number: Decimal) -> str:
    """The shortest exact text of a finite decimal: 0.65, 50, -3.5; never an exponent."""
    if not number.is_finite():
        raise ValueError(f"{number} has no JSON text; numbers must be finite")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def dumps(value: Any) -> str:
    """Compact JSON text, ASCII only, so that no Unicode line break can split a stream's line.

    Takes what JSON has, with Decimal for exact numbers; raises TypeError for anything else and ValueError for NaN.
    """
    out: list[str] = []
    _write(value, out.append)
    return "".join(out)


def loads(text: str | bytes) -> Any:
    """Python values of JSON text; a number with a fraction becomes Decimal. Raises ValueError, also for NaN."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows")


def _write(value: Any, put: Any) -> None:
    if isinstance(value, str):
        put(value if isinstance(value, Raw) else quoted(value))
    elif value is None or isinstance(value, bool):
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        put(str(int(value)))
    elif isinstance(value, Decimal):
        put(plain(value))
    elif isinstance(value, float):
        put(json.dumps(value, allow_nan=False))
    elif isinstance(value, Mapping):
        _write_object(value, put)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        _write_array(value, put)
    else:
        raise TypeError(f"{type(value).__name__} has no JSON form here")


def _write_object(value: Mapping[str, Any], put: Any) -> None:
    mark = "{"
    for key, item in value.items():
        put(f"{mark}{quoted(key)}:")
        _write(item, put)
        mark = ","
    put("{}" if mark == "{" else "}")


def _write_array(value: Sequence[Any], put: Any) -> None:
    mark = "["
    for item in value:
        put(mark)
        _write(item, put)
        mark = ","
    put("[]" if mark == "[" else "]")
