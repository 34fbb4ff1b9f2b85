"""What was raised while a request was served becomes its answer."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from journal.errors import JournalError
from kalshi.errors import KalshiError
from routes.problems import Problem, from_exception, render
from routes.response_headers import OUTGOING

EXPECTED: Final = (Problem, HTTPException, KalshiError, JournalError)  # anything else is a mistake of ours


class ErrorMiddleware:
    """Answers what was raised with a problem.

    It stands for Starlette's two layers of error handling, each of which wraps every send: they cost a tenth of a
    cached answer, and every open stream kept their frames.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or scope[OUTGOING].begun:
                raise  # too late to say so: the server logs it and cuts the connection
            await render(from_exception(error), scope)(scope, receive, send)
            if not isinstance(error, EXPECTED):
                raise  # for the server's log, with where it happened
