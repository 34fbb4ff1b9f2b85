"""Pushed fills by a clock moved by hand: when each is looked at, who made it, and what a failure leaves."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.component_health import ComponentHealth
from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution
from ingest.fill_listener import FillListener
from ingest.gaps import OpenGaps
from journal.entries import Trade
from journal.errors import JournalUnavailable, LeaseLost
from kalshi.fill_socket import Connected, Disconnected, Event, MarketPaid
from tests.support.clock import Clock
from tests.support.drafts import trade
from tests.support.exchange import fill


class Finished(Exception):
    """Every step of a test is made."""


class PushedFills:
    """A listener beside a bot that was polled up to 1000; its writer only keeps the trades.

    A step is an event that the exchange pushes, seconds that pass, or an error that the journal raises from then on.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, seen: bool = True) -> None:
        self.clock, self.bot = Clock(1000.0), BotStatus(since=0.0)
        if seen:
            self.bot.note(BotStatusReading(), "", 0, 0.0)
        self.attribution = Attribution(self.bot, OpenGaps(), 3.0)
        self.attribution.complete_to = 1000.0
        self.written: list[tuple[str, str, str]] = []  # id, origin and mode
        self.pauses: list[float | None] = []
        self.announced: list[float] = []  # times of account trades
        self.polls = self.readings = 0
        self.error: Exception | None = None
        self._pushed: asyncio.Queue[Event] = asyncio.Queue()
        self._steps: list[Any] = []
        monkeypatch.setattr("ingest.fill_listener.wait_for", self._wait)
        monkeypatch.setattr("ingest.fill_listener.time", SimpleNamespace(monotonic=self.clock))
        parts: Any = SimpleNamespace(events=self._events, wake=self._poll, record=self._record)
        self.listener = FillListener(
            parts, self.attribution, parts, parts, self._read, self.announced.append,
            ComponentHealth("push", self.clock), "demo",
        )  # fmt: skip

    async def run(self, *steps: Any) -> None:
        """Make the steps, one for each time that the listener waits. Raises what ends it."""
        self._steps = list(steps)
        await self.listener.run()

    async def _wait(self, event: asyncio.Event, seconds: float | None) -> None:
        self.pauses.append(seconds)
        if not self._steps:
            raise Finished
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            self.error = step
        elif callable(step):
            step()
        elif isinstance(step, int | float):
            self.clock.now += step
        else:
            self._pushed.put_nowait(step)
            await asyncio.wait_for(event.wait(), 10)

    async def _events(self) -> AsyncGenerator[Event, None]:
        while True:
            yield await self._pushed.get()

    def _poll(self) -> None:
        self.polls += 1

    def _read(self) -> None:
        self.readings += 1

    async def _record(self, drafts: Sequence[Trade]) -> None:
        if self.error is not None:
            raise self.error
        self.written += [(draft.trade_id, draft.origin, draft.mode) for draft in drafts]


async def finished(listening: PushedFills, *steps: Any) -> None:
    """Make the steps and end the listener."""
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(listening.run(*steps), 10)
    assert caught.value.subgroup(Finished)


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> PushedFills:
    """A listener beside a bot that answers, in live mode."""
    return PushedFills(monkeypatch)


async def test_a_fill_of_a_known_order_is_written_at_once(pushed: PushedFills) -> None:
    """The bot has reported its order before: no poll is made, and nothing waits."""
    pushed.attribution.add_reported([trade(order_id="o1")])
    await finished(pushed, fill(1, 999.0))
    assert pushed.written == [("f1", "bot", "live")]
    assert (pushed.pauses, pushed.polls, pushed.announced) == ([None, None], 0, [999.0])


async def test_a_fill_that_waits_is_looked_at_again(pushed: PushedFills) -> None:
    """The fill is judged after 0.25, 0.5 and 0.8 s, with a poll each time; then it is the account's."""
    await finished(pushed, fill(1, 999.0), 0.25, 0.25, 0.3)
    assert pushed.pauses == [None, 0.25, 0.25, pytest.approx(0.3), None]
    assert (pushed.written, pushed.polls) == ([("f1", "account", "live")], 3)


async def test_the_second_look_comes_after_twice_the_time(pushed: PushedFills) -> None:
    """A look that was late, at 0.35 s, is followed by one 0.35 s later."""
    await finished(pushed, fill(1, 999.0), 0.35)
    assert pushed.pauses == [None, 0.25, pytest.approx(0.35)]


