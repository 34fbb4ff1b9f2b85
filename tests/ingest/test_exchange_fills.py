"""One reading of the exchange: its watermarks, and fills that wait for the next."""

from decimal import Decimal

import pytest

from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution, FillReader, Watermarks
from ingest.gaps import OpenGaps
from journal.entries import Transfer
from kalshi.account_models import BankTransfer
from kalshi.errors import KalshiError
from tests.support.clock import Clock
from tests.support.exchange import ScriptedExchange, as_client, fill


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
