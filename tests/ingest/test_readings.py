"""Readings of the exchange by a clock moved by hand: pauses between them, what is saved, and what is counted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait
from ingest.backfill import Backfiller
from ingest.bot_client import PollSettings
from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution
from ingest.gaps import GapSpan, OpenGaps
from journal.entries import Draft
from journal.errors import JournalUnavailable
from kalshi.errors import Unreachable
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.exchange import ScriptedExchange, as_client, fill


class Readings:
    """A backfiller of a journal that began at 900, beside a bot that answers. Its writer only keeps the drafts."""

    def __init__(self) -> None:
        self.clock, self.exchange = Clock(1000.0), ScriptedExchange(complete=1000.0)
        self.bot, self.gaps = BotStatus(since=0.0), OpenGaps()
        self.bot.note(BotStatusReading(), "", 0, 0.0)
        self.written: list[tuple[list[Draft], Mapping[str, str]]] = []
        self.refuses = False
        self.attribution = Attribution(self.bot, self.gaps, 3.0)
        self.attribution.complete_to = 5000.0
        writer: Any = SimpleNamespace(record=self.record)
        marks = {"begun": "900", "fills": "900", "settlements": "900"}
        self.backfiller = Backfiller(
            as_client(self.exchange), self.attribution, writer, self.poll, PollSettings("", ""),
            ComponentHealth("healer", self.clock), marks,
        )  # fmt: skip

    async def poll(self) -> None:
        """Poll the bot."""

    async def record(self, drafts: Sequence[Draft], marks: Callable[[], Mapping[str, str]] = dict) -> None:
        """Write, unless the journal is away."""
        if self.refuses:
            raise JournalUnavailable("away")
        self.written.append((list(drafts), marks()))


async def test_a_reading_is_counted_and_timed() -> None:
    """Its fills and the gaps that it fills; the next one goes on at its watermark."""
    one = Readings()
    one.exchange.fills_made += [fill(1, 950.0), fill(2, 960.0)]
    one.gaps.add(GapSpan(Decimal(940), Decimal(970), "test"))
    for _ in range(2):
        await one.backfiller.read_once()
        assert (one.backfiller.read_at, one.backfiller.health.state) == (one.clock.now, "ok")
        one.clock.now += 5
    assert one.backfiller.health.counters == {"sweeps": 2, "healed": 1, "fills": 2}
    [(drafts, marks)] = one.written
    assert [draft.timestamp for draft in drafts] == [950, 960]
    assert (marks["fills"], marks["holes"]) == ("1000.0", "[]")
    assert one.exchange.asked == [900.0, 985.0]
    assert len(one.gaps) == 0


async def test_a_watermark_is_saved_once_a_minute_where_nothing_comes() -> None:
    """At the first reading, and when it has moved by more than sixty seconds."""
    one = Readings()
    for now, saved in ((1000.0, 1), (1060.0, 1), (1060.5, 2)):
        one.clock.now = one.exchange.complete = now
        await one.backfiller.read_once()
        assert len(one.written) == saved
    assert [marks["fills"] for _, marks in one.written] == ["1000.0", "1060.5"]


async def test_a_journal_that_refuses_is_tried_before_the_exchange() -> None:
    """Until it takes the watermark nothing is read for nothing; then what was read is read again and written."""
    one = Readings()
    one.exchange.fills_made.append(fill(1, 950.0))
    one.refuses = True
    await one.backfiller.read_once()
    await one.backfiller.read_once()
    assert (len(one.exchange.asked), one.backfiller.health.reason) == (1, "away")
    one.refuses = False
    await one.backfiller.read_once()
    assert [len(drafts) for drafts, _ in one.written] == [0, 1]
    await one.backfiller.read_once()
    assert len(one.written) == 2
    assert len(one.exchange.asked) == 3


async def test_pauses_between_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 seconds, 10 while the bot is offline; shorter and doubled after failures and while a gap stays open."""
    one = Readings()
    pauses: list[float] = []

    def offline() -> None:
        one.bot.note(None, "gone", 0, 0.0)
        one.bot.note(None, "gone", 0, 0.0)

    def opened() -> None:
        one.exchange.wrong = None
        one.gaps.add(GapSpan(Decimal(950), Decimal("1000.5"), "open"))

    steps: list[Callable[[], object]] = [
        lambda: setattr(one.exchange, "wrong", Unreachable("no answer")),
        lambda: None,
        opened,
        lambda: None,
        lambda: None,
        lambda: None,
        lambda: one.gaps.remove(list(one.gaps)),
        offline,
    ]

    async def waited(event: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        if not steps:
            raise asyncio.CancelledError
        steps.pop(0)()

    async def settled(seconds: float) -> None:
        assert seconds == 0.1

    monkeypatch.setattr("ingest.backfill.wait_for", waited)
    monkeypatch.setattr("asyncio.sleep", settled)
    with pytest.raises(asyncio.CancelledError):
        await one.backfiller.run()
    assert pauses == [30.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 10.0]


async def test_a_fill_that_waits_shortens_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the bot can have reported it: two polls after the execution."""
    one = Readings()
    one.attribution.complete_to = 0.0
    one.exchange.fills_made.append(fill(1, 998.0))
    pauses: list[float] = []

    async def waited(event: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr("ingest.backfill.wait_for", waited)
    with pytest.raises(asyncio.CancelledError):
        await one.backfiller.run()
    assert pauses == [4.0]


async def test_a_wake_up_ends_the_pause() -> None:
    """The exchange is read again at once, without the thirty seconds between two readings."""
    one = Readings()
    task = asyncio.create_task(one.backfiller.run())
    await eventually(lambda: len(one.exchange.asked) == 1)
    one.backfiller.wake()
    await eventually(lambda: len(one.exchange.asked) == 2, within=20)
    await cancel_and_wait(task)
