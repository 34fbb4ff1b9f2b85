"""One endpoint as the table of URLs describes it, and the ASGI application that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from cache.base import Answer
from routes.parameters import Parameter, Query
from routes.services import Services

AnswerHandler = Callable[[Services, Query], Awaitable[Answer]]
ResponseHandler = Callable[[Request], Awaitable[Response]]
CsvHandler = Callable[[Services, Query], ASGIApp]
Caching = Literal["account", "live", "market"]
"""Caches that may keep an answer: account, the client's own after asking again; live, none; market, any for a while."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL below the prefix. Exactly one of answer, respond and stream says how it is served.

    schema: the name of the body's schema; empty for text. errors: statuses besides 400, 429 and 500. csv: serves the
    same query as text/csv.
    """

    path: str
    summary: str
    schema: str = ""
    parameters: tuple[Parameter, ...] = ()
    answer: AnswerHandler | None = None
    respond: ResponseHandler | None = None
    stream: str = ""
    caching: Caching = "account"
    media: str = "application/json"
    errors: tuple[int, ...] = ()
    events: tuple[str, ...] = ()
    csv: CsvHandler | None = None
    documented: bool = True
