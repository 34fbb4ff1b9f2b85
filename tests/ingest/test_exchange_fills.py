"""One reading of the exchange: its watermarks, and fills that wait for the next."""

from decimal import Decimal

import pytest

from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution, FillReader, Watermarks
from ingest.gaps import GapSpan, OpenGaps
from journal.entries import Settlement, Trade, Transfer
from kalshi.account_models import BankTransfer
from kalshi.errors import KalshiError
from tests.support.clock import Clock
from tests.support.exchange import ScriptedExchange, as_client, fill, settlement


def fill_reader(exchange: ScriptedExchange, clock: Clock) -> tuple[FillReader, Attribution]:
    """A reader of fills beside a bot that answers every three seconds and has reported all trades before 990."""
    bot = BotStatus(since=0.0)
    bot.note(BotStatusReading(), "", 0, 0.0)
    origins = Attribution(bot, OpenGaps(), interval=3.0)
    origins.complete_to = 990.0
    return FillReader(as_client(exchange), origins, clock), origins


async def test_the_mark_stays_before_a_fill_that_waits() -> None:
    """The bot may still report it: it is not announced, it is read again, and then attributed."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(1000.0)
    exchange.fills_made += [fill(1, 980.0), fill(2, 995.0), fill(3, 998.0)]
    one, origins = fill_reader(exchange, clock)
    swept = await one.read(Watermarks(900.0, 900.0, 900.0), "live")
    assert swept.ids == ["f1"]
    assert (swept.known.fills, swept.known.settlements) == (995.0, 1000.0)
    assert 0 < swept.undecided <= 6.0
    one.saved(swept.ids)
    origins.complete_to = clock.now = exchange.complete = 1010.0
    swept = await one.read(swept.known, "live")
    assert sorted(swept.ids) == ["f2", "f3"]
    assert [draft.timestamp for draft in swept.drafts] == [995, 998]
    assert (swept.known.fills, swept.undecided) == (1010.0, 0.0)


@pytest.mark.parametrize(("end", "filled"), [(999.0, True), (1010.0, False), (1059.0, False), (12_000.0, True)])
async def test_a_gap_that_ends_hours_ahead_is_filled_by_the_first_reading(end: float, filled: bool) -> None:
    """Its end was noted by a clock that was ahead; else it would stay open for hours. A small lead is waited for."""
    exchange = ScriptedExchange(complete=1000.0)
    exchange.fills_made += [fill(1, 960.0)]
    one, origins = fill_reader(exchange, Clock(1000.0))
    origins.gaps.add(GapSpan(Decimal(950), Decimal(str(end)), "test"))
    read = await one.read(Watermarks(900.0, 990.0, 990.0), "live")
    assert (read.ids, len(read.filled)) == (["f1"], int(filled))
    assert read.known.fills == 1000.0, "what follows is read next"


async def test_the_rows_stored_longest_ago_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; the journal knows it all the same."""
    monkeypatch.setattr("ingest.exchange_fills.MAX_IDS", 2)
    exchange = ScriptedExchange(complete=1000.0)
    exchange.fills_made += [fill(number, 950.0 + number) for number in (1, 2, 3)]
    one, _ = fill_reader(exchange, Clock(1000.0))
    one.saved(["f1", "f2", "f3"])
    swept = await one.read(Watermarks(900.0, 951.0, 900.0), "live")
    assert swept.ids == ["f1"]
    assert swept.drafts[0].timestamp == Decimal("951.0")


def deposit(status: str, at: float, name: str = "d1") -> BankTransfer:
    """A deposit of 50 dollars in one of its states."""
    return BankTransfer(name, "deposit", status, Decimal(50), Decimal(0), Decimal(str(at)), None)


async def test_each_state_of_a_transfer_becomes_an_entry_once() -> None:
    """States from before the journal began are part of the baseline."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(1000.0)
    reader, _ = fill_reader(exchange, clock)
    exchange.moved = [deposit("applied", 800.0, "old"), deposit("pending", 950.0)]
    batch = await reader.read(Watermarks(900.0, 900.0, 900.0), "live")
    assert [(draft.kind, draft.timestamp) for draft in batch.drafts] == [("transfer", 950)]
    reader.saved(batch.ids)
    exchange.moved[1] = deposit("applied", 960.0)
    assert (await reader.read(batch.known, "live")).drafts == []  # read once a minute
    clock.now += 61
    (again,) = (await reader.read(batch.known, "live")).drafts
    assert isinstance(again, Transfer)
    assert (again.status, again.amount, again.mode) == ("applied", 50, "live")


async def test_transfers_that_cannot_be_read_stop_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """A key without this scope: fills and settlements go on, with one log line."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(1000.0)
    exchange.fills_made.append(fill(1, 980.0))
    exchange.transfer_error = KalshiError("GET /portfolio/deposits: HTTP 403")
    reader, _ = fill_reader(exchange, clock)
    for _ in range(2):
        assert (await reader.read(Watermarks(900.0, 900.0, 900.0), "live")).ids == ["f1"]
        clock.now += 61
    assert [record.message for record in caplog.records] == [
        "deposits and withdrawals cannot be read, cash may stay unexplained: GET /portfolio/deposits: HTTP 403"
    ]


