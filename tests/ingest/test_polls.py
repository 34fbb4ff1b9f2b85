"""Single polls of a scripted client: callbacks, gaps, health, long polls, and the times between two polls."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.component_health import ComponentHealth
from ingest.bot_client import PollResult
from ingest.bot_payload import BotReport, BotResponseError, read_trades
from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution
from ingest.gaps import OpenGaps, PollOverlap
from ingest.poller import Poller
from ingest.trade_intake import TradeIntake
from journal.entries import Trade
from journal.errors import JournalUnavailable, LeaseLost
from tests.support.bot import trade, wire
from tests.support.clock import Clock

BEGIN = 1_700_001_000.0  # Unix seconds of the first poll
OK = BotStatusReading(mode="live")


def window(*numbers: int, unread: int = 0, **changes: Any) -> BotReport:
    """Return a bot's window of these trades, and of records without a ticker."""
    records = [trade(number, **changes) for number in numbers]
    return read_trades(wire(records + [trade(1000 + number, ticker=None) for number in range(unread)]), BEGIN)


def numbered(numbers: Iterable[int], boot: str | None = "b1") -> BotReport:
    """Return a window of trades with the bot's own numbers."""
    return read_trades(wire([trade(number, seq=number, boot_id=boot) for number in numbers]), BEGIN)


class Polls:
    """A poller whose client gives the results of a test, a poll every three seconds. The journal only keeps trades."""

    def __init__(self) -> None:
        self.clock, self.monotonic, self.bot, self.gaps = Clock(BEGIN), Clock(0.0), BotStatus(since=0.0), OpenGaps()
        self.calls: list[bool] = []  # arguments of on_poll
        self.written: list[str] = []
        self.commits: list[int] = []  # trades in each
        self.error: Exception | None = None  # of the journal
        self.pages: list[BotReport | Exception] = []  # answers to requests for trades after a number
        self.asked: list[tuple[int, float]] = []  # those requests: number and seconds to wait
        self.result = PollResult(BEGIN)
        writer: Any = SimpleNamespace(record=self._record)
        self.attribution = Attribution(self.bot, self.gaps, 3.0)
        self.intake = TradeIntake(PollOverlap(), self.attribution, writer, self.clock)
        client: Any = SimpleNamespace(poll=self._poll, after=self._after)
        self.poller = Poller(client, self.intake, self.calls.append, ComponentHealth("poller", self.clock), 3.0)

    async def poll(self, reading: BotStatusReading | None = OK, report: BotReport | None = None, **more: Any) -> None:
        """Make one poll with this result, three seconds after the last one."""
        self.clock.now += 3
        self.result = PollResult(self.clock.now, reading, report, **more)
        await self.poller.poll_once()

    async def _poll(self) -> PollResult:
        return self.result

    async def _after(self, seq: int, wait: float) -> BotReport:
        self.asked.append((seq, wait))
        if not self.pages:
            raise asyncio.CancelledError
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    async def _record(self, drafts: Sequence[Trade], marks: Callable[[], Mapping[str, str]]) -> None:
        if self.error is not None:
            raise self.error
        marks()
        self.commits.append(len(drafts))
        self.written += [draft.trade_id for draft in drafts]


async def test_a_change_of_status_does_not_wait_for_the_journal() -> None:
    """The status is announced while the journal is away; the last good poll is that whose trades were written."""
    one = Polls()
    one.error = JournalUnavailable("away")
    await one.poll(report=window(1))
    assert (one.calls, one.poller.polled_at, one.poller.health.counters["unkept"]) == ([True, False], 0.0, 1)
    one.error = None
    await one.poll(report=window(1))
    assert (one.calls[2:], one.poller.polled_at, one.written) == ([False], BEGIN + 6, ["t1"])
    await one.poll(None, window(1, 2), trouble="status: HTTP 500")
    assert (one.poller.polled_at, one.written) == (BEGIN + 6, ["t1", "t2"])


async def test_a_lost_lease_ends_a_poll_and_those_who_wait_for_it() -> None:
    """The error is raised; a caller that waits for the next poll to be over goes on."""
    one = Polls()
    one.error = LeaseLost("another holder")
    over = one.poller.wake()
    with pytest.raises(LeaseLost):
        await one.poll(report=window(1))
    assert (over.is_set(), one.calls, one.poller.health.counters["unkept"]) == (True, [True], 0)
    assert one.poller.wake() is not over


