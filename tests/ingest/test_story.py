"""Random histories of bot, exchange, journal and restarts: no trade is lost without a gap or announced twice."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cache.decimal_json import loads
from cluster.component_health import ComponentHealth
from cluster.leader import JournalWriter
from ingest import trade_intake
from ingest.backfill import Backfiller
from ingest.bot_client import PollSettings
from ingest.bot_payload import BotReport, read_trades
from ingest.bot_status import BotStatus, read_status
from ingest.exchange_fills import Attribution
from ingest.gaps import OpenGaps, PollOverlap
from ingest.trade_intake import TradeIntake
from journal.entries import Entry
from journal.errors import JournalError
from journal.sqlite import SqliteJournal
from tests.support.bot import trade, wire
from tests.support.exchange import ScriptedExchange, as_client, fill

T = TypeVar("T")
WINDOW = 5
MOST = 2  # trades that may wait for the journal


class Story(RuleBasedStateMachine):
    """One worker without its timers: each rule is something that happens, `poll` and `heal` are our own turns."""

    @initialize(numbered=st.booleans(), keys=st.booleans())
    def begin(self, numbered: bool, keys: bool) -> None:
        """A journal, an exchange that is complete up to now, a bot that has just started."""
        self.loop = asyncio.new_event_loop()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(trade_intake, "MAX_PENDING", MOST)
        self.folder = Path(tempfile.mkdtemp())
        self.now = 1_700_000_000.0
        self.numbered, self.keys = numbered, keys
        self.window: list[dict[str, Any]] = []
        self.made: dict[int, float] = {}  # number of each execution, and when
        self.life, self.count, self.up = 1, 0, True
        self.exchange = ScriptedExchange(self.now)
        self.told: list[Entry] = []
        self.unknowable: set[int] = set()
        self.shown_empty, self.polled = True, self.now  # what the last good poll saw, and when
        self.kept = (True, self.now)  # the same of the last poll that the journal knows
        self.restarted = self.now  # the bot
        self.journal: SqliteJournal | None = None
        self.start()

    def run(self, work: Awaitable[T]) -> T:
        """To its end."""

        async def bounded() -> T:
            async with asyncio.timeout(20):
                return await work

        return self.loop.run_until_complete(bounded())

    def start(self) -> None:
        """Start a worker from the journal's marks."""
        self.journal = SqliteJournal(self.folder / "journal.db", clock=lambda: self.now)
        self.run(self.journal.open())
        marks = self.run(self.journal.marks())
        self.recorder = JournalWriter(self.journal, self.told.extend, ComponentHealth("recorder"))
        self.recorder.lease = self.run(self.journal.acquire("worker", 1e6))
        self.bot = BotStatus(since=self.now)
        self.bot.seen = bool(marks.get("bot"))
        self.gaps = OpenGaps(marks.get("holes", ""))
        origins = Attribution(self.bot, self.gaps, 3.0)
        window = PollOverlap(marks.get("bot", ""), full=WINDOW)
        self.intake = TradeIntake(window, origins, self.recorder, lambda: self.now)
        self.healer = Backfiller(
            as_client(self.exchange) if self.keys else None, origins, self.recorder, self.fresh, PollSettings("", ""),
            ComponentHealth("healer", lambda: self.now), marks,
        )  # fmt: skip
        self.poll()
        self.heal()

    async def fresh(self) -> None:
        """Every rule that heals has polled before."""

    @rule(count=st.sampled_from([1, 3, 2 * WINDOW]))
    def trade(self, count: int) -> None:
        """Executions, a few or more than the window holds; ids are used again after a restart of the bot."""
        for _ in range(count):
            self.now += 0.25
            number = len(self.made) + 1
            self.made[number] = self.now
            self.count += 1
            more = {"boot_id": f"life{self.life}", "seq": self.count} if self.numbered else {}
            # The price tells the truth of which execution it is, whatever the ids say.
            record = trade(number, timestamp=self.now, trade_id=f"id{self.count}", price=number / 10_000, **more)
            self.window = [*self.window, record][-WINDOW:]
            price = Decimal(number) / 10_000
            self.exchange.fills_made.append(fill(number, self.now, yes_price=price))

    @rule()
    def restart_the_bot(self) -> None:
        """Its memory is gone, its ids and numbers begin again.

        A bot that says neither boot_id nor seq, shows an empty window before and after, and trades in between,
        cannot be found out without keys: those executions are left out of the account.
        """
        self.now += 1
        if not self.numbered and self.shown_empty:
            self.unknowable |= {number for number, at in self.made.items() if at > self.polled}
        self.life, self.count, self.window, self.restarted = self.life + 1, 0, [], self.now

    @rule()
    def switch_the_bot(self) -> None:
        """Down, or up again; it trades on all the same, as one behind a broken network does."""
        self.up = not self.up

    @rule()
    def switch_the_journal(self) -> None:
        """Its file is moved away, and more is traded than can wait for it; or back."""
        here, away = self.folder / "journal.db", self.folder / "away.db"
        if here.exists():
            here.rename(away)
            self.trade(MOST + 1)
            self.poll()
        else:
            away.rename(here)

    @rule(turned=st.booleans())
    def poll(self, turned: bool = False) -> None:
        """Our turn; in any order of records."""
        self.now += 3
        if not self.up:
            self.bot.note(None, "no connection", 0, self.now)
            return
        status = {"boot_id": f"life{self.life}", "seq": self.count} if self.numbered else {}
        reading = read_status(wire(status))
        self.shown_empty, self.polled = not self.window, self.now
        report: BotReport = read_trades(wire(self.window[::-1] if turned else self.window), self.now)
        self.intake.take(report, reading, self.now, "live")
        self.bot.note(reading, "", len(report.trades), self.now)
        try:
            self.run(self.intake.flush())
            self.kept = self.shown_empty, self.polled
        except JournalError:
            assert self.intake.pending <= MOST

    @rule(lag=st.sampled_from([0.0, 30.0]))
    def heal(self, lag: float = 0.0) -> None:
        """Our turn; the exchange's reads may lag."""
        self.exchange.complete = max(self.exchange.complete, self.now - lag)
        self.run(self.healer.read_once())

    @rule()
    def restart_us(self) -> None:
        """kill -9 between two turns: nothing but the journal is left, which is back if it was away.

        What only we had read is lost with us when the bot forgets it too; where it shows an empty window before and
        after, that cannot be found out without keys.
        """
        assert self.journal is not None
        self.run(self.journal.close())
        if not (self.folder / "journal.db").exists():
            self.switch_the_journal()
        self.shown_empty, self.polled = self.kept
        if not self.numbered and self.shown_empty and self.restarted > self.polled:
            self.unknowable |= {number for number, at in self.made.items() if at > self.polled}
        self.now += 5
        self.start()

    @invariant()
    def none_is_told_twice(self) -> None:
        """And seqs have no gap."""
        assert [entry.seq for entry in self.told] == list(range(1, len(self.told) + 1))
        numbers = self.numbers()
        assert len(numbers) == len(set(numbers)), sorted(numbers)

    def teardown(self) -> None:
        """After recovery each execution was published or lies in a gap."""
        if not hasattr(self, "loop"):
            return
        self.up = True
        if not (self.folder / "journal.db").exists():
            self.switch_the_journal()
        for _ in range(3):
            self.poll()
            self.now += 60
            self.heal()
        gaps = [loads(entry.body) for entry in self.told if entry.kind == "gap"]
        output = set(self.numbers()) | (self.unknowable if not self.keys else set())
        lost = {number: at for number, at in self.made.items() if number not in output}
        silent = [at for at in lost.values() if not any(gap["from"] - 1 <= at <= gap["to"] + 1 for gap in gaps)]
        assert self.journal is not None
        self.run(self.journal.close())
        self.loop.close()
        self.patch.undo()
        shutil.rmtree(self.folder)
        assert not silent, f"lost without a word: {silent}"
        assert not (self.keys and lost), "with keys everything is healed"
        assert len(self.gaps) == 0

    def numbers(self) -> list[int]:
        """Return the published executions, by the price that names them."""
        return [int(loads(entry.body)["price"] * 10_000) for entry in self.told if entry.kind == "trade"]


Story.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestStory = Story.TestCase
