"""The life of the bot: remember, reconcile, trade turn by turn, answer all the while, and leave nothing behind."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from bot.desk import Desk
from bot.engine import Engine
from bot.errors import VenueError
from bot.reconcile import Reconciler
from bot.risk import HaltName
from bot.venue import Venue

log = logging.getLogger(__name__)

_TURN_LIMIT = 60.0  # seconds; no turn takes longer, whatever the exchange does
_AUDIT_EVERY = 30.0  # seconds between comparisons with the exchange's positions
_AGAIN = 2.0  # seconds between tries of what the end or the start still owes
_LAST_LIMIT = 8.0  # seconds that the end may take to cancel what rests


class Life:
    """Stages: starting, running, stopping. Paused and halted are the desk's to know.

    reconciler: None on paper, where there is nobody to agree with. first: nothing is remembered, so what the account
    holds now is where we begin.
    """

    def __init__(
        self, desk: Desk, venue: Venue, engine: Engine, reconciler: Reconciler | None, first: bool, interval: float,
        save: Callable[[bool], None], clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._desk = desk
        self._venue = venue
        self._engine = engine
        self._reconciler = reconciler
        self._first = first
        self._interval = interval
        self._save = save
        self._clock = clock
        # all mutable state: the stage, when the loop last came round and last agreed with the exchange, what ends it
        self.stage = "starting"
        self._turned = self._audited = time.monotonic()
        self._stop = asyncio.Event()

    def __repr__(self) -> str:
        return f"Life({self.stage})"

    @property
    def age(self) -> float:
        """Seconds since the loop last came round: how a frozen bot shows itself."""
        return time.monotonic() - self._turned

    def stop(self) -> bool:
        """End soon; safe to call from a signal. False when that was asked before: who asks twice is in a hurry."""
        first = not self._stop.is_set()
        self._stop.set()
        return first

    async def run(self) -> None:
        """Until stop. Trouble with the exchange is waited out; a fault of ours halts, and the bot goes on answering."""
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(_TURN_LIMIT):
                    await self._turn()
            except (VenueError, TimeoutError) as error:
                log.warning("%s: %s; trying again", self.stage, error or "a turn took too long")
                await self._rest(_AGAIN)
            except Exception:  # a fault of ours must stop the trading, not the cancelling and the answering
                log.exception("a fault in the bot")
                self.halt("fault", "a fault in the bot; its log says where")
                await self._rest(_AGAIN)
            self._turned = time.monotonic()
            await self._rest(self._interval)
        await self._end()

    def halt(self, name: HaltName, why: str) -> None:
        """Stop trading until a person clears it."""
        if self._desk.risk.halt(name, why, self._clock()):
            self._engine.halted(self._desk.risk.halts[name])

    async def agree(self) -> None:
        """Take what the exchange holds now as true: a person has looked at the difference. Raises VenueError."""
        if self._reconciler is not None:
            await self._reconciler.begin()

    async def _turn(self) -> None:
        if self.stage == "starting":
            await self._start()
            self.stage = "running"
        elif self._reconciler is not None and time.monotonic() - self._audited > _AUDIT_EVERY:
            await self._audit(self._reconciler)
        await self._engine.turn()

    async def _start(self) -> None:
        """What an earlier life left resting goes first, so that nothing moves while positions are compared."""
        await self._venue.cancel_all()
        if self._reconciler is None:
            return
        if self._first:
            await self._reconciler.begin()
            self._first = False
            self._save(True)
        await self._audit(self._reconciler)

    async def _audit(self, reconciler: Reconciler) -> None:
        differences = await reconciler.differences()
        self._audited = time.monotonic()
        if differences:
            self.halt("reconcile", differences)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _end(self) -> None:
        """Cancel what rests, learn the last fills, keep everything."""
        self.stage = "stopping"
        try:
            async with asyncio.timeout(_LAST_LIMIT):
                await self._engine.withdraw()
                await self._venue.refresh({})
        except (VenueError, TimeoutError) as error:
            log.warning("ended, but %s; the next start will cancel", error or "cancelling took too long")
        self._save(True)
        self._desk.tape.close()
