"""Requests to the exchange: signed, limited in size, time and tokens, and retried behind a circuit breaker."""

import asyncio
import itertools
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

import aiohttp
from yarl import URL

from cache.circuit_breaker import CircuitBreaker
from cache.decimal_json import dumps, loads
from kalshi import errors
from kalshi.auth import Signer
from kalshi.rate_limits import AccountLimits, EndpointCosts, Lane, RateLimits, pattern
from kalshi.records import RecordReader

log = logging.getLogger(__name__)

Params = Mapping[str, str | int]
RELEARN = 3600.0  # seconds after which the tier is asked for again
_PUBLIC_PATHS = ("/exchange/", "/markets", "/events", "/series", "/historical/cutoff", "/account/endpoint_costs")
LARGEST: Final = 16 * 1024 * 1024  # bytes of an unpacked answer; the largest honest one, 1000 markets, is about 3 MB
_REFUSALS: Final[dict[int, type[errors.Refused]]] = {
    400: errors.BadRequest, 401: errors.NotAllowed, 403: errors.NotAllowed, 404: errors.NotFound,
    409: errors.Conflict, 429: errors.RateLimited,
}  # fmt: skip


class Transport:
    """Sends one request over the shared session. No redirect is followed: a signature is for one place only."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, largest: int = LARGEST) -> None:
        self._session, self._largest = session, largest
        self.base_url = base_url.rstrip("/")

    async def send(
        self, method: str, path: str, params: Params | None, body: Any, signer: Signer | None, timeout: float
    ) -> Any:
        """Return the JSON value of a 2xx answer (None for no body), within timeout seconds. Raises KalshiError."""
        url, where = URL(self.base_url + path, encoded=True), f"{method} {path}"
        # Signed as late as can be, for the stamp ages; what is signed is the very path that is sent.
        headers = {"Accept": "application/json"} | (signer.headers(method, url.raw_path) if signer else {})
        data = None
        if body is not None:
            data, headers["Content-Type"] = dumps(body).encode(), "application/json"
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    method, url.update_query(params or {}), data=data, headers=headers, allow_redirects=False
                ) as response,
            ):
                raw = await read_body(response, self._largest)
        except TimeoutError:
            raise errors.Unreachable(f"{where}: no answer within {timeout:.1f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # `from None`: aiohttp's errors carry the request with its headers, which must not reach a traceback.
            raise errors.Unreachable(f"{where}: {connection_failure(error)}") from None
        if raw is None:
            raise errors.BadAnswer(f"{where}: the answer is larger than {self._largest} bytes")
        return _answer(where, response.status, raw)


async def read_body(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Return the body, decompressed; None where it is larger than `most` bytes, and then the connection is closed."""
    parts = bytearray()
    async for part in response.content.iter_chunked(65536):
        parts += part
        if len(parts) > most:
            response.close()
            return None
    return bytes(parts)


def connection_failure(error: Exception, with_place: bool = True) -> str:
    """Return the reason for a failed connection, the same text for the same failure; with_place: with the host."""
    if isinstance(error, aiohttp.ClientSSLError):
        cause: Any = getattr(error, "certificate_error", None) or error.os_error
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
        return f"TLS {f'to {error.host} ' if with_place else ''}failed ({reason})"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # asyncio's own text gives no reason; a resolver's number is below zero
        reason = (os.strerror(number) if number > 0 else error.os_error.strerror) or type(error.os_error).__name__
        return f"{f'cannot connect to {error.host}:{error.port}' if with_place else 'no connection'} ({reason})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off or could not be unpacked"
    return f"no HTTP answer ({type(error).__name__})"


def _answer(where: str, status: int, raw: bytes) -> Any:
    """Return the value of a 2xx answer, else raise its error. The Content-Type is ignored: it is often wrong."""
    if 300 <= status < 400:
        raise errors.BadAnswer(f"{where}: HTTP {status}, a redirect; the base URL is not that of the API")
    if status >= 400:
        raise refusal(where, status, raw)
    try:
        return loads(raw) if raw.strip() else None
    except (ValueError, RecursionError) as error:
        raise errors.BadAnswer(f"{where}: HTTP {status}, but no JSON ({error!s:.200}): {raw[:60]!r}") from None


def refusal(where: str, status: int, raw: bytes) -> errors.Refused:
    """Return the error of an error status, from any of the four body shapes that the exchange sends."""
    try:
        body = loads(raw)
    except (ValueError, RecursionError):
        body = None  # a proxy's HTML, or nothing: the status must do
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    nested = fields.get("error", fields.get("msg"))
    if isinstance(nested, str | dict):
        fields = {"message": nested} if isinstance(nested, str) else nested
    texts = (fields.get(name) for name in ("code", "message", "details"))
    code, message, details = (text[:300] if isinstance(text, str) else "" for text in texts)
    kind = _REFUSALS.get(status, errors.ExchangeFault if status >= 500 else errors.Refused)
    if code == "header_timestamp_expired" and status < 500:
        kind = errors.ClockSkew
    return kind(where, status, code, message, details, body)


