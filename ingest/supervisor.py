"""Supervisor of one worker: follows the journal, leads while it holds the lease, and reports its components' health."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from cache.base import Cache
from cache.decimal_json import loads
from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever, wait_for
from cluster.journal_tailer import JournalCheck, JournalTailer, Listener
from cluster.leader import JournalWriter, LeaderElection
from cluster.workers import RelaySettings, open_workers
from ingest.backfill import Backfiller
from ingest.bot_client import BotClient, PollSettings
from ingest.bot_status import BotSnapshot, BotStatus, is_unhealthy
from ingest.exchange_fills import Attribution, check_marks
from ingest.fill_listener import FillListener
from ingest.gaps import GAPS_MARK, WINDOW_MARK, OpenGaps, PollOverlap
from ingest.latest_trades import MAX_TRADES, LatestTrades, SourceTimes
from ingest.poller import Poller
from ingest.trade_intake import TradeIntake
from journal.base import Journal
from journal.entries import Entry, Head, Mode
from journal.entry_store import Query
from journal.errors import JournalDamaged, JournalError, LeaseLost
from kalshi.client import KalshiClient
from kalshi.fill_socket import FillSocket
from streams.hub import Hub

log = logging.getLogger(__name__)
T = TypeVar("T")
LEADER_COMPONENTS: Final = ("poller", "healer", "push", "recorder")  # they work only where the lease is held
COMPONENTS: Final = (*LEADER_COMPONENTS, "feed", "lease", "relay", "integrity")
BACKFILL_WAIT: Final = 2.0  # seconds that a request for trades/live waits for the exchange
TAIL_WITH_NEWS: Final = 2.0  # seconds between looks at the journal's end where news arrives by itself
TAIL_WITHOUT_NEWS: Final = 0.1  # a look costs about 0.5 ms, and an entry waits for half of it


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Bot and exchange over one session. exchange and fill_source are None without keys."""

    session: aiohttp.ClientSession
    bot: PollSettings
    exchange: KalshiClient | None = None
    fill_source: FillSocket | None = None
    exchange_mode: Mode = "live"  # of the exchange's environment, for fills while the bot has not named its mode


class LeaderTerm:
    """One term of leadership: poll the bot, fill gaps from the exchange, and listen to its fill socket.

    It begins where the journal's marks say that the last one ended.
    last: the snapshot of the leader before. on_poll: called at the start and after each poll. on_account_trade: called
    with the Unix seconds of each pushed fill; the journal may not have it yet.
    """

    def __init__(
        self, upstreams: Upstreams, writer: JournalWriter, components: Mapping[str, ComponentHealth],
        marks: Mapping[str, str], last: BotSnapshot, on_poll: Callable[["LeaderTerm"], None],
        on_account_trade: Callable[[float], None] = lambda at: None,
    ) -> None:  # fmt: skip
        settings, mode, poller = upstreams.bot, upstreams.exchange_mode, components["poller"]
        self._on_poll_end, self._poll_limit = on_poll, 2 * settings.timeout + 1
        window = PollOverlap(marks.get(WINDOW_MARK, ""), last.polled)
        self.bot = BotStatus(since=poller.clock())
        self.bot.seen = window.run.at is not None
        self.bot.resume(last.status)
        self.gaps = OpenGaps(marks.get(GAPS_MARK, ""))
        self._gaps_before = len(self.gaps)
        attribution = Attribution(self.bot, self.gaps, settings.interval)
        self.intake = TradeIntake(window, attribution, writer, poller.clock)
        client = BotClient(upstreams.session, settings, poller.clock)
        self.poller = Poller(client, self.intake, self._on_poll, poller, settings.interval)
        self.backfiller = Backfiller(
            upstreams.exchange, attribution, writer, self.poll_bot, settings, components["healer"], marks, mode
        )
        push, backfill = components["push"], (self.backfiller.run, components["healer"])
        self._works = [(self.poller.run, poller), (self.poller.long_poll, poller), backfill]
        if upstreams.fill_source is None:
            push.set_idle("no exchange keys are set to listen with")
            return
        listener = FillListener(
            upstreams.fill_source, attribution, self.poller, writer, self.backfiller.wake, on_account_trade, push, mode
        )
        self._works.append((listener.run, push))

    async def run(self) -> None:
        """Work until cancelled. Raises an exception group with LeaseLost: another worker is the leader."""
        self._on_poll_end(self)
        async with asyncio.TaskGroup() as group:
            for work, health in self._works:
                group.create_task(run_forever(work, health))

    async def poll_bot(self) -> None:
        """Poll the bot now and wait until that is over, within a limit; then the bot's status names the reason."""
        await wait_for(self.poller.wake(), self._poll_limit)

    def _on_poll(self, changed: bool) -> None:
        """Wake the backfill at once after a change of the bot or a new gap."""
        if changed or len(self.gaps) > self._gaps_before:
            self.backfiller.wake()
        self._gaps_before = len(self.gaps)
        self._on_poll_end(self)


