"""One endpoint as the table of URLs describes it, with its parameters and the reader that checks their values."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from cache.base import Answer
from routes.context import Services
from routes.problems import Problem
from streams.event import Cursor

Query = Mapping[str, Any]
"""Values of an endpoint's parameters by name; None for a parameter that was not given."""
Caching = Literal["account", "live", "market"]
"""Caches that may keep an answer: account, the client's own after asking again; live, none; market, any for a while."""

MAX_FIELDS: Final = 100  # parameters in one query
_TICKER: Final = r"[A-Za-z0-9._\-]{1,100}"
_PLACE: Final = r"(?:([a-z0-9]{1,32})-)?(0|[1-9][0-9]{0,17})(?:-[0-9a-f]{4})?"
_MICROSECOND: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. The whole text must match pattern, else the answer is a 400 with the expected form."""

    name: str
    schema: dict[str, Any]
    description: str
    pattern: str
    expected: str
    read: Callable[[re.Match[str]], Any] = re.Match.group
    default: Any = None
    place: Literal["query", "path"] = "query"
    empty_is_absent: bool = True

    def value(self, text: str | None) -> Any:
        """Return the value of a text, the default for none. Raises Problem 400."""
        if text is None or (text == "" and self.empty_is_absent):
            return self.default
        match = re.fullmatch(self.pattern, text, re.DOTALL)
        if match is None:
            raise unexpected(self.name, text, self.expected)
        return self.read(match)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL below the prefix. Exactly one of answer, respond and stream is set, and serves it.

    schema: of the body; empty for text. errors: statuses besides 400, 429 and 500. csv: serves the query as text/csv.
    """

    path: str
    summary: str
    schema: str = ""
    parameters: tuple[Parameter, ...] = ()
    answer: Callable[[Services, Query], Awaitable[Answer]] | None = None
    respond: Callable[[Request], Awaitable[Response]] | None = None
    stream: str = ""
    caching: Caching = "account"
    media: str = "application/json"
    errors: tuple[int, ...] = ()
    events: tuple[str, ...] = ()
    csv: Callable[[Services, Query], ASGIApp] | None = None
    documented: bool = True

    def read_query(self, scope: Scope) -> dict[str, Any]:
        """Return the values of the parameters; names that are not parameters are ignored. Raises Problem 400."""
        text = scope["query_string"].decode("latin-1")
        try:
            given = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError:
            raise Problem(400, f"query: expected at most {MAX_FIELDS} parameters") from None
        given |= scope.get("path_params", {})
        return {parameter.name: parameter.value(given.get(parameter.name)) for parameter in self.parameters}


def unexpected(name: str, value: str, expected: str) -> Problem:
    """Return the 400 for one parameter; a long value is cut."""
    shown = value if len(value) <= 60 else value[:57] + "..."
    return Problem(400, f"{name}: expected {expected}, got {shown!r}", name=name, value=shown, allowed=expected)


def choice(name: str, allowed: Sequence[str], description: str) -> Parameter:
    """Return a parameter that takes one of a few words."""
    schema = {"type": "string", "enum": list(allowed)}
    return Parameter(name, schema, description, "|".join(allowed), f"one of {', '.join(allowed)}")


def ticker(name: str, description: str, place: Literal["query", "path"] = "query") -> Parameter:
    """Return a parameter that takes one ticker."""
    wanted = "1 to 100 letters, digits, dots, dashes or underscores"
    return Parameter(name, {"type": "string", "pattern": f"^{_TICKER}$"}, description, _TICKER, wanted, place=place)


def cursor(name: str, description: str) -> Parameter:
    """Return a parameter that takes a position in the journal as a Cursor; its epoch is empty for a seq alone."""
    return Parameter(
        name, {"type": "string", "pattern": f"^{_PLACE.replace('?:', '')}$"}, description, _PLACE,
        "a cursor of this journal such as abcd2345-42, or its seq alone",
        lambda match: Cursor(match[1] or "", int(match[2])),
    )  # fmt: skip


def time(name: str, description: str) -> Parameter:
    """Return a parameter that takes a time in Unix seconds, as Decimal with microseconds."""
    return Parameter(
        name, {"type": "number", "minimum": 0, "maximum": 99999999999}, description,
        r"[0-9]{1,11}(\.[0-9]{1,20})?", "Unix seconds such as 1698676800.123",
        lambda match: Decimal(match[0]).quantize(_MICROSECOND),
    )  # fmt: skip


LIMIT: Final = Parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "number of items, 1 to 1000",
    "(?=.{1,6}$)0*(?:1000|[1-9][0-9]{0,2})", "an integer from 1 to 1000", lambda match: int(match[0]), 100,
    empty_is_absent=False,
)  # fmt: skip
PAGE: Final = Parameter(
    "cursor", {"type": "string"}, "the `next` of an earlier answer", r"[A-Za-z0-9_\-=.~+/:]{1,1024}",
    "the `next` of an earlier answer",
)  # fmt: skip
TICKERS: Final = Parameter(
    "tickers", {"type": "string"}, "these markets: at most 100 tickers, comma between",
    f"{_TICKER}(?:,{_TICKER}){{0,99}}", "at most 100 tickers with commas between",
)  # fmt: skip
RESUME: Final = Parameter(
    "last_event_id", {"type": "string"}, "cursor to resume at, for clients without Last-Event-ID", ".*", "a cursor"
)