@dataclass(slots=True)
class CallCounters:
    """Counters of calls to the exchange, for /health and /metrics; RetryingClient alone writes them."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (pattern of the path, status or error)
    retries: int = 0
    last_success: float | None = None  # Unix seconds
    last_error: str = ""


@dataclass(eq=False, repr=False)
class RetryingClient:
    """The one way for requests to the exchange."""

    wire: Transport
    signer: Signer | None = None
    _: KW_ONLY
    limits: RateLimits = field(default_factory=RateLimits)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    attempt: float = 5.0  # seconds that one try may take
    total: float = 10.0  # seconds that a read may take with its retries and waits; half of it in the public lane
    clock: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    counters: CallCounters = field(default_factory=CallCounters, init=False)
    on_recovery: list[Callable[[], None]] = field(default_factory=list, init=False)  # called when the breaker closes
    _learn_at: float = field(default=0.0, init=False)  # monotonic seconds at which the tier is to be asked for again

    async def request(
        self, method: str, path: str, params: Params | None = None, json: Any = None, lane: Lane = "own",
        total: float | None = None, retry: bool = True,
    ) -> Any:  # fmt: skip
        """Return the JSON value of the answer (None for an empty one); numbers with a fraction are Decimal.

        path: below the base URL, ids already quoted. A GET is retried while the error is transient and time is left,
        unless retry is false; any other method is sent once, because a lost answer may have been a success.
        Raises KalshiError.
        """
        signer = None if method == "GET" and path.startswith(_PUBLIC_PATHS) else self.keys()
        if method != "GET":
            return await self._try(method, path, params, json, signer, lane, total or self.attempt)
        if signer is not None:
            await self._learn(signer)
        # REST clients wait behind a proxy that gives up after some 15 s, and an answer may take three calls in a row.
        deadline = time.monotonic() + (total or (self.total if lane == "own" else self.total / 2))
        for tries in itertools.count():
            try:
                return await self._try(method, path, params, None, signer, lane, deadline - time.monotonic())
            except errors.KalshiError as error:
                pause = self._pause(error, tries)
                if not retry or pause is None or time.monotonic() + pause >= deadline:
                    raise
            self.counters.retries += 1
            await asyncio.sleep(pause)

    def keys(self) -> Signer:
        """Return the signer of the account. Raises NotConfigured: there is none."""
        if self.signer is None:
            raise errors.NotConfigured
        return self.signer

    def _pause(self, error: errors.KalshiError, tries: int) -> float | None:
        """Return seconds before the next try, None for no retry. Full jitter, so that clients spread out."""
        final = isinstance(error, errors.CircuitOpen | errors.Busy) or (isinstance(error, errors.ClockSkew) and tries)
        if final or not error.transient:
            return None
        return (error.retry_after or 0.0) + self.jitter() * min(4.0, 0.25 * float(2**tries))

    async def _try(
        self, method: str, path: str, params: Params | None, body: Any, signer: Signer | None, lane: Lane, left: float
    ) -> Any:
        """Send once within left seconds, with circuit breaker and counters."""
        # Checked before the wait, so that an open circuit costs no tokens, and after it, when this may be the trial.
        if self.breaker.retry_in > 0:
            raise errors.CircuitOpen(self.breaker.reason, self.breaker.retry_in)
        await self.limits.wait(method, path, lane, max(0.0, left / 2))
        if not self.breaker.allows():
            raise errors.CircuitOpen(self.breaker.reason, max(self.breaker.retry_in, 0.1))
        try:
            answer = await self.wire.send(method, path, params, body, signer, max(0.05, min(left, self.attempt)))
        except errors.KalshiError as error:
            self._failed(method, path, error)
            raise
        self.counters.calls[pattern(path), "ok"] += 1
        self.counters.last_success = self.clock()
        self._came_through()
        return answer

    def _failed(self, method: str, path: str, error: errors.KalshiError) -> None:
        self.counters.calls[pattern(path), str(getattr(error, "status", type(error).__name__))] += 1
        self.counters.last_error = str(error)
        if isinstance(error, errors.RateLimited):
            self.limits.drained(method)
        # A refusal proves that the exchange is up; only silence, faults and unreadable answers count as failures.
        if isinstance(error, errors.Unreachable | errors.ExchangeFault | errors.BadAnswer):
            if self.breaker.failed(str(error)):
                log.warning("exchange circuit open for %.0f s: %s", self.breaker.retry_in, error)
        else:
            self._came_through()

    def _came_through(self) -> None:
        if self.breaker.succeeded():
            log.info("exchange circuit closed: the exchange answers again")
            for call in self.on_recovery:
                call()

    async def _learn(self, signer: Signer) -> None:
        """Read the tier and the costs once an hour, before a read; on failure the last values stay."""
        now = time.monotonic()
        if now < self._learn_at or self.breaker.state != "closed":
            return
        self._learn_at = now + RELEARN  # before awaiting, so that concurrent callers go on with the last values
        try:
            limits = await self.wire.send("GET", "/account/limits", None, None, signer, 2.0)
            self.limits.adopt(AccountLimits.from_api(RecordReader(limits, "GET /account/limits")))
            costs = await self.wire.send("GET", "/account/endpoint_costs", None, None, None, 2.0)
            self.limits.costs = EndpointCosts.from_api(RecordReader(costs, "GET /account/endpoint_costs"))
        except errors.FieldError as error:
            log.warning("the account's limits cannot be read, so tier %s is assumed: %s", self.limits.tier, error)
        except errors.KalshiError as error:
            self._learn_at = now + RELEARN / 60
            log.info("the account's limits are not known yet, so tier %s is assumed: %s", self.limits.tier, error)
