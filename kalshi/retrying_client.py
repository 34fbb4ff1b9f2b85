"""Requests to the exchange with rate limit, circuit breaker, retries and counters."""

import asyncio
import itertools
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from cache.circuit_breaker import CircuitBreaker
from kalshi import errors
from kalshi.auth import Signer
from kalshi.rate_limits import AccountLimits, EndpointCosts, Lane, RateLimits, pattern
from kalshi.records import RecordReader
from kalshi.transport import Params, Transport

log = logging.getLogger(__name__)

KEYS = ("KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH")
RELEARN = 3600.0  # seconds after which the tier is asked for again
_PUBLIC_PATHS = ("/exchange/", "/markets", "/events", "/series", "/historical/cutoff", "/account/endpoint_costs")


@dataclass(slots=True)
class CallCounters:
    """Counters of calls to the exchange, for /health and /metrics; RetryingClient alone writes them."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (pattern of the path, status or error)
    retries: int = 0
    last_success: float | None = None  # Unix seconds
    last_error: str = ""
    last_error_at: float | None = None  # Unix seconds


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
    missing: Sequence[str] = KEYS
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
            raise errors.NotConfigured(self.missing)
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
        self.counters.last_error, self.counters.last_error_at = str(error), self.clock()
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
