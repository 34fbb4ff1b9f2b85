"""Snapshots of the bot between workers: which one counts, what readers receive, and how a new leader goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from cache.decimal_json import loads
from cache.memory import MemoryCache
from cluster.component_health import ComponentHealth
from cluster.leader import JournalWriter
from ingest.bot_client import PollSettings
from ingest.bot_status import BotSnapshot, BotStatus, BotStatusReading
from ingest.gaps import GAPS_MARK, WINDOW_MARK
from ingest.supervisor import LeaderTerm, Supervisor, Upstreams
from journal.entries import Entry, Head
from journal.sqlite import SqliteJournal
from streams.hub import Hub
from tests.support import drafts
from tests.support.bot import ScriptedBot, serving, trade
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.watching import RecordingHub, worker

NOW = 1_700_000_000.0  # Unix seconds


def snapshot(at: float, mode: Any = "live", trades: int = 0, polled: float = 0.0, **more: Any) -> BotSnapshot:
    """Return the snapshot of a bot that is online, made at `at`."""
    bot = BotStatus(since=NOW)
    bot.note(BotStatusReading(mode=mode, trades=trades), "", trades, NOW)
    return BotSnapshot(bot.data, polled, at=at, **more)


class RecordingWorkers:
    """The other workers: what they are sent is stored, and a test sends for them with on_snapshot."""

    name = "this one"
    receiving = False

    def __init__(self, on_snapshot: Callable[[str], None]) -> None:
        self.on_snapshot = on_snapshot
        self.sent: list[BotSnapshot] = []

    async def join(self) -> None:
        """Nobody else is there."""

    async def leave(self) -> None:
        """Nothing is open."""

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """Return none."""
        return []

    def announce(self, entries: Sequence[Entry]) -> None:
        """Others read the journal."""

    def send_snapshot(self, text: str) -> None:
        """Store it."""
        found = BotSnapshot.load(text)
        assert found is not None
        self.sent.append(found)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[RecordingWorkers]:
    """The workers around each supervisor that is made, in the order in which they were."""
    made: list[RecordingWorkers] = []

    def open_workers(health: object, relay: object, journal: object, on_entries: object, on_snapshot: Any) -> Any:
        made.append(RecordingWorkers(on_snapshot))
        return made[-1]

    monkeypatch.setattr("ingest.supervisor.open_workers", open_workers)
    return made


class Follower:
    """A supervisor that is not started, so that it follows what the others send."""

    def __init__(self, path: Path, workers: list[RecordingWorkers]) -> None:
        self.clock, self.journal, self.hub = Clock(NOW), SqliteJournal(path), RecordingHub(0)
        self.resets = 0
        upstreams = Upstreams(cast(aiohttp.ClientSession, None), PollSettings("http://b/status", "http://b/trades"))
        self.watch = Supervisor(
            upstreams, self.journal, cast(Hub, self.hub), MemoryCache(), on_reset=self.reset, clock=self.clock
        )
        self.workers = workers[-1]

    def reset(self) -> None:
        """Count the resets."""
        self.resets += 1

    def receive(self, one: BotSnapshot) -> None:
        """Receive a snapshot from another worker."""
        self.workers.on_snapshot(one.dump())


@pytest.fixture
async def follower(path: Path, workers: list[RecordingWorkers]) -> AsyncIterator[Follower]:
    """A worker beside others, on a journal of its own."""
    made = Follower(path, workers)
    await made.journal.open()
    yield made
    await made.journal.close()


async def test_the_later_of_two_snapshots_counts(follower: Follower) -> None:
    """A snapshot made earlier or at the same moment changes nothing, and neither does other text."""
    follower.receive(snapshot(100.0))
    follower.receive(snapshot(99.0, "paper"))
    follower.receive(snapshot(100.0, "paper"))
    follower.workers.on_snapshot("[]")
    assert [(each["status"], each["mode"]) for each in follower.hub.status_events] == [("online", "live")]
    follower.receive(snapshot(100.5, "paper"))
    assert follower.hub.status_events[-1]["mode"] == "paper"


async def test_a_number_of_trades_alone_is_no_event(follower: Follower) -> None:
    """A new number of trades is stored for streams that open later; an equal status is neither stored nor sent."""
    follower.receive(snapshot(100.0, trades=1))
    follower.receive(snapshot(101.0, trades=1))
    assert follower.hub.stored_status == {}
    follower.receive(snapshot(102.0, trades=2))
    assert (len(follower.hub.status_events), follower.hub.stored_status["trades"]) == (1, 2)


async def test_times_and_positions_are_those_of_the_snapshot(follower: Follower) -> None:
    """Times are 0 before the first snapshot; the bot's age is that of its last good poll; paper has no positions."""
    watch = follower.watch
    assert (watch.complete_to(), watch.health()["bot"]["age"], watch.bot_positions()) == (0.0, None, (None, 0.0))
    positions = {"A": Decimal(3)}
    follower.receive(snapshot(100.0, polled=NOW - 2, swept=NOW - 1.5, positions=positions))
    assert (watch.complete_to(), watch.health()["bot"]["age"]) == (NOW - 1.5, 2.0)
    assert (watch.bot_positions(), watch.no_account_reason()) == ((positions, NOW - 2), "")
    assert watch.live.polled() == (NOW - 2, False)
    follower.receive(snapshot(101.0, "paper", polled=NOW - 0.25, positions=positions))
    assert (watch.complete_to(), watch.bot_positions()) == (NOW - 0.25, (None, NOW - 0.25))
    assert watch.health()["bot"]["age"] == 0.25
    assert watch.no_account_reason() == "a bot in paper mode has no account at the exchange"


