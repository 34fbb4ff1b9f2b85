"""The watch over the bot and the exchange, as one thing to start, to stop and to ask how it is."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from cache.base import Cache
from cache.decimal_json import loads
from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from cluster.journal_tailer import JournalTailer, Listener
from cluster.journal_writer import JournalWriter
from cluster.leader_election import LeaderElection
from cluster.workers import RelaySettings, Workers
from ingest.bot_status import BotSnapshot, BotStatus, news
from ingest.latest_trades import HELD, LatestTrades, SourceTimes, TradeWindow
from ingest.leader import LeaderContext, LeaderTerm
from ingest.upstreams import Upstreams
from journal.base import Journal, Query
from journal.entries import Entry
from journal.errors import LeaseLost

log = logging.getLogger(__name__)
DUTY = ("poller", "healer", "push", "recorder")  # parts that work only where the lease is held
PARTS = (*DUTY, "feed", "lease", "relay")


class EventSink(Protocol):
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


class Supervisor:
    """One per worker. Whichever worker holds the lease polls; all hear of everything, and can answer trades/live.

    listeners are called with each batch of entries, in order, after the hub. happened is told at once when the account
    traded (Unix seconds), before the journal may know. link: where the other workers are met, None without Redis.
    """

    def __init__(
        self, neighbours: Upstreams, journal: Journal, hub: EventSink, cache: Cache, link: RelaySettings | None = None,
        listeners: Sequence[Listener] = (), happened: Callable[[float], None] = lambda at: None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._hub = hub
        self._journal = journal
        self._polling = neighbours.bot
        self._clock = clock
        self._components = components = {name: ComponentHealth(name, clock) for name in PARTS}
        self._live = TradeWindow(hub.position)
        self.feed = JournalTailer(journal, hub.position, components["feed"], self._tail)
        for listener in (hub.publish, self._live.publish, *listeners):
            self.feed.listen(listener)
        self.workers = Workers(components["relay"])
        if link is not None:
            self.workers.connect(link, journal.epoch, self.feed.offer, self._heard)
        recorder = JournalWriter(journal, self._announce, components["recorder"])
        self._means = LeaderContext(neighbours, journal, recorder, components, self._told, happened, clock)
        self._keeper = LeaderElection(
            journal, recorder, self.workers.name, self._duties, self._dump, self._heard, components["lease"]
        )
        self._duty: LeaderTerm | None = None  # while this worker holds the lease
        self._pulse = BotSnapshot(BotStatus(since=clock()).data)  # of the bot, from our poller or another worker's
        self._tasks: list[asyncio.Task[None]] = []
        self.live = LatestTrades(self._live, self._sources, self._sweep, cache, clock)

    async def start(self) -> None:
        """Load the newest trades, then watch. Raises JournalError, and TwoJournals for a prefix that is another's."""
        await self.workers.join()
        page = await self._journal.history(Query(limit=HELD, before=self._hub.position + 1))
        if page:
            self._live.publish(page[::-1])
        self._hub.status(self._pulse.status)
        self._off_duty()
        works = [(self.feed.run, "feed"), (self._keeper.run, "lease"), *((w, "relay") for w in self.workers.works())]
        for work, part in works:
            self._tasks.append(asyncio.create_task(run_forever(work, self._components[part])))

    async def stop(self) -> None:
        """Stop polling, let the write under way end, give the lease back."""
        await cancel_and_wait(*self._tasks)
        self._tasks.clear()
        await self.workers.leave()

    def health(self) -> dict[str, dict[str, object]]:
        """Each part with state, age (seconds since it last did well), reason and counts."""
        parts = {name: health.as_json() for name, health in self._components.items()}
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
            self._components[part].start()
        try:
            self._duty = await LeaderTerm.begin(self._means, left if left and left.at > self._pulse.at else self._pulse)
            await self._duty.run()
        finally:
            self._duty = None
            self._off_duty()

    def _off_duty(self) -> None:
        for part in DUTY:
            self._components[part].set_idle("this worker does not poll")

    def _announce(self, entries: Sequence[Entry]) -> None:
        self.feed.offer(entries)
        self.workers.tell(entries)

    def _told(self, duty: LeaderTerm) -> None:
        polled, swept = duty.poller.polled_at or self._pulse.polled, duty.healer.swept or self._pulse.swept
        self._tell(BotSnapshot(duty.bot.data, polled, swept, self._clock()))
        self.workers.tell_pulse(self._pulse.dump())

    def _tell(self, pulse: BotSnapshot) -> None:
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
        return 2.0 if self._duty is not None or self.workers.reach_us else 0.5

    def _dump(self) -> str:
        return self._pulse.dump()

    def _sources(self, cache: str, cached: float) -> SourceTimes:
        swept = max(self._pulse.swept, self._duty.healer.swept if self._duty else 0.0)
        told = max(self._pulse.polled, swept, cached)
        polling = self._polling
        return SourceTimes(self._pulse.polled, (cache, cached), swept, told, polling.interval, polling.fallback)

    async def _sweep(self) -> None:
        """Ask the exchange for a reader of trades/live, who does not wait longer than this for it."""
        if self._duty is None:
            return
        try:
            async with asyncio.timeout(2.0):
                await self._duty.healer.sweep()
        except (TimeoutError, LeaseLost):
            return  # the journal's tail answers, marked stale


def _pulse(text: str) -> BotSnapshot | None:
    """What another worker left; one that cannot be read (an older version's) says nothing."""
    try:
        return BotSnapshot.load(text) if text else None
    except ValueError:
        return None
