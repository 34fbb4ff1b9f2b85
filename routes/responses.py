"""How an answer becomes a response: encoded once, with its source and age, an ETag and what may be cached."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cache.base import Answer
from cache.decimal_json import dumps
from routes import fast
from routes.response_headers import OUTGOING
from routes.services import get_services

Ask = Callable[[Request], Awaitable[Answer]]
ACCOUNT = b"private, no-cache"
LIVE = b"no-store"
DATES = ("as_of", "marks_as_of", "age")  # when a part was confirmed
REMEMBERED = 64  # encoded answers kept by each endpoint: one for each query that is asked often


@dataclass(slots=True)
class EncodedAnswer:
    """An answer's bytes, kept beside the answer they were made from; its age alone changes."""

    answer: Answer
    body: bytes
    etag: bytes
    cache_control: bytes
    age: int = -1  # seconds, of the lines
    lines: bytes = b""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Those of a 304; a 200 has more about its body."""
        age = [(b"age", b"%d" % self._seconds())] if self.answer.as_of else []
        return [(b"cache-control", self.cache_control), (b"etag", self.etag), *age]

    def content(self) -> list[tuple[bytes, bytes]]:
        """What a 200 says of its body."""
        return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]

    def head(self) -> bytes:
        """The headers of a 200 as they are written, made anew each second."""
        if self.age != (age := self._seconds()):
            self.age, self.lines = age, fast.lines([*self.headers(), *self.content()])
        return self.lines

    def _seconds(self) -> int:
        return max(0, int(time.time() - self.answer.as_of))


def encode(answer: Answer, cache_control: bytes) -> EncodedAnswer:
    """The body of an answer; its ETag covers the data and whether it is stale, not when it was confirmed."""
    data = dumps(answer.value)
    tag = blake2b(f"{answer.stale}{dumps(undated(answer.value))}".encode(), digest_size=12).hexdigest()
    head = dumps({"source": answer.source, "as_of": confirmed(answer), "stale": answer.stale})
    body = (head[:-1] + ("," if data != "{}" else "") + data[1:]).encode()
    return EncodedAnswer(answer, body, f'W/"{tag}"'.encode(), cache_control)


def confirmed(answer: Answer) -> float | None:
    """Its as_of as it is told; None for what nobody has confirmed yet, which has no age either."""
    return round(answer.as_of, 3) or None


def undated(value: Any) -> Any:
    """The data alone: a part that was confirmed anew, and is the same, is no other answer."""
    if isinstance(value, dict):
        return {name: undated(each) for name, each in value.items() if name not in DATES}
    return [undated(each) for each in value] if isinstance(value, list) else value


class JsonEndpoint:
    """An endpoint that asks for an Answer and sends it.

    A raw ASGI endpoint: a cached answer costs no encoding, no Response object and no wrapper of its own.
    max_age: seconds a shared cache may keep it (markets); None for account data, 0 for live data.
    """

    def __init__(self, ask: Ask, max_age: float | None = None) -> None:
        self.ask = ask
        self.max_age = max_age
        self.encoded: OrderedDict[bytes, EncodedAnswer] = OrderedDict()  # by path and query; the only state here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoded = self._encoded(scope, await self.ask(Request(scope, receive)))
        if matches(scope, encoded.etag):
            await send({"type": "http.response.start", "status": 304, "headers": encoded.headers()})
            await send({"type": "http.response.body", "body": b""})
            return
        # A layer in between, such as CORS, wants to see the messages.
        between = send is not scope[OUTGOING]
        if between or scope["method"] != "GET" or not scope[OUTGOING].answer(encoded.head(), encoded.body):
            headers = [*encoded.headers(), *encoded.content()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": encoded.body})

    def _encoded(self, scope: Scope, answer: Answer) -> EncodedAnswer:
        key = scope["path"].encode() + b"?" + scope["query_string"]
        known = self.encoded.get(key)
        if known is not None and known.answer is answer:
            return known
        made = self.encoded[key] = encode(answer, self._cache_control(scope, answer))
        self.encoded.move_to_end(key)
        if len(self.encoded) > REMEMBERED:
            self.encoded.popitem(last=False)
        return made

    def _cache_control(self, scope: Scope, answer: Answer) -> bytes:
        if self.max_age is None:
            return ACCOUNT
        if self.max_age == 0:
            return LIVE
        # Where a token is asked for, a cache in between must not answer in our place.
        whose = b"public" if get_services(scope).access.is_public else b"private"
        return whose + (b", no-cache" if answer.stale else b", max-age=%d" % self.max_age)


def matches(scope: Scope, etag: bytes) -> bool:
    """Whether If-None-Match names this weak ETag (or *), as RFC 9110 compares: weakly."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            opaque = etag.removeprefix(b"W/")
            return any(item.strip().removeprefix(b"W/") in (opaque, b"*") for item in value.split(b","))
    return False


def live_json(value: object, status: int = 200) -> Response:
    """An answer that is true only now: health, statistics."""
    return Response(dumps(value), status, {"Cache-Control": "no-store"}, "application/json")