def test_watermarks_are_stored_as_marks() -> None:
    """A journal that has read nothing yet begins at its first start; one without a start has none."""
    marks = Watermarks(900.5, 950.25, 960.0)
    assert marks.marks() == {"begun": "900.5", "fills": "950.25", "settlements": "960.0"}
    assert Watermarks.load(marks.marks()) == marks
    assert Watermarks.load({"begun": "900.5"}) == Watermarks(900.5, 900.5, 900.5)
    assert Watermarks.load({"fills": "1.0"}) is None


async def test_a_reading_goes_back_a_little_and_not_before_the_journal() -> None:
    """15 seconds before the watermarks or the earliest gap; rows from before the first start are passed over."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(1000.0)
    exchange.fills_made += [fill(1, 899.5), fill(2, 900.0), fill(3, 950.0)]
    one, origins = fill_reader(exchange, clock)
    batch = await one.read(Watermarks(900.0, 980.0, 990.0), "live")
    assert exchange.asked == [965.0]
    assert batch.ids == []
    origins.gaps.add(GapSpan(Decimal(910), Decimal(1000), "in time"))
    origins.gaps.add(GapSpan(Decimal(940), Decimal("1000.1"), "not read yet"))
    batch = await one.read(Watermarks(900.0, 980.0, 990.0), "live")
    assert exchange.asked[-1] == 900.0
    assert [gap.why for gap in batch.filled] == ["in time"]
    assert sorted(batch.ids) == ["f2", "f3"]


async def test_watermarks_never_go_back() -> None:
    """Nor beyond our own clock, where that of the exchange is ahead."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(990.0)
    one, _ = fill_reader(exchange, clock)
    batch = await one.read(Watermarks(900.0, 900.0, 995.0), "live")
    assert (batch.known.begun, batch.known.fills, batch.known.settlements) == (900.0, 990.0, 995.0)
    exchange.complete = 950.0
    batch = await one.read(Watermarks(900.0, 970.0, 930.0), "live")
    assert (batch.known.fills, batch.known.settlements) == (970.0, 950.0)


async def test_a_fill_and_a_payout_become_entries_of_the_exchange() -> None:
    """In YES terms, with the ids of the exchange; a payout that is not known is 0. Entries come by time."""
    exchange = ScriptedExchange(complete=1000.0)
    exchange.fills_made.append(fill(2, 980.5))
    exchange.settled.append(settlement("KXB", 970.0, value=None, result="scalar", yes_quantity=Decimal(0)))
    one, _ = fill_reader(exchange, Clock(1000.0))
    paid, made = (await one.read(Watermarks(900.0, 900.0, 900.0), "demo")).drafts
    assert isinstance(made, Trade)
    assert (made.side, made.outcome, made.price, made.quantity, made.fee) == (
        "SELL",
        "yes",
        Decimal("0.65"),
        3,
        Decimal("0.01"),
    )
    assert (made.trade_id, made.fill_id, made.order_id) == ("f2", "f2", "o2")
    assert (made.source, made.mode, made.origin) == ("kalshi_api", "demo", "account")
    assert isinstance(paid, Settlement)
    assert (paid.timestamp, paid.ticker, paid.value, paid.source, paid.mode) == (970, "KXB", None, "kalshi_api", "demo")


async def test_transfers_are_read_once_a_minute() -> None:
    """Not a moment earlier; a failure that ends is followed by a line in the log when it comes again."""
    exchange, clock = ScriptedExchange(complete=1000.0), Clock(1000.0)
    exchange.moved = [deposit("applied", 950.0)]
    reader, _ = fill_reader(exchange, clock)
    known = Watermarks(900.0, 900.0, 900.0)
    assert (await reader.read(known, "live")).ids == ["deposit d1 applied"]
    clock.now += 59.9
    assert (await reader.read(known, "live")).ids == []
    clock.now += 0.2
    assert (await reader.read(known, "live")).ids == ["deposit d1 applied"]
