"""The life of the bot: remember, reconcile, trade turn by turn, answer all the while, and leave nothing behind."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.account_check import AccountCheck
from bot.engine import Engine
from bot.errors import AnotherBotRunning, VenueError
from bot.risk import HaltName
from bot.trading_state import TradingState
from bot.venues.base import Venue

log = logging.getLogger(__name__)

_TURN_LIMIT = 60.0  # seconds; no turn takes longer, whatever the exchange does
_AUDIT_EVERY = 30.0  # seconds between comparisons with the exchange's positions
_AGAIN = 2.0  # seconds between tries of what the end or the start still owes
_GRACE = 0.3  # seconds that a turn may go on after it was asked to end
_SILENCE = 1.2  # seconds of the end in which fewer and fewer orders must rest, or nobody listens
_LAST_LIMIT = 8.0  # seconds that the end may take while it gets on


class BotRunner:
    """Stages: starting, running, stopping. Paused and halted are the state's to know.

    reconciler: None on paper, where there is nobody to agree with. first: nothing is remembered, so what the account
    holds now is where we begin. alone: raises AnotherBotRunning when another bot's orders rest under our prefix.
    """

    def __init__(
        self, state: TradingState, venue: Venue, engine: Engine, reconciler: AccountCheck | None, first: bool,
        interval: float,
        save: Callable[[bool], None], clock: Callable[[], float] = time.time,
        alone: Callable[[], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self._state = state
        self._venue = venue
        self._engine = engine
        self._reconciler = reconciler
        self._first = first
        self._interval = interval
        self._save = save
        self._clock = clock
        self._alone = alone
        # all mutable state: the stage, when the loop last came round and last agreed with the exchange, what ends it,
        # and how long the present turn may take
        self.stage = "starting"
        self._turned = self._audited = time.monotonic()
        self._stop = asyncio.Event()
        self._limit: asyncio.Timeout | None = None

    def __repr__(self) -> str:
        return f"BotRunner({self.stage})"

    @property
    def age(self) -> float:
        """Seconds since the loop last came round: how a frozen bot shows itself."""
        return time.monotonic() - self._turned

    def stop(self) -> bool:
        """End soon; safe to call from a signal. False when that was asked before: who asks twice is in a hurry."""
        first = not self._stop.is_set()
        self._stop.set()
        if first and self._limit is not None and not self._limit.expired():  # the turn has its last moment
            self._limit.reschedule(asyncio.get_running_loop().time() + _GRACE)
        return first

    async def run(self) -> None:
        """Until stop. Trouble with the exchange is waited out; a fault of ours halts, and the bot goes on answering.

        Raises AnotherBotRunning, before anything was done.
        """
        while not self._stop.is_set():
            try:
                await self._limited_turn()
            except (VenueError, TimeoutError) as error:
                if not self._stop.is_set():
                    log.warning("%s: %s; trying again", self.stage, str(error) or "a turn took too long")
                await self._rest(_AGAIN)
            except AnotherBotRunning:
                raise
            except Exception:  # a fault of ours must stop the trading, not the cancelling and the answering
                log.exception("a fault in the bot")
                self.halt("fault", "a fault in the bot; its log says where")
                await self._rest(_AGAIN)
            self._turned = time.monotonic()
            await self._rest(self._interval)
        await self._end()

    def halt(self, name: HaltName, why: str) -> None:
        """Stop trading until a person clears it."""
        if self._state.risk.halt(name, why, self._clock()):
            self._engine.halted(self._state.risk.halts[name])

    async def agree(self) -> None:
        """Take what the exchange holds now as true: a person has looked at the difference. Raises VenueError."""
        if self._reconciler is not None:
            await self._reconciler.begin()

    async def _limited_turn(self) -> None:
        try:
            async with asyncio.timeout(_TURN_LIMIT) as self._limit:
                await self._turn()
        finally:
            self._limit = None

    async def _turn(self) -> None:
        if self.stage == "starting":
            await self._start()
            self.stage = "running"
        elif self._reconciler is not None and time.monotonic() - self._audited > _AUDIT_EVERY:
            await self._audit(self._reconciler)
        await self._engine.turn()

    async def _start(self) -> None:
        """What an earlier life left resting goes first, so that nothing moves while positions are compared.

        Before that it must be ours, and we must be on disk as a runner whose orders the next one knows.
        """
        if self._alone is not None:
            await self._alone()
        self._save(True)
        await self._venue.cancel_all()
        if self._reconciler is None:
            return
        if self._first:
            await self._reconciler.begin()
            self._first = False
            self._save(True)
        await self._audit(self._reconciler)

    async def _audit(self, reconciler: AccountCheck) -> None:
        differences = await reconciler.differences()
        self._audited = time.monotonic()
        if differences:
            self.halt("reconcile", differences)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _end(self) -> None:
        """Cancel what rests, learn the last fills, keep everything, whatever cuts that short."""
        self.stage = "stopping"
        try:
            why = await self._last()
            if why or self._venue.resting():
                log.warning("ended without the exchange's word (%s); the next start cancels %s", why, self._left())
        finally:
            self._save(True)
            self._state.trade_log.close()

    async def _last(self) -> str:
        """Take back what rests for as long as that gets on; why it did not, empty when nothing is left."""
        task = asyncio.create_task(self._take_back())
        end = time.monotonic() + _LAST_LIMIT
        try:
            while not task.done() and time.monotonic() < end:
                before = len(self._venue.resting())
                await asyncio.wait([task], timeout=_SILENCE)
                if len(self._venue.resting()) >= before:
                    break
        finally:
            task.cancel()
            await asyncio.wait([task])
        return "it did not answer in time" if task.cancelled() else task.result()

    async def _take_back(self) -> str:
        try:
            await self._engine.withdraw()
            await self._venue.refresh({})
        except VenueError as error:
            return str(error)
        return ""

    def _left(self) -> str:
        """What may still rest, for people."""
        resting = self._venue.resting()
        some = (f"{order.side} {order.quantity} {order.ticker} at {order.price}" for order in resting[:5])
        more = f" and {len(resting) - 5} more" if len(resting) > 5 else ""
        return f"what may still rest: {', '.join(some)}{more}" if resting else "what else there may be; we know of none"