class Supervisor:
    """One per worker. The worker that holds the lease polls; all receive every entry and answer trades/live.

    listeners are called with each batch of entries, in order, after the hub. on_account_trade is called at once with
    the Unix seconds of each account trade, before the journal has it. on_reset: the journal has become another one.
    """

    def __init__(
        self, upstreams: Upstreams, journal: Journal, hub: Hub, store: Cache, relay: RelaySettings | None = None,
        listeners: Sequence[Listener] = (), on_account_trade: Callable[[float], None] = lambda at: None,
        on_reset: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._upstreams, self._journal, self._hub, self._clock = upstreams, journal, hub, clock
        self._on_account_trade, self._on_reset = on_account_trade, on_reset
        self._components = components = {name: ComponentHealth(name, clock) for name in COMPONENTS}
        self.live = LatestTrades(hub.position, self._source_times, self._backfill_now, store, clock)
        self.feed = JournalTailer(journal, hub.position, components["feed"], self._tail_interval, self._on_new_epoch)
        for listener in (hub.publish, self.live.publish, *listeners):
            self.feed.listen(listener)
        self.workers = open_workers(components["relay"], relay, journal, self.feed.announce, self._take_snapshot)
        self._writer = JournalWriter(journal, self._announce, components["recorder"])
        self._election = LeaderElection(
            journal, self._writer, self.workers.name, self._lead, lambda: self._snapshot.dump(), self._take_snapshot,
            components["lease"],
        )  # fmt: skip
        self._term: LeaderTerm | None = None  # while this worker is the leader
        self._snapshot = BotSnapshot(BotStatus(since=clock()).data)  # from our poller or another worker's
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load the newest trades and start. Raises JournalError, and PrefixInUse: another journal's Redis prefix."""
        await self.workers.join()
        await self._load_window(self._hub.position, self._journal.epoch)
        self._hub.status(self._snapshot.status)
        self._set_leader_components_idle()
        check = JournalCheck(self._journal, self._components["integrity"])
        works = [
            (self.feed.run, "feed"), (check.run, "integrity"), (self._election.run, "lease"),
            *((work, "relay") for work in self.workers.tasks()),
        ]  # fmt: skip
        for work, component in works:
            self._tasks.append(asyncio.create_task(run_forever(work, self._components[component])))

    async def stop(self) -> None:
        """Stop polling, let the write in progress end, and release the lease."""
        await cancel_and_wait(*self._tasks)
        await self.workers.leave()

    def health(self) -> dict[str, dict[str, object]]:
        """Return each component's state, age (seconds since its last success), reason and counters."""
        parts = {name: component.as_json() for name, component in self._components.items()}
        status = loads(self._snapshot.status)
        age = round(max(0.0, self._clock() - self._snapshot.polled), 3) if self._snapshot.polled else None
        parts["bot"] = {"state": "degraded" if is_unhealthy(status) else "ok", "age": age, **status}
        if self._term is not None:
            poller = self._term.poller
            parts["poller"] |= {"skipped": dict(poller.unread.by_reason), "pending": self._term.intake.pending}
            parts["healer"] |= {"open": len(self._term.gaps)}
        return parts

    def bot_positions(self) -> tuple[Mapping[str, Decimal] | None, float]:
        """Return the contracts by ticker that the bot last reported and when (Unix seconds); None for no positions."""
        return None if self.no_account_reason() else self._snapshot.positions, self._snapshot.polled

    def complete_to(self) -> float:
        """Return the Unix seconds up to which the journal has every execution that bot and exchange have reported."""
        times = self._source_times()
        return max(times.polled, times.read_at)

    def no_account_reason(self) -> str:
        """Return why the account at the exchange is not followed now; "" where it is."""
        is_paper = loads(self._snapshot.status)["mode"] == "paper"
        return "a bot in paper mode has no account at the exchange" if is_paper else ""

    def request_backfill(self) -> None:
        if self._term is not None:
            self._term.backfiller.wake()

    async def _lead(self, last_status: str) -> None:
        """Work as the leader until the lease is lost. last_status: what the leader before left in the lease row."""
        last = BotSnapshot.load(last_status)
        for component in LEADER_COMPONENTS:
            self._components[component].start()
        try:
            newest = last if last and last.at > self._snapshot.at else self._snapshot
            # Not polled by our own memory: a journal that went back in time does not hold what was polled since.
            newest = replace(newest, polled=last.polled if last else 0.0)
            marks = await self._until_read(self._marks, "poller")
            self._components["recorder"].start()
            self._term = LeaderTerm(
                self._upstreams, self._writer, self._components, marks, newest, self._publish_snapshot,
                self._on_account_trade,
            )  # fmt: skip
            await self._term.run()
        finally:
            self._term = None
            self._set_leader_components_idle()

    async def _marks(self) -> Mapping[str, str]:
        try:
            return check_marks(await self._journal.marks())
        except JournalDamaged as error:
            self._components["recorder"].fail(str(error))
            raise

    async def _until_read(self, read: Callable[[], Awaitable[T]], component: str) -> T:
        """Return what read returns; retry while the journal is away or damaged."""
        while True:
            try:
                return await read()
            except JournalError as error:
                self._components[component].fail(str(error))
                await asyncio.sleep(1.0)

    def _set_leader_components_idle(self) -> None:
        for component in LEADER_COMPONENTS:
            self._components[component].set_idle("this worker is not the leader")

    async def _load_window(self, position: int, epoch: str) -> None:
        page = await self._journal.history(Query(limit=MAX_TRADES, before=position + 1))
        if epoch == self._journal.epoch:  # else it went back in time again, and the next reading is on its way
            self.live.load(position, page[::-1])

    def _on_new_epoch(self, head: Head) -> None:
        """Reset every reader, and end the leader's term: the next one begins with the marks of the journal."""
        self._writer.lost.set()
        self._snapshot = replace(self._snapshot, polled=0.0, swept=0.0)
        self._hub.reset(head.epoch, head.seq, head.check)
        self._on_reset()
        self.live.restart()
        reading = self._until_read(lambda: self._load_window(head.seq, head.epoch), "feed")
        self._tasks.append(asyncio.create_task(reading))

    def _announce(self, entries: Sequence[Entry]) -> None:
        self.feed.offer(entries)
        self.workers.announce(entries)

    def _publish_snapshot(self, term: LeaderTerm) -> None:
        polled = term.poller.polled_at or self._snapshot.polled
        read_at = term.backfiller.read_at or self._snapshot.swept
        self._use_snapshot(BotSnapshot(term.bot.data, polled, read_at, self._clock(), term.bot.positions))
        self.workers.send_snapshot(self._snapshot.dump())

    def _use_snapshot(self, snapshot: BotSnapshot) -> None:
        before, self._snapshot = loads(self._snapshot.status), snapshot
        status = loads(snapshot.status)
        if status | {"trades": 0} != before | {"trades": 0}:
            self._log_status(status)
            self._hub.status(snapshot.status)
        elif status != before:  # clients need no event for the number of trades alone
            self._hub.remember(snapshot.status)

    def _log_status(self, status: dict[str, Any]) -> None:
        settings = self._upstreams.bot
        if status["status"] == "offline":
            url = URL(settings.status_url).with_user(None).with_query(None)  # without credentials
            log.warning("bot offline: %s: %s; retrying every %g s", url, status["reason"], settings.interval)
            return
        words = status["activity"] or "not named", status["mode"] or "unknown"
        reason = f": {status['reason']}" if status["reason"] else ""
        level = logging.WARNING if is_unhealthy(status) else logging.INFO
        log.log(level, "bot %s, activity %s, mode %s%s", status["status"], *words, reason)

    def _take_snapshot(self, text: str) -> None:
        snapshot = BotSnapshot.load(text)
        if snapshot is not None and self._term is None and snapshot.at > self._snapshot.at:
            self._use_snapshot(snapshot)

    def _tail_interval(self) -> float:
        """Return seconds between looks at the journal's end, which find what quicker ways do not bring."""
        return TAIL_WITH_NEWS if self._term is not None or self.workers.receiving else TAIL_WITHOUT_NEWS

    def _source_times(self) -> SourceTimes:
        settings = self._upstreams.bot
        read_at = max(self._snapshot.swept, self._term.backfiller.read_at if self._term else 0.0)
        return SourceTimes(self._snapshot.polled, read_at, settings.interval, settings.fallback)

    async def _backfill_now(self) -> None:
        """Read the exchange for a request of trades/live, which waits no longer than BACKFILL_WAIT."""
        if self._term is not None:
            with suppress(TimeoutError, LeaseLost):  # then the journal's tail answers, marked stale
                async with asyncio.timeout(BACKFILL_WAIT):
                    await self._term.backfiller.read_once()
