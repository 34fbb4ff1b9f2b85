"""Responses made of answers: encoded once, with source and age, an ETag and what caches may do."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cache.base import Answer
from cache.decimal_json import dumps
from routes.context import get_services
from routes.endpoint import Endpoint

Headers = list[tuple[bytes, bytes]]

DATES: Final = ("as_of", "marks_as_of", "age")  # times at which a part was confirmed
ENCODED_KEPT: Final = 64  # encoded answers of each endpoint


@dataclass(slots=True)
class EncodedAnswer:
    """The bytes of an answer; everything but Age stays the same as long as the answer does."""

    answer: Answer
    body: bytes
    etag: bytes
    cache_control: bytes
    age: int | None = None  # seconds, in the headers
    headers: Headers = field(default_factory=list)

    def ok(self) -> Headers:
        """Return the headers of a 200, made anew each second; those of a 304 are all but the first two."""
        seconds = max(0, int(time.time() - self.answer.as_of))
        if self.age != seconds:
            self.age = seconds
            content = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
            age = [(b"age", b"%d" % seconds)] if self.answer.as_of else []
            self.headers = [*content, (b"cache-control", self.cache_control), (b"etag", self.etag), *age]
        return self.headers


def encode(answer: Answer, cache_control: bytes) -> EncodedAnswer:
    """Return the body of an answer; its ETag covers the data and `stale`, not the time of confirmation."""
    data = dumps(answer.value)
    tag = blake2b(f"{answer.stale}{dumps(undated(answer.value))}".encode(), digest_size=12).hexdigest()
    head = dumps(provenance(answer))
    body = (head[:-1] + ("," if data != "{}" else "") + data[1:]).encode()
    return EncodedAnswer(answer, body, f'W/"{tag}"'.encode(), cache_control)


def provenance(answer: Answer) -> dict[str, Any]:
    """Return source, as_of and stale for a body; as_of is None for an answer that was never confirmed."""
    return {"source": answer.source, "as_of": round(answer.as_of, 3) or None, "stale": answer.stale}


def undated(value: Any) -> Any:
    """Return the value without timestamps of confirmation, so that unchanged data keeps its ETag."""
    if isinstance(value, dict):
        return {name: undated(each) for name, each in value.items() if name not in DATES}
    return [undated(each) for each in value] if isinstance(value, list) else value


class JsonEndpoint:
    """ASGI application that sends an endpoint's answer. An answer that was sent before is not encoded again."""

    def __init__(self, endpoint: Endpoint) -> None:
        assert endpoint.answer is not None
        self.endpoint, self.handler, self.label = endpoint, endpoint.answer, endpoint.path
        self._encoded: OrderedDict[tuple[Any, ...], EncodedAnswer] = OrderedDict()  # by the values of the query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["endpoint"] = self
        services = get_services(scope)
        query = self.endpoint.read_query(scope) if self.endpoint.parameters else {}
        if self.endpoint.csv and accepts_csv(scope):
            await self.endpoint.csv(services, query)(scope, receive, send)
            return
        answer = await self.handler(services, query)
        key = tuple(query.values())
        encoded = self._encoded.get(key)
        if encoded is None or encoded.answer is not answer:
            encoded = self._encoded[key] = encode(answer, self._cache_control(scope, answer))
            self._encoded.move_to_end(key)
            if len(self._encoded) > ENCODED_KEPT:
                self._encoded.popitem(last=False)
        if matches(scope, encoded.etag):
            await send({"type": "http.response.start", "status": 304, "headers": encoded.ok()[2:]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": encoded.ok()})
            await send({"type": "http.response.body", "body": encoded.body})

    def _cache_control(self, scope: Scope, answer: Answer) -> bytes:
        if self.endpoint.caching == "account":
            return b"private, no-cache"
        if self.endpoint.caching == "live":
            return b"no-store"
        # A shared cache must not answer where a token or login is required.
        services = get_services(scope)
        audience = b"public" if services.access.is_public else b"private"
        return audience + (b", no-cache" if answer.stale else b", max-age=%d" % services.markets.ttl)


def accepts_csv(scope: Scope) -> bool:
    """Return True if the Accept header has text/csv and not JSON."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
    return b"text/csv" in accept and b"application/json" not in accept


def matches(scope: Scope, etag: bytes) -> bool:
    """Return True if If-None-Match names this weak ETag or *, compared weakly (RFC 9110)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            opaque = etag.removeprefix(b"W/")
            return any(item.strip().removeprefix(b"W/") in (opaque, b"*") for item in value.split(b","))
    return False


def live_json(value: object, status: int = 200) -> Response:
    """Return JSON that no cache may keep."""
    return Response(dumps(value), status, {"Cache-Control": "no-store"}, "application/json")
