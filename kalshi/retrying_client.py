"""Ask well: within the token budget, not while the exchange is down, again when that helps, and count it all."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cache.circuit_breaker import CircuitBreaker
from kalshi.auth import Signer
from kalshi.errors import (
    BadAnswer,
    Busy,
    CircuitOpen,
    ClockSkew,
    ExchangeFault,
    FieldError,
    KalshiError,
    NotConfigured,
    RateLimited,
    Unreachable,
)
from kalshi.exchange_info import AccountLimits, EndpointCosts, pattern
from kalshi.rate_limits import Lane, RateLimits
from kalshi.record_reader import RecordReader
from kalshi.transport import Params, Transport

log = logging.getLogger(__name__)

KEYS = ("KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH")
RELEARN = 3600.0  # seconds after which the tier is asked for again
_PUBLIC_PATHS = ("/exchange/", "/markets", "/events", "/series", "/historical/cutoff", "/account/endpoint_costs")


@dataclass(slots=True)
class CallCounters:
    """What /health and /metrics tell of the exchange. Plain numbers, written by Calls alone."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (pattern of the path, status or error)
    retries: int = 0
    last_success: float | None = None  # Unix seconds
    last_error: str = ""
    last_error_at: float | None = None  # Unix seconds


class RetryingClient:
    """Every request to the exchange goes through here, whichever noun it is about.

    attempt: seconds that one try may take. total: seconds that a read may take with its retries and waits; half of it
    in the public lane.
    """

    def __init__(
        self,
        wire: Transport,
        signer: Signer | None = None,
        *,
        limits: RateLimits | None = None,
        breaker: CircuitBreaker | None = None,
        attempt: float = 5.0,
        total: float = 10.0,
        missing: Sequence[str] = KEYS,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.wire, self.signer = wire, signer
        self.limits, self.breaker = limits or RateLimits(), breaker or CircuitBreaker()
        self._attempt, self._total, self._missing = attempt, total, missing
        self._clock, self._jitter = clock, jitter
        # All mutable state besides the two above: the counters, and when the tier is to be asked for again.
        self.counters = CallCounters()
        self._learn_at = 0.0

    async def request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        json: Any = None,
        lane: Lane = "own",
        total: float | None = None,
        retry: bool = True,
    ) -> Any:
        """The JSON value of the answer (None for an empty one); numbers with a fraction are Decimal.

        path: below the base URL, ids already quoted. A GET is asked again while that may help and time is left, unless
        retry is false; anything else is sent once, for after a lost answer nobody knows whether it arrived.
        Raises KalshiError.
        """
        signer = None if method == "GET" and path.startswith(_PUBLIC_PATHS) else self.keys()
        if method != "GET":
            return await self._try(method, path, params, json, signer, lane, total or self._attempt)
        if signer is not None:
            await self._learn(signer)
        # Readers wait behind a proxy that gives up after some 15 s, and an answer may take three calls in a row.
        deadline = time.monotonic() + (total or (self._total if lane == "own" else self._total / 2))
        tries = 0
        while True:
            try:
                return await self._try(method, path, params, None, signer, lane, deadline - time.monotonic())
            except KalshiError as error:
                pause = self._pause(error, tries)
                if not retry or pause is None or time.monotonic() + pause >= deadline:
                    raise
            tries += 1
            self.counters.retries += 1
            await asyncio.sleep(pause)

    def keys(self) -> Signer:
        """What signs for the account. Raises NotConfigured when there is nothing."""
        if self.signer is None:
            raise NotConfigured(self._missing)
        return self.signer

    def _pause(self, error: KalshiError, tries: int) -> float | None:
        """Seconds before the next try, None when there is to be none. Full jitter, so that clients spread out."""
        if not error.transient or isinstance(error, CircuitOpen | Busy) or (isinstance(error, ClockSkew) and tries):
            return None
        least = error.retry_after or 0.0
        return least + self._jitter() * min(4.0, 0.25 * float(2**tries))

    async def _try(
        self, method: str, path: str, params: Params | None, body: Any, signer: Signer | None, lane: Lane, left: float
    ) -> Any:
        """One try within left seconds, judged by the breaker and counted."""
        # Asked before the wait, so that a closed door costs nothing, and again after it, where it may be the trial.
        if self.breaker.retry_in > 0:
            raise CircuitOpen(self.breaker.reason, self.breaker.retry_in)
        await self.limits.wait(method, path, lane, max(0.0, left / 2))
        if not self.breaker.allows():
            raise CircuitOpen(self.breaker.reason, max(self.breaker.retry_in, 0.1))
        try:
            answer = await self.wire.send(method, path, params, body, signer, max(0.05, min(left, self._attempt)))
        except KalshiError as error:
            self._failed(method, path, error)
            raise
        self.counters.calls[pattern(path), "ok"] += 1
        self._came_through()
        self.counters.last_success = self._clock()
        return answer

    def _failed(self, method: str, path: str, error: KalshiError) -> None:
        status = getattr(error, "status", None)
        self.counters.calls[pattern(path), str(status or type(error).__name__)] += 1
        self.counters.last_error, self.counters.last_error_at = str(error), self._clock()
        if isinstance(error, RateLimited):
            self.limits.drained(method)
        # Whoever refuses us is there: only silence, faults and nonsense speak for leaving it alone.
        if isinstance(error, Unreachable | ExchangeFault | BadAnswer):
            if self.breaker.failed(str(error)):
                log.warning("the exchange is left alone for a moment: %s", error)
        else:
            self._came_through()

    def _came_through(self) -> None:
        if self.breaker.succeeded():
            log.info("the exchange answers again")

    async def _learn(self, signer: Signer) -> None:
        """Ask for the tier and the costs once an hour, on the way of a read; without an answer what is known stays."""
        now = time.monotonic()
        if now < self._learn_at or self.breaker.state != "closed":
            return
        self._learn_at = now + RELEARN  # before awaiting: whoever comes meanwhile goes on with what is known
        try:
            limits = await self.wire.send("GET", "/account/limits", None, None, signer, 2.0)
            self.limits.adopt(AccountLimits.from_api(RecordReader(limits, "GET /account/limits")))
            costs = await self.wire.send("GET", "/account/endpoint_costs", None, None, None, 2.0)
            self.limits.costs = EndpointCosts.from_api(RecordReader(costs, "GET /account/endpoint_costs"))
        except FieldError as error:
            log.warning("the account's limits cannot be read, so tier %s is assumed: %s", self.limits.tier, error)
        except KalshiError as error:
            self._learn_at = now + RELEARN / 60
            log.info("the account's limits are not known yet, so tier %s is assumed: %s", self.limits.tier, error)
