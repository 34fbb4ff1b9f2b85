"""Runs the bot from its start to its end: check the account, trade turn by turn, cancel everything at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.account_check import AccountCheck
from bot.clock import BotClock
from bot.engine import Engine
from bot.errors import AnotherBotRunning, LimitsTooLarge, StrategyError, VenueError
from bot.halts import HaltName
from bot.reasons import UNREACHABLE
from bot.trading_state import TradingState
from bot.venues.base import Venue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerTimes:
    """Seconds. interval: between two turns. turn_limit: for one turn. check_every: between comparisons of positions.

    retry_after: between tries of a failed start or turn. last_turn: for the present turn after stop. no_progress: at
    the end without fewer orders, after which the bot ends anyway. end_limit: for the end as a whole.
    """

    interval: float = 1.0
    turn_limit: float = 60.0
    check_every: float = 30.0
    retry_after: float = 2.0
    last_turn: float = 0.3
    no_progress: float = 1.2
    end_limit: float = 8.0


class BotRunner:
    """Stages: starting, running, stopping.

    check: None on paper. first: nothing is stored, so the account's present positions are the opening ones.
    prepare: awaited before anything is sent, raises AnotherBotRunning. verify: awaited once nothing of ours rests,
    raises LimitsTooLarge. Both errors end the bot; VenueError from either is retried.
    """

    def __init__(
        self, state: TradingState, venue: Venue, engine: Engine, check: AccountCheck | None, first: bool,
        times: RunnerTimes, save: Callable[[bool], None], clock: BotClock,
        prepare: Callable[[], Awaitable[None]] | None = None, verify: Callable[[], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self._state = state
        self._venue = venue
        self._engine = engine
        self._check = check
        self._first = first
        self._times = times
        self._save = save
        self._clock = clock
        self._prepare = prepare
        self._verify = verify
        # all mutable state: the stage; monotonic times of the last turn and of the last check; the order to stop; the
        # time limit of the present turn
        self.stage = "starting"
        self._turned = self._checked = clock.monotonic()
        self._stop = asyncio.Event()
        self._limit: asyncio.Timeout | None = None

    def __repr__(self) -> str:
        return f"BotRunner({self.stage})"

    @property
    def age(self) -> float:
        """Seconds since the last turn ended; grows while the loop is stuck."""
        return self._clock.monotonic() - self._turned

    def stop(self) -> bool:
        """End soon; safe to call from a signal handler. Returns False if it was called before."""
        first = not self._stop.is_set()
        self._stop.set()
        if first and self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._times.last_turn)
        return first

    async def run(self) -> None:
        """Run until stop. Failures of the exchange are retried; a bug halts the trading, not the bot.

        Raises AnotherBotRunning and LimitsTooLarge before anything was sent.
        """
        while not self._stop.is_set():
            try:
                await self._limited_turn()
            except (VenueError, TimeoutError) as error:
                self._note_failure(error)
                await self._rest(self._times.retry_after)
            except (AnotherBotRunning, LimitsTooLarge):
                raise
            except Exception as error:
                log.exception("unexpected error: the trading is halted")
                what = str(error) if isinstance(error, StrategyError) else "a bug in the bot"
                self.halt("fault", f"{what}; the log has the traceback")
                await self._rest(self._times.retry_after)
            self._turned = self._clock.monotonic()
            await self._rest(self._times.interval)
        await self._end()

    def halt(self, name: HaltName, why: str) -> None:
        """Stop trading until a person clears the halt."""
        if self._state.halts.halt(name, why, self._clock.wall()):
            self._engine.report_halt(self._state.halts.halts[name])

    async def accept_positions(self) -> None:
        """Take the exchange's present positions as the opening ones. Raises VenueError."""
        if self._check is not None:
            await self._check.begin()

    def _note_failure(self, error: Exception) -> None:
        if not self._stop.is_set():
            words = str(error) or f"a turn took longer than {self._times.turn_limit:.0f} s"
            self._engine.report_failure(words, error.reason if isinstance(error, VenueError) else UNREACHABLE)

    async def _limited_turn(self) -> None:
        try:
            async with asyncio.timeout(self._times.turn_limit) as self._limit:
                await self._turn()
        finally:
            self._limit = None

    async def _turn(self) -> None:
        if self.stage == "starting":
            await self._start()
            self.stage = "running"
        elif self._check is not None and self._clock.monotonic() - self._checked > self._times.check_every:
            await self._check_positions(self._check)
        await self._engine.turn()

    async def _start(self) -> None:
        """Cancel what an earlier run left, so that nothing moves while positions are compared.

        This run's id is stored before, so that the next one recognises its orders.
        """
        if self._prepare is not None:
            await self._prepare()
        self._save(True)
        await self._venue.cancel_all()
        if self._verify is not None:
            await self._verify()
        if self._check is None:
            return
        if self._first:
            await self._check.begin()
            self._first = False
            self._save(True)
        await self._check_positions(self._check)

    async def _check_positions(self, check: AccountCheck) -> None:
        differences = await check.differences()
        self._checked = self._clock.monotonic()
        if differences:
            self.halt("reconcile", differences)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _end(self) -> None:
        """Cancel what rests, read the last fills and store everything, whatever fails."""
        self.stage = "stopping"
        try:
            why = await self._cancel_for_end()
            if why or self._venue.resting():
                log.warning("ended without confirmation from the exchange (%s); %s", why, self._left())
        finally:
            self._save(True)
            self._state.trade_log.close()

    async def _cancel_for_end(self) -> str:
        """Cancel all orders for as long as their number falls. Returns why some are left, "" if none is."""
        task = asyncio.create_task(self._cancel_and_read())
        loop = asyncio.get_running_loop()
        end = loop.time() + self._times.end_limit
        try:
            while not task.done() and loop.time() < end:
                before = len(self._venue.resting())
                await asyncio.wait([task], timeout=self._times.no_progress)
                if len(self._venue.resting()) >= before:
                    break
        finally:
            task.cancel()
            await asyncio.wait([task])
        return "it did not answer in time" if task.cancelled() else task.result()

    async def _cancel_and_read(self) -> str:
        try:
            await self._engine.withdraw()
            await self._venue.refresh({})
        except VenueError as error:
            return str(error)
        return ""

    def _left(self) -> str:
        """Return a sentence about the orders that may still rest."""
        resting = self._venue.resting()
        if not resting:
            return "no order is known to rest; the next start cancels any that does"
        some = (f"{order.side} {order.quantity} {order.ticker} at {order.price}" for order in resting[:5])
        more = f" and {len(resting) - 5} more" if len(resting) > 5 else ""
        return f"what may still rest: {', '.join(some)}{more}; it expires by itself, and the next start cancels it"