@pytest.mark.parametrize(("known", "mode"), [(None, "live"), ("paper", "paper")])
async def test_a_bot_without_a_status_url_is_live_unless_it_named_its_mode(known: Any, mode: str) -> None:
    """404 on both URLs says that no mode will be named; a mode that is known holds for the bot's life."""
    one = Polls()
    one.bot.mode = known
    await one.poll(None, window(1), has_no_status=True)
    assert (one.bot.mode, one.written) == (mode, ["t1"])


async def test_the_known_mode_is_that_of_trades_beside_an_unreadable_status() -> None:
    """A mode that only trades name is used; until the bot has named one its trades wait."""
    one = Polls()
    await one.poll(None, window(1), trouble="status: HTTP 500")
    assert (one.written, one.intake.pending) == ([], 1)
    await one.poll(report=window(1))
    await one.poll(None, window(1, 2), trouble="status: HTTP 500")
    assert (one.written, one.intake.pending) == (["t1", "t2"], 0)


async def test_unread_records_are_a_gap_since_the_window_before() -> None:
    """A record that cannot be read makes a gap since the poll before; health names the reason while it is seen."""
    one = Polls()
    await one.poll(report=window(1, unread=1))
    await one.poll(report=window(1, unread=1))
    assert one.poller.health.reason == "records of the bot cannot be read: ticker: missing"
    await one.poll(report=window(1, 2))
    assert one.poller.health.state == "ok"
    await one.poll(report=window(1, 2, unread=2))
    assert [(float(gap.start), float(gap.end), gap.why) for gap in one.gaps] == [
        (BEGIN + 3, BEGIN + 3, "1 record of the bot could not be read: ticker: missing"),
        (BEGIN + 9, BEGIN + 12, "2 records of the bot could not be read: ticker: missing"),
    ]
    assert one.poller.unread.by_reason == {"ticker: missing": 3}


async def test_a_run_of_answers_that_are_too_large_is_one_gap() -> None:
    """The gap begins at the last window that was read; another run of such answers is another gap."""
    one = Polls()
    await one.poll(report=window(1))
    for _ in range(2):
        await one.poll(trouble="trades: larger than 1000 kB", too_large=True)
    await one.poll(report=window(1, 2))
    await one.poll(trouble="trades: larger than 1000 kB", too_large=True)
    why = "the bot's answer was too large to be read"
    assert [(float(gap.start), float(gap.end), gap.why) for gap in one.gaps] == [
        (BEGIN + 3, BEGIN + 6, why), (BEGIN + 12, BEGIN + 15, why),
    ]  # fmt: skip
    assert one.poller.health.reason == "trades: larger than 1000 kB"


async def test_two_bots_at_one_url_are_the_reason_in_health() -> None:
    """Windows of two lives of the bot alternate."""
    one = Polls()
    for boot in ("b1", "b2", "b1"):
        await one.poll(BotStatusReading(mode="live", boot_id=boot), numbered([1, 2], boot))
    assert one.poller.health.reason.startswith("two bots answer in turn at BOT_TRADES_ENDPOINT")
    assert one.poller.health.counters == {"polls": 3, "failures": 1}


async def test_a_status_without_a_count_has_the_number_of_trades_in_the_window() -> None:
    """The status's own count wins where there is one."""
    one = Polls()
    await one.poll(report=window(1, 2, 3))
    assert one.bot.trades == 3
    await one.poll(BotStatusReading(mode="live", trades=0), window(1, 2, 3))
    assert one.bot.trades == 0


async def test_the_prefix_of_the_bots_orders_is_that_of_its_last_status() -> None:
    """A poll that fails changes nothing."""
    one = Polls()
    await one.poll(BotStatusReading(mode="live", order_prefix="a-"), window(1))
    await one.poll(None, window(1), trouble="status: HTTP 500")
    assert one.attribution.prefix == "a-"
    await one.poll(OK, window(1))
    assert one.attribution.prefix is None


@pytest.mark.parametrize(
    ("pages", "asked", "written", "gaps"),
    [
        ([numbered([3, 4]), numbered([5, 6])], [2, 4], 8, 0),
        ([numbered([3, 4]), numbered([])], [2, 4], 6, 1),
        ([BotResponseError("HTTP 500")], [2], 4, 1),
        ([numbered([number]) for number in range(3, 30)], list(range(2, 22)), 24, 1),
    ],
    ids=["two pages", "an empty page", "an error", "more pages than are requested"],
)
async def test_missing_numbers_are_requested_page_by_page(
    pages: list[BotReport | Exception], asked: list[int], written: int, gaps: int
) -> None:
    """Each request names the last number before those that are missing; twenty are made at most."""
    one = Polls()
    reading = BotStatusReading(mode="live", boot_id="b1", seq=2)
    await one.poll(reading, numbered([1, 2]))
    top = 100 if len(pages) > 2 else 7
    one.pages = list(pages)
    await one.poll(reading, numbered([top, top + 1]))
    assert one.asked == [(seq, 0) for seq in asked]
    assert (len(one.written), len(one.gaps)) == (written, gaps)