async def test_the_journal_is_read_seldom_where_others_announce(follower: Follower) -> None:
    """The journal is read every 0.1 s, and every two seconds where announcements arrive."""
    assert follower.watch.feed.interval() == 0.1
    follower.workers.receiving = True
    assert follower.watch.feed.interval() == 2.0


async def test_a_follower_does_nothing_for_a_request_to_read_the_exchange(follower: Follower) -> None:
    """The leader reads it."""
    follower.watch.request_backfill()
    await follower.watch.live.read_exchange()
    assert follower.watch.health()["healer"]["state"] == "starting"


async def test_another_journal_resets_readers_and_the_times(follower: Follower) -> None:
    """Times of polls and readings before are not in it; trades/live lists the trades of the new one."""
    follower.receive(snapshot(100.0, polled=NOW, swept=NOW))
    await follower.journal.append([drafts.trade(trade_id=f"t{number}", at=number) for number in range(1, 4)])
    epoch = follower.journal.epoch
    follower.watch.feed.on_new_epoch(Head(epoch, 2))
    assert (follower.hub.resets, follower.resets) == ([(epoch, 2)], 1)
    assert (follower.watch.complete_to(), follower.watch.live.newest(10)) == (0.0, [])
    await eventually(lambda: follower.watch.live.newest(10))
    assert follower.watch.live.position == 2
    assert [loads(body)["trade_id"] for body in follower.watch.live.newest(10)] == ["t2", "t1"]


async def test_a_leader_sends_its_own_snapshot_and_takes_no_other(path: Path, workers: list[RecordingWorkers]) -> None:
    """A leader sends its snapshot with the time of its last good poll, and takes none, however new."""
    async with serving(ScriptedBot()) as bot, worker(path, bot) as (watch, hub, _):
        [others] = workers
        bot.make(trade(1))
        await eventually(lambda: hub.ids == ["t1"])
        await eventually(lambda: others.sent[-1].polled > 0)
        sent, events = others.sent[-1], len(hub.status_events)
        assert loads(sent.status)["status"] == "online"
        assert sent.at >= sent.polled > NOW
        others.on_snapshot(replace(snapshot(sent.at + 1000), polled=5.0).dump())
        assert (watch.complete_to() > NOW, len(hub.status_events)) == (True, events)
        assert watch.feed.interval() == 2.0


class RecordedTerm(LeaderTerm):
    """A term that stores the snapshot from which it goes on."""

    last: list[BotSnapshot]

    def __init__(
        self, upstreams: Upstreams, writer: Any, parts: Any, marks: Any, last: BotSnapshot, *more: Any
    ) -> None:
        super().__init__(upstreams, writer, parts, marks, last, *more)
        self.last.append(last)


