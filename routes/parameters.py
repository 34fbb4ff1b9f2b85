"""Parameters of a URL: name, schema and description for the documents, and the reader that checks a value."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from routes.problems import Problem
from routes.schemas import NUMBER, TEXT, Schema, words

Query = Mapping[str, Any]
"""Values of an endpoint's parameters by name; None for a parameter that was not given."""

MAX_FIELDS: Final = 100  # parameters in one query
_TICKER: Final = re.compile(r"[A-Za-z0-9._\-]{1,100}")
_PAGE_CURSOR: Final = re.compile(r"[A-Za-z0-9_\-=.~+/:]{1,1024}")
_PLACE: Final = re.compile(r"(?:([a-z0-9]{1,32})-)?(0|[1-9][0-9]{0,17})(?:-[0-9a-f]{4})?")
_TIME: Final = re.compile(r"[0-9]{1,11}(\.[0-9]{1,20})?")
_MICROSECOND: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the journal that a query names; epoch is empty where the seq stands alone."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. read returns its value or raises ValueError with a description of what is expected."""

    name: str
    schema: Schema
    description: str
    read: Callable[[str], Any]
    default: Any = None
    place: str = "query"  # or path
    empty_is_absent: bool = True


def expected(name: str, value: str, expectation: str) -> Problem:
    """Return the 400 for one parameter; a long value is cut."""
    shown = value if len(value) <= 60 else value[:57] + "..."
    return Problem(400, f"{name}: expected {expectation}, got {shown!r}", name=name, value=shown, allowed=expectation)


def read_query(parameters: Sequence[Parameter], query_string: bytes, path: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the parameters; names that are not parameters are ignored. Raises Problem 400."""
    if not parameters:
        return {}
    given: dict[str, str] = {}
    if query_string:
        try:
            given |= parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Problem(400, f"query: expected at most {MAX_FIELDS} parameters") from None
    given |= path
    return {parameter.name: _value(parameter, given.get(parameter.name)) for parameter in parameters}


def _value(parameter: Parameter, text: str | None) -> Any:
    if text is None or (text == "" and parameter.empty_is_absent):
        return parameter.default
    try:
        return parameter.read(text)
    except ValueError as error:
        raise expected(parameter.name, text, str(error)) from None


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= 1000:
        raise ValueError("an integer from 1 to 1000")
    return int(text)


def _ticker(text: str) -> str:
    if not _TICKER.fullmatch(text):
        raise ValueError("1 to 100 letters, digits, dots, dashes or underscores")
    return text


def _tickers(text: str) -> str:
    items = text.split(",")
    if len(items) > 100 or not all(_TICKER.fullmatch(item) for item in items):
        raise ValueError("at most 100 tickers with commas between")
    return text


def _page_cursor(text: str) -> str:
    if not _PAGE_CURSOR.fullmatch(text):
        raise ValueError("the `next` of an earlier answer")
    return text


def _place(text: str) -> Place:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError("a cursor of this journal such as abcd2345-42, or its seq alone")
    return Place(match[1] or "", int(match[2]))


def _time(text: str) -> Decimal:
    if not _TIME.fullmatch(text):
        raise ValueError("Unix seconds such as 1698676800.123")
    return Decimal(text).quantize(_MICROSECOND)


def choice(name: str, allowed: Sequence[str], description: str) -> Parameter:
    """Return a parameter that takes one of a few words."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return Parameter(name, words(*allowed), description, read)


def ticker(name: str, description: str, place: str = "query") -> Parameter:
    """Return a parameter that takes one ticker."""
    return Parameter(name, {"type": "string", "pattern": f"^{_TICKER.pattern}$"}, description, _ticker, place=place)


def cursor(name: str, description: str) -> Parameter:
    """Return a parameter that takes a place in the journal: a cursor or its seq alone."""
    schema = {"type": "string", "pattern": f"^{_PLACE.pattern.replace('?:', '')}$"}
    return Parameter(name, schema, description, _place)


def time(name: str, description: str) -> Parameter:
    """Return a parameter that takes a time in Unix seconds, as Decimal with microseconds."""
    return Parameter(name, {**NUMBER, "minimum": 0, "maximum": 99999999999}, description, _time)


LIMIT: Final = Parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "number of items, 1 to 1000",
    _limit, 100, empty_is_absent=False,
)  # fmt: skip
PAGE: Final = Parameter("cursor", TEXT, "the `next` of an earlier answer", _page_cursor)
TICKERS: Final = Parameter("tickers", TEXT, "these markets: at most 100 tickers, comma between", _tickers)
RESUME: Final = Parameter("last_event_id", TEXT, "cursor to resume at, for clients without Last-Event-ID", str)
