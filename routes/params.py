"""What a query may say, read well or refused: a 400 names the parameter, the value and what is allowed."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from starlette.requests import Request

from routes.problems import Problem

TICKER: Final = re.compile(r"[A-Za-z0-9._\-]{1,100}")
CURSOR: Final = re.compile(r"[A-Za-z0-9_\-=.~+/:]{1,1024}")
OUR_CURSOR: Final = re.compile(r"(?:([a-z0-9]{8})-)?(\d{1,18})")
TIME: Final = re.compile(r"\d{1,11}(\.\d{1,6})?")


def refuse(name: str, value: str, allowed: str) -> Problem:
    """The 400 for one parameter; the value is cut, so that nobody makes us print a book."""
    shown = value if len(value) <= 60 else value[:57] + "..."
    return Problem(400, f"{name}={shown!r}: allowed is {allowed}", name=name, value=shown, allowed=allowed)


def limit(request: Request, default: int = 100, most: int = 1000) -> int:
    """How many items; 1 to most."""
    text = request.query_params.get("limit")
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= most:
        raise refuse("limit", text, f"a whole number from 1 to {most}")
    return int(text)


def text(request: Request, name: str, pattern: re.Pattern[str], allowed: str) -> str | None:
    """A parameter that is absent, or matches the pattern as a whole."""
    value = request.query_params.get(name)
    if value is None or value == "":
        return None
    if not pattern.fullmatch(value):
        raise refuse(name, value, allowed)
    return value


def ticker(request: Request, name: str = "ticker") -> str | None:
    """A ticker in the query."""
    return text(request, name, TICKER, "1 to 100 letters, digits, dots, dashes or underscores")


def path_ticker(request: Request) -> str:
    """The ticker in the path."""
    value: str = request.path_params["ticker"]
    if not TICKER.fullmatch(value):
        raise refuse("ticker", value, "1 to 100 letters, digits, dots, dashes or underscores")
    return value


def tickers(request: Request) -> str | None:
    """Tickers with commas between, at most 100."""
    value = request.query_params.get("tickers")
    if not value:
        return None
    items = value.split(",")
    if len(items) > 100 or not all(TICKER.fullmatch(item) for item in items):
        raise refuse("tickers", value, "at most 100 tickers with commas between")
    return value


def cursor(request: Request) -> str | None:
    """The exchange's cursor, handed back as it came."""
    return text(request, "cursor", CURSOR, "what `next` held in an earlier answer")


def choice(request: Request, name: str, allowed: Iterable[str]) -> str | None:
    """One of a few words, or absent."""
    value = request.query_params.get(name)
    if not value:
        return None
    words = list(allowed)
    if value not in words:
        raise refuse(name, value, f"one of {', '.join(words)}")
    return value


def place(request: Request, name: str, epoch: str) -> int | None:
    """A place in the journal: a cursor of ours, or its seq alone."""
    value = request.query_params.get(name)
    if not value:
        return None
    match = OUR_CURSOR.fullmatch(value)
    if match is None:
        raise refuse(name, value, f"a cursor such as {epoch}-42")
    if match[1] not in (None, epoch):
        raise refuse(name, value, f"a cursor of the present journal, which begins with {epoch}-; read the state again")
    return int(match[2])


def moment(request: Request, name: str) -> Decimal | None:
    """A time in Unix seconds, with a fraction if need be."""
    value = text(request, name, TIME, "Unix seconds such as 1698676800.123")
    return None if value is None else Decimal(value)