async def test_the_bots_report_ends_the_wait(pushed: PushedFills) -> None:
    """The next look finds the order among those that the bot has reported."""
    await finished(pushed, fill(1, 999.0), lambda: pushed.attribution.add_reported([trade(order_id="o1")]))
    assert pushed.written == [("f1", "bot", "live")]


async def test_the_fill_that_is_due_first_sets_the_pause(pushed: PushedFills) -> None:
    """A second fill half a second after the first: the pauses are those of whichever is due first."""
    await finished(pushed, fill(1, 999.0), 0.5, fill(2, 999.5), 0.3)
    assert pushed.pauses == [None, 0.25, pytest.approx(0.3), 0.25, pytest.approx(0.3)]
    assert (pushed.written, pushed.announced) == ([("f1", "account", "live")], [999.0, 999.5])


@pytest.mark.parametrize("mode", ["paper", "live"])
async def test_a_fill_before_the_bots_first_answer_waits_for_its_mode(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """On paper it is left out; else it is written in the bot's mode."""
    pushed = PushedFills(monkeypatch, seen=False)

    def answers() -> None:
        pushed.bot.note(BotStatusReading(mode=mode), "", 0, 0.0)  # type: ignore[arg-type]
        pushed.attribution.complete_to = 1100.0

    await finished(pushed, fill(1, 999.0), answers)
    assert pushed.written == ([("f1", "account", "live")] if mode == "live" else [])


async def test_a_fill_beside_a_bot_that_never_answers_waits_a_quarter_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a quarter of a second the fill is the account's, in the exchange's mode."""
    pushed = PushedFills(monkeypatch, seen=False)
    await finished(pushed, fill(1, 999.0), 0.24, 0.01)
    assert pushed.pauses == [None, 0.25, pytest.approx(0.01), None]
    assert pushed.written == [("f1", "account", "demo")]


async def test_events_of_the_socket_are_counted_and_wake_the_reading(pushed: PushedFills) -> None:
    """A connection and a payout cause a reading; a lost connection is the reason in health; fills are counted."""
    pushed.attribution.add_reported([trade(order_id="o1")])
    health, states = pushed.listener.health, list[tuple[str, str]]()

    def note() -> None:
        states.append((health.state, health.reason))

    async def events() -> AsyncGenerator[Event, None]:
        for event in (Connected(), Disconnected("closed"), MarketPaid("A"), fill(1, 999.0)):
            yield event
            note()
        await asyncio.Event().wait()

    pushed.listener.source = SimpleNamespace(events=events)  # type: ignore[assignment]
    await finished(pushed, lambda: None)
    await asyncio.sleep(0)
    assert states == [("ok", ""), ("degraded", "closed"), ("degraded", "closed"), ("degraded", "closed")]
    assert (pushed.readings, pushed.polls) == (2, 0)
    assert health.counters == {"failures": 1, "payouts": 1, "fills": 1}


async def test_fills_of_a_bot_on_paper_are_ignored(pushed: PushedFills) -> None:
    """Fills of a bot on paper are counted, and no trade of the account is announced."""
    pushed.bot.note(BotStatusReading(mode="paper"), "", 0, 0.0)

    async def events() -> AsyncGenerator[Event, None]:
        yield fill(1, 999.0)
        await asyncio.Event().wait()

    pushed.listener.source = SimpleNamespace(events=events)  # type: ignore[assignment]
    await finished(pushed, 1.0)
    assert (pushed.written, pushed.announced, pushed.listener.health.counters) == ([], [], {"ignored": 1})


async def test_fills_that_the_journal_refuses_are_left_to_the_next_reading(pushed: PushedFills) -> None:
    """Fills that the journal refuses are counted and wake the next reading; the next fill is tried again."""
    pushed.attribution.add_reported([trade(order_id="o1"), trade(order_id="o2")])
    failed = JournalUnavailable("the disk is full")
    await finished(pushed, failed, fill(1, 999.0), lambda: setattr(pushed, "error", None), fill(2, 999.5))
    assert pushed.written == [("f2", "bot", "live")]
    assert (pushed.listener.health.counters["left"], pushed.readings) == (1, 1)


async def test_a_lost_lease_ends_the_listener(pushed: PushedFills) -> None:
    """A lost lease ends the listener, since another worker is the leader."""
    pushed.attribution.add_reported([trade(order_id="o1")])
    with pytest.raises(ExceptionGroup) as caught:
        await pushed.run(LeaseLost("another holder"), fill(1, 999.0), 1.0)
    assert caught.value.subgroup(LeaseLost)
    assert (pushed.readings, pushed.written) == (0, [])
