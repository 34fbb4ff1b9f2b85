"""Errors as RFC 9457 problems: a stable type for every status, what happened, where, and what to do."""

import logging
import math
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from cache.decimal_json import dumps
from journal.errors import JournalError
from kalshi.errors import BadAnswer, BadRequest, KalshiError, NotConfigured, NotFound, RateLimited, Refused
from routes.context import PREFIX

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY: Final = [  # headers of every response, as ASGI has them
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]
RETRY_AFTER = {429: "5", 502: "5", 503: "5"}  # seconds; what a patient client waits before it asks again

MEANINGS: Final = {
    400: "a parameter cannot be read: name, value and allowed say which and why",
    401: "a login or the API token is needed",
    404: "there is nothing at this path, or no such market",
    421: "the Host is not a name of this service; ALLOWED_HOSTS lists them",
    408: "the request was not complete in time; the connection ends",
    411: "a body needs a Content-Length; chunked bodies are not read",
    431: "the header has too many bytes or lines",
    405: "the path does not take that method; Allow says which it takes",
    413: "the body is too large",
    429: "your network asks too often; Retry-After says when to come back",
    500: "a mistake of ours; the log has it under the request_id",
    501: "an extra is not installed; the detail names it",
    502: "the exchange gave an answer that cannot be used, and nothing older is held",
    503: "a neighbour is away or a setting is missing, and nothing older is held; Retry-After says when to ask again",
}


class Problem(Exception):
    """An error as an answer. detail is for people; members are further members of the body."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, dict(headers or {}), members


EXPECTED: Final = (Problem, HTTPException, KalshiError, JournalError)  # errors that are not a mistake of ours


def kind(status: int) -> str:
    """Return the stable type of a status: a reference into the API page, such as /api/python/docs#not-found."""
    return f"{PREFIX}/docs#{phrase(status).lower().replace(' ', '-')}"


def basic_members(status: int, detail: str) -> dict[str, Any]:
    """Return the members that every problem has."""
    return {"type": kind(status), "title": phrase(status), "status": status, "detail": detail}


def failed_part(status: int, detail: str) -> dict[str, Any]:
    """Return the part of an answer that failed; the other parts stand."""
    return {"error": {"type": kind(status), "status": status, "detail": detail}}


def render(problem: Problem, scope: Scope, level: int | None = None) -> Response:
    """Return the problem as a response, and log it: at level, by default INFO from status 500 on, else DEBUG."""
    given = Headers(scope=scope).get("x-request-id", "")  # the proxy's
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    # A URI reference (RFC 9457, 3.1.5); two slashes in front would make its first part a host.
    instance = "/" + quote(scope["path"].lstrip("/"), safe="/:@!$&'()*+,;=~")
    basic = basic_members(problem.status, problem.detail)
    body = {**basic, "instance": instance, "request_id": request_id, **problem.members}
    if level is None:
        level = logging.INFO if problem.status >= 500 else logging.DEBUG
    line = ("%s %s: %d %s", scope["method"], instance, problem.status, problem.detail)
    log.log(level, *line, extra={"request_id": request_id})
    headers = {"Cache-Control": "no-store", "X-Request-ID": request_id, **problem.headers}
    if problem.status in RETRY_AFTER:
        headers.setdefault("Retry-After", RETRY_AFTER[problem.status])
    response = Response(dumps(body), problem.status, headers, MEDIA_TYPE)
    response.raw_headers += SECURITY
    return response


def from_exception(error: Exception) -> Problem:
    """Return the problem of an error: the one table from the packages' errors to statuses."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _from_http(error)
        case NotConfigured():
            return Problem(503, str(error), {"Retry-After": "60"}, missing=list(error.missing))
        case NotFound():
            return Problem(404, str(error))
        case BadRequest():
            return Problem(400, str(error))
        case BadAnswer() | Refused() if not isinstance(error, RateLimited):
            return Problem(502, str(error), _patience(error))
        case KalshiError():
            return Problem(503, str(error), _patience(error))
        case JournalError():
            return Problem(503, str(error))
    return Problem(500, "something went wrong on our side; the log has it under this request_id")


def _from_http(error: HTTPException) -> Problem:
    details = {
        404: f"there is nothing at this path; {PREFIX}/ lists what there is",
        405: "this path does not take that method; the Allow header says which it takes",
    }
    detail = error.detail
    if detail == phrase(error.status_code):
        detail = details.get(error.status_code, detail)
    return Problem(error.status_code, detail, error.headers)


def _patience(error: KalshiError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(max(1, error.retry_after)))}


def phrase(status: int) -> str:
    """Return the title of a status."""
    # Python 3.13 renamed 413; a type that changes with the interpreter would not be stable.
    return "Content Too Large" if status == 413 else HTTPStatus(status).phrase