@pytest.mark.parametrize(
    ("at", "since", "polled"), [(200.0, 1.5, 150.0), (100.0, NOW, 150.0), (50.0, NOW, 150.0), (None, NOW, 0.0)]
)
async def test_a_new_leader_goes_on_from_the_newer_status(
    path: Path, workers: list[RecordingWorkers], monkeypatch: pytest.MonkeyPatch, at: float | None, since: float,
    polled: float,
) -> None:  # fmt: skip
    """Of the one in the lease and the one it has received last. The last good poll is that of the lease.

    A journal that went back in time does not hold what was polled since.
    """
    last: list[BotSnapshot] = []
    monkeypatch.setattr(RecordedTerm, "last", last, raising=False)
    monkeypatch.setattr("ingest.supervisor.LeaderTerm", RecordedTerm)
    other = SqliteJournal(path)
    await other.open()
    lease = await other.acquire("another", 600.0)
    assert lease is not None
    bot = ScriptedBot()
    bot.url = "http://127.0.0.1:9"  # nobody answers there
    async with worker(path, bot, interval=60.0) as (watch, hub, _):
        workers[0].on_snapshot(snapshot(100.0, polled=120.0).dump())
        assert hub.status_events[-1]["since"] == NOW
        if at is not None:
            row = BotSnapshot(BotStatus(since=1.5, status="online", mode="live").data, polled=polled, at=at)
            await other.renew(lease, 600.0, row.dump())
        await other.release(lease)
        await eventually(lambda: last)
        assert (loads(last[0].status)["since"], last[0].polled) == (since, polled)
        await eventually(lambda: workers[0].sent)
        assert loads(workers[0].sent[0].status)["since"] == since
        assert watch.health()["lease"]["terms"] == 1
    await other.close()


class Woken:
    """In place of a Backfiller: counts how often it is woken."""

    read_at = 0.0

    def __init__(self, *arguments: object) -> None:
        self.count = 0

    def wake(self) -> None:
        """Count."""
        self.count += 1

    async def run(self) -> None:
        """Read nothing."""


def term_of(session: aiohttp.ClientSession, bot: ScriptedBot, path: Path, marks: dict[str, str]) -> LeaderTerm:
    """Return the term of a leader that has just begun."""
    names = ("poller", "healer", "push", "recorder")
    writer = JournalWriter(SqliteJournal(path), lambda entries: None, ComponentHealth("recorder"))
    polling = PollSettings(f"{bot.url}/status", f"{bot.url}/trades", timeout=2.0)
    last = BotSnapshot(BotStatus(since=0.0).data)
    components = {name: ComponentHealth(name) for name in names}
    return LeaderTerm(Upstreams(session, polling), writer, components, marks, last, lambda term: None)


async def test_a_change_of_the_bot_and_a_new_gap_wake_the_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll that shows neither does not."""
    monkeypatch.setattr("ingest.supervisor.Backfiller", Woken)

    async def written(*arguments: object) -> None:
        """Write nothing."""

    monkeypatch.setattr(JournalWriter, "record", written)
    async with serving(ScriptedBot(window=2)) as bot, aiohttp.ClientSession() as session:
        term = term_of(session, bot, path, {})
        woken: Any = term.backfiller
        bot.make(trade(1), trade(2))
        counts = []
        for made in ((), (), range(3, 9), ()):
            bot.make(*map(trade, made))
            await term.poller.poll_once()
            counts.append(woken.count)
        assert counts == [1, 1, 2, 2]
        assert len(term.gaps) == 1


@pytest.mark.parametrize("marked", [False, True])
async def test_a_term_begins_where_the_marks_end(path: Path, marked: bool) -> None:
    """A bot whose window is marked has been seen, and the open gaps are those of the last term."""
    window = '{"version":2,"at":5.0,"boot":null,"seq":null,"count":null,"seen":[]}'
    marks = {WINDOW_MARK: window, GAPS_MARK: '[[1,2,"why"]]'} if marked else {}
    async with aiohttp.ClientSession() as session:
        term = term_of(session, ScriptedBot(), path, marks)
    assert (term.bot.seen, len(term.gaps), term.intake.window.run.at) == (marked, int(marked), 5.0 if marked else None)


async def test_a_caller_waits_for_a_poll_as_long_as_one_can_last(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is limited to two answers of two seconds each and one second more."""
    limits: list[float] = []

    async def waited(event: object, seconds: float) -> None:
        limits.append(seconds)

    monkeypatch.setattr("ingest.supervisor.wait_for", waited)
    async with aiohttp.ClientSession() as session:
        await term_of(session, ScriptedBot(), path, {}).poll_bot()
    assert limits == [5.0]
