"""The watch over the bot and the exchange, as one thing to start, to stop and to ask how it is."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from cache.address import RedisAddress
from cache.base import Cache
from cache.exact import loads
from journal.base import Journal, Query
from journal.entry import Entry
from journal.errors import LeaseLost
from streams.account import Push
from streams.bot import BotSettings
from streams.duty import Duty, Means
from streams.errors import TwoJournals
from streams.feed import Feed, Listener
from streams.lease import LeaseKeeper
from streams.live import HELD, Live, LiveTrades, Sources
from streams.recorder import Recorder
from streams.status import BotStatus, Pulse, news
from streams.sweep import Exchange
from streams.vital import Vital, ended, supervised

if TYPE_CHECKING:
    from streams.relay import Relay
    from streams.roll import Roll

log = logging.getLogger(__name__)
DUTY = ("poller", "healer", "push", "recorder")  # parts that work only where the lease is held
PARTS = (*DUTY, "feed", "lease", "relay")


class Audience(Protocol):
    """What the watch needs of the hub."""

    position: int

    def publish(self, entries: Sequence[Entry]) -> None:
        """Take entries that follow position."""
        ...

    def status(self, data: str) -> None:
        """Take the JSON text of a bot_status event."""
        ...

    def remember(self, data: str) -> None:
        """Take one that is no news, for streams that open."""
        ...


class Watch:
    """One per worker. Whichever worker holds the lease polls; all hear of everything, and can answer trades/live.

    exchange and push: None without keys. happened is told at once when the account traded (Unix seconds), before the
    journal may know. listeners are called with each batch of entries, in order, after the hub.
    """

    def __init__(
        self, session: aiohttp.ClientSession, hub: Audience, journal: Journal, cache: Cache, bot: BotSettings,
        listeners: Sequence[Listener] = (), clock: Callable[[], float] = time.time,
        exchange: Exchange | None = None, push: Push | None = None, redis: RedisAddress | None = None,
        prefix: str = "python:", snapshot: Callable[[], Mapping[str, Any]] = dict,
        happened: Callable[[float], None] = lambda at: None,
    ) -> None:  # fmt: skip
        self._hub = hub
        self._journal = journal
        self._settings = bot
        self._clock = clock
        self._vitals = {name: Vital(name, clock) for name in PARTS}
        self._live = Live(hub.position)
        self.feed = Feed(journal, hub.position, self._vitals["feed"], self._tail)
        for listener in (hub.publish, self._live.publish, *listeners):
            self.feed.listen(listener)
        self._recorder = Recorder(journal, self._announce, self._vitals["recorder"])
        self._means = Means(
            session, journal, self._recorder, bot, self._vitals, self._told, exchange, push, happened, clock
        )
        worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._keeper = LeaseKeeper(
            journal, self._recorder, worker, self._duties, self._dump, self._heard, self._vitals["lease"]
        )
        self._relay: Relay | None = None
        self._roll: Roll | None = None
        if redis is not None:
            self._link(redis, prefix, worker, snapshot)
        self._duty: Duty | None = None  # while this worker holds the lease
        self._pulse = Pulse(BotStatus(since=clock()).data)  # of the bot, from our poller or another worker's
        self._tasks: list[asyncio.Task[None]] = []
        self.live = LiveTrades(self._live, self._sources, self._sweep, cache, clock)

    def _link(self, redis: RedisAddress, prefix: str, worker: str, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        from cache.redis import connect  # these load redis, which a service without one does not need
        from streams.relay import BLOCK, Relay
        from streams.roll import Roll

        writer, reader, vital = connect(redis, connections=4), connect(redis, BLOCK + 3, 1), self._vitals["relay"]
        key = f"{prefix}relay:{self._journal.epoch}"
        self._relay = Relay(writer, reader, key, worker, self.feed.offer, self._heard, vital)
        self._roll = Roll(writer, prefix, self._journal.epoch, worker, snapshot, vital, self._clock)

    async def start(self) -> None:
        """Load the newest trades, then watch. Raises JournalError, and TwoJournals for a prefix that is another's."""
        if self._relay is not None and self._roll is not None:
            try:
                await self._roll.claim()
            except TwoJournals:
                await self._relay.close()
                raise
        page = await self._journal.history(Query(limit=HELD, before=self._hub.position + 1))
        if page:
            self._live.publish(page[::-1])
        self._hub.status(self._pulse.status)
        self._off_duty()
        works = [(self.feed.run, "feed"), (self._keeper.run, "lease")]
        if self._relay is not None and self._roll is not None:
            works += [(self._relay.send, "relay"), (self._relay.listen, "relay"), (self._roll.run, "relay")]
        else:
            self._vitals["relay"].idle("no Redis: other workers follow the journal")
        for work, part in works:
            self._tasks.append(asyncio.create_task(supervised(work, self._vitals[part])))

    async def stop(self) -> None:
        """Stop polling, let the write under way end, give the lease back."""
        await ended(*self._tasks)
        self._tasks.clear()
        if self._relay is not None and self._roll is not None:
            await self._roll.leave()
            await self._relay.close()

    async def gather(self) -> list[dict[str, Any]]:
        """The snapshots of the other workers, for numbers that add up over all; none without Redis."""
        return await self._roll.gather() if self._roll is not None else []

    def health(self) -> dict[str, dict[str, object]]:
        """Each part with state, age (seconds since it last did well), reason and counts."""
        parts = {name: vital.part() for name, vital in self._vitals.items()}
        status = loads(self._pulse.status)
        age = round(self._clock() - self._pulse.polled, 3) if self._pulse.polled else None
        state = "ok" if status["status"] == "online" else "degraded"
        parts["bot"] = {"state": state, "age": age, **status}
        if self._duty is not None:
            parts["poller"] |= {"skipped": dict(self._duty.poller.skipped), "pending": self._duty.intake.pending}
            parts["healer"] |= {"open": len(self._duty.holes)}
        return parts

    async def _duties(self, left_behind: str) -> None:
        left = _pulse(left_behind)
        for part in DUTY:
            self._vitals[part].start()
        try:
            self._duty = await Duty.begin(self._means, left if left and left.at > self._pulse.at else self._pulse)
            await self._duty.run()
        finally:
            self._duty = None
            self._off_duty()

    def _off_duty(self) -> None:
        for part in DUTY:
            self._vitals[part].idle("this worker does not poll")

    def _announce(self, entries: Sequence[Entry]) -> None:
        self.feed.offer(entries)
        if self._relay is not None:
            self._relay.entries(entries)

    def _told(self, duty: Duty) -> None:
        polled, swept = duty.poller.polled_at or self._pulse.polled, duty.healer.swept or self._pulse.swept
        self._tell(Pulse(duty.bot.data, polled, swept, self._clock()))
        if self._relay is not None:
            self._relay.pulse(self._pulse.dump())

    def _tell(self, pulse: Pulse) -> None:
        before, self._pulse = self._pulse, pulse
        if (now := news(pulse.status)) != news(before.status):
            level = logging.INFO if now["status"] == "online" else logging.WARNING
            reason = f": {now['reason']}" if now["reason"] else ""
            log.log(level, "bot: %s, mode %s%s", now["status"], now["mode"], reason)
            self._hub.status(pulse.status)
        elif pulse.status != before.status:
            self._hub.remember(pulse.status)

    def _heard(self, text: str) -> None:
        pulse = _pulse(text)
        if pulse is not None and self._duty is None and pulse.at > self._pulse.at:
            self._tell(pulse)

    def _tail(self) -> float:
        """Seconds between looks at the journal's end: it is a net where something quicker brings the news."""
        quicker = self._duty is not None or (self._relay is not None and self._relay.reading)
        return 2.0 if quicker else 0.5

    def _dump(self) -> str:
        return self._pulse.dump()

    def _sources(self, cache: str, cached: float) -> Sources:
        swept = max(self._pulse.swept, self._duty.healer.swept if self._duty else 0.0)
        told = max(self._pulse.polled, swept, cached)
        settings = self._settings
        return Sources(self._pulse.polled, (cache, cached), swept, told, settings.interval, settings.fallback)

    async def _sweep(self) -> None:
        """Ask the exchange for a reader of trades/live, who does not wait longer than this for it."""
        if self._duty is None:
            return
        try:
            async with asyncio.timeout(2.0):
                await self._duty.healer.sweep()
        except (TimeoutError, LeaseLost):
            return  # the journal's tail answers, marked stale


def _pulse(text: str) -> Pulse | None:
    """What another worker left; one that cannot be read (an older version's) says nothing."""
    try:
        return Pulse.load(text) if text else None
    except ValueError:
        return None