async def long_polled(one: Polls) -> None:
    """Long-poll until the client is asked once too often, or the bot does not offer it."""
    task = asyncio.create_task(one.poller.long_poll())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def test_a_long_poll_goes_on_while_it_brings_trades() -> None:
    """Each request names the last number and may be held for twenty seconds; the trades are written and counted."""
    one = Polls()
    await one.poll(BotStatusReading(mode="live", boot_id="b1", seq=2), numbered([1, 2]))
    one.pages = [numbered([3]), numbered([4, 5])]
    await long_polled(one)
    assert one.asked == [(2, 20.0), (3, 20.0), (5, 20.0)]
    assert (one.written, one.poller.health.counters["heard"]) == (["t1", "t2", "t3", "t4", "t5"], 3)


@pytest.mark.parametrize("reading", [OK, BotStatusReading(mode="live", boot_id="b1"), BotStatusReading(seq=2)])
async def test_a_bot_without_numbers_is_not_long_polled(reading: BotStatusReading) -> None:
    """It needs a boot_id and a number, and loses the long poll with them."""
    one = Polls()
    await one.poll(reading, window(1))
    await long_polled(one)
    await one.poll(BotStatusReading(mode="live", boot_id="b1", seq=2), numbered([1, 2]))
    await one.poll(reading, window(1))
    await long_polled(one)
    assert one.asked == []


@pytest.mark.parametrize(
    ("answer", "seconds", "requests"),
    [(BotReport(), 0.9, 1), (BotReport(), 1.0, 2), (BotResponseError("HTTP 500"), 2.0, 1), (numbered([9]), 0.0, 1)],
    ids=["at once, nothing", "held, nothing", "an error", "what does not join"],
)
async def test_a_long_poll_that_is_not_held_ends(
    monkeypatch: pytest.MonkeyPatch, answer: BotReport | Exception, seconds: float, requests: int
) -> None:
    """The interval polls remain until a good one offers it again; an answer after a second or more was held."""
    one = Polls()
    await one.poll(BotStatusReading(mode="live", boot_id="b1", seq=2), numbered([1, 2]))

    def passing() -> float:
        one.monotonic.now += seconds
        return one.monotonic.now

    monkeypatch.setattr("ingest.poller.time", SimpleNamespace(monotonic=passing))
    one.pages = [answer]
    await long_polled(one)
    assert len(one.asked) == requests
    if requests == 1:
        await one.poll(BotStatusReading(mode="live", boot_id="b1", seq=2), numbered([1, 2]))
        await long_polled(one)
        assert len(one.asked) == 2


async def test_polls_keep_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns that a slow poll has missed are skipped; a poll that was woken begins the interval anew."""
    one, pauses = Polls(), list[float]()
    lasts = [1.0, 3.0, 7.0, 0.5, 0.5]  # seconds of each poll
    wakes = [False, False, False, True, False]

    async def poll() -> PollResult:
        one.monotonic.now += lasts[len(pauses)]
        return PollResult(BEGIN, OK, window(1))

    async def waited(event: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == len(lasts):
            raise asyncio.CancelledError
        if wakes[len(pauses) - 1]:
            one.poller.wake()
            one.monotonic.now += 0.25
        else:
            one.monotonic.now += seconds

    monkeypatch.setattr("ingest.poller.time", SimpleNamespace(monotonic=one.monotonic))
    monkeypatch.setattr("ingest.poller.wait_for", waited)
    client: Any = SimpleNamespace(poll=poll)
    one.poller = Poller(client, one.intake, one.calls.append, ComponentHealth("poller", one.clock), 3.0)
    with pytest.raises(asyncio.CancelledError):
        await one.poller.run()
    assert pauses == [2.0, 0.0, 2.0, 2.5, 2.5]


async def test_trades_that_waited_are_written_two_hundred_at_a_time() -> None:
    """Trades that waited are written in order, two hundred a commit; a poll without news commits nothing."""
    one = Polls()
    one.error = JournalUnavailable("away")
    await one.poll(report=window(*range(300)))
    await one.poll(report=window(*range(200, 401)))
    one.error = None
    await one.poll(report=window(400))
    await one.poll(report=window(400))
    assert one.commits == [200, 200, 1]
    assert one.written == [f"t{number}" for number in range(401)]
