"""The journal's ledgers: every entry is counted once, in the order of time, whenever it comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait
from ingest.journal_ledgers import JournalLedgers
from journal.archive import renew_epoch
from journal.base import Journal
from journal.dsn import open_journal
from journal.entries import Draft, Entry
from journal.errors import JournalUnavailable
from ledger import checkpoint
from tests.support import drafts
from tests.support.clock import Clock
from tests.support.eventually import eventually

POSITION = {
    "ticker": "A", "quantity": Decimal(10), "cost": Decimal(6), "realized_pnl": Decimal(0), "fees": Decimal("0.1"),
}  # fmt: skip


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal in a file."""
    made = open_journal(f"sqlite:///{tmp_path}/journal.db")
    await made.open()
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def following(journal: Journal) -> AsyncIterator[JournalLedgers]:
    """Ledgers that follow the journal, at the time of its trades."""
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0))
    task = asyncio.create_task(ledgers.run())
    try:
        yield ledgers
    finally:
        task.cancel()
        await asyncio.wait([task])


async def added(journal: Journal, ledgers: JournalLedgers, *entries: Draft) -> None:
    """Append entries and wait until the ledgers have them."""
    done = await journal.append(entries)
    ledgers.offer(done.entries)
    await eventually(lambda: ledgers.position == done.entries[-1].seq and ledgers.ready)


def trade(number: int, at: float = 0, **changes: object) -> Draft:
    """A trade of 10 YES in market A at 0.60, of its own id."""
    values = {"ticker": "A", "quantity": Decimal(10), "price": Decimal("0.6"), "trade_id": f"t{number}"}
    return drafts.trade(**{**values, **changes, "at": at or number})


async def test_entries_that_exist_are_counted_at_the_start(journal: Journal) -> None:
    """The first pass reads the whole journal, page by page."""
    await journal.append([trade(number) for number in range(1, 621)])
    async with following(journal) as ledgers:
        await eventually(lambda: ledgers.ready)
        account = ledgers.account()
        assert account is not None
        assert (ledgers.position, account.totals.trades, account.books["A"].quantity) == (620, 620, 6200)


async def test_any_market_counts_as_traded_until_the_journal_is_read(journal: Journal) -> None:
    """A payout that comes during the first pass over a long journal may be one of the account's."""
    await journal.append([trade(1)])
    ledgers = JournalLedgers(journal, ComponentHealth("ledger"))
    before = ledgers.is_traded("B")
    await ledgers.catch_up()
    assert (before, ledgers.is_traded("A"), ledgers.is_traded("B")) == (True, True, False)


async def test_a_late_entry_is_counted_at_its_own_time(journal: Journal) -> None:
    """Its market is read again from the journal; lots close in the order of time."""
    async with following(journal) as ledgers:
        await added(journal, ledgers, trade(2, price=Decimal("0.2")), trade(3, side="SELL", quantity=Decimal(5)))
        await added(journal, ledgers, trade(1, price=Decimal("0.5")))
        account = ledgers.account()
        assert account is not None
        await eventually(lambda: not account.unordered)
        assert (account.books["A"].realized, account.books["A"].cost) == (Decimal("0.5"), 4.5)


async def test_a_correction_changes_its_trade(journal: Journal) -> None:
    """Also where it moves the trade to another market."""
    async with following(journal) as ledgers:
        first = trade(1)
        await added(journal, ledgers, first)
        moved = drafts.trade(ticker="B", quantity=Decimal(4), price=Decimal("0.3"), trade_id="t1", at=1, corrects=1)
        await added(journal, ledgers, moved)
        account = ledgers.account()
        assert account is not None
        await eventually(lambda: {ticker: book.quantity for ticker, book in account.books.items()} == {"A": 0, "B": 4})
        assert account.flows.total == Decimal("-1.2")


async def test_modes_have_ledgers_of_their_own(journal: Journal) -> None:
    """Paper trades never count to the account."""
    async with following(journal) as ledgers:
        await added(journal, ledgers, trade(1), trade(2, mode="paper"), drafts.gap())
        account = ledgers.account()
        assert account is not None
        assert (account.totals.trades, ledgers.ledgers["paper"].totals.trades) == (1, 1)


async def test_flows_of_the_last_minutes_are_remembered(journal: Journal) -> None:
    """Return the cash of each entry, at the time of its execution."""
    async with following(journal) as ledgers:
        await added(journal, ledgers, drafts.baseline(positions=[POSITION], balance=Decimal(100)), trade(1))
        assert [(flow.ticker, flow.flows.total, flow.quantity) for flow in ledgers.recent()] == [("A", Decimal(-6), 10)]


async def test_an_entry_that_cannot_be_counted_degrades_health(journal: Journal) -> None:
    """It is named, and the rest is counted."""
    async with following(journal) as ledgers:
        await added(journal, ledgers, drafts.settlement(value=Decimal("12.34")), trade(1))
        await eventually(lambda: ledgers.health.state == "degraded")
        assert "entry 1: value: expected a payout from 0 to 1, got 12.34" in ledgers.health.reason
        assert ledgers.account() is not None


async def test_another_journal_is_counted_from_its_start(journal: Journal) -> None:
    """After a new epoch nothing of the old entries stays, without waiting for a new one."""
    async with following(journal) as ledgers:
        await added(journal, ledgers, trade(1), trade(2))
        before = ledgers.account()
        assert isinstance(journal, Journal)
        await renew_epoch(journal)
        ledgers.wake()
        await eventually(lambda: ledgers.ready and ledgers.position == 2 and ledgers.account() is not before)


def figures(ledgers: JournalLedgers) -> object:
    """All that readers see of ledgers."""
    books = {
        (mode, ticker): (book.quantity, book.cost, book.realized, book.fees, book.trades)
        for mode, ledger in ledgers.ledgers.items()
        for ticker, book in ledger.books.items()
    }
    flows = {mode: ledger.flows for mode, ledger in ledgers.ledgers.items()}
    return ledgers.position, ledgers.latest_mode, books, flows, ledgers.recent(), ledgers.health.counters["refused"]


async def caught_up(journal: Journal, every: int) -> JournalLedgers:
    """Ledgers of a start, which stores them every so many entries."""
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0), every)
    await ledgers.catch_up()
    return ledgers


HISTORY: list[Draft] = [
    drafts.baseline(positions=[POSITION], balance=Decimal(100)),
    *(trade(number, side="BUY" if number % 3 else "SELL", ticker="AB"[number % 2]) for number in range(1, 9)),
    trade(20, mode="paper"),
    drafts.settlement(value=Decimal("12.34")),
    drafts.transfer(),
    drafts.settlement(ticker="B"),
]
LATER: list[Draft] = [
    drafts.trade(trade_id="t2", at=2, price=Decimal("0.1"), ticker="A", corrects=3),
    drafts.trade(trade_id="t3", at=3, ticker="C", side="SELL", corrects=4),
    trade(9),
    trade(10, at=1.5),
]


@pytest.mark.parametrize("length", range(1, len(HISTORY) + 1))
async def test_a_start_continues_from_the_checkpoint(journal: Journal, length: int) -> None:
    """After any entry: late entries and corrections of what lies before it included, as if all were added up anew."""
    await journal.append(HISTORY[:length])
    before = figures(await caught_up(journal, 1))
    restored = await caught_up(journal, 1000)
    assert figures(restored) == before
    await journal.append([*HISTORY[length:], *LATER])
    await restored.catch_up()
    assert figures(restored) == figures(await caught_up(journal, 1000))
    await journal.store_checkpoint("")
    assert figures(restored) == figures(await caught_up(journal, 1000))


async def test_a_start_reads_the_entries_after_the_checkpoint_alone(journal: Journal) -> None:
    """An entry before it that changed on disk is not read at the start."""
    await journal.append(HISTORY)
    await caught_up(journal, 1)
    await journal.append(LATER[2:])
    read: list[int] = []
    original = journal.read

    async def recorded(after: int, limit: int) -> list[Entry]:
        read.append(after)
        return await original(after, limit)

    journal.read = recorded  # type: ignore[method-assign]
    ledgers = await caught_up(journal, 1000)
    assert (read[0], ledgers.position) == (len(HISTORY), len(HISTORY) + 2)


@pytest.mark.parametrize("change", ["epoch", "checksum", "text", "shape"])
async def test_a_checkpoint_of_another_journal_is_not_used(journal: Journal, change: str) -> None:
    """Other epoch, other entries or a damaged text: every entry is added up again, without an error."""
    await journal.append(HISTORY[:5])
    await caught_up(journal, 1)
    epoch, _, text = (await journal.checkpoint()).partition(" ")
    seq, checksum, ledgers, recent, mode, refused = checkpoint.load(text)
    ledgers["live"].flows.trades += 1000
    state = checkpoint.dump((seq, "0" * 16 if change == "checksum" else checksum, ledgers, recent, mode, refused))
    stored = {"epoch": f"other {state}", "text": f"{epoch} {state[:-9]}", "shape": f"{epoch} {checkpoint.dump([1])}"}
    await journal.store_checkpoint(stored.get(change, f"{epoch} {state}"))
    started = await caught_up(journal, 1000)
    await journal.store_checkpoint("")
    assert figures(started) == figures(await caught_up(journal, 1000))


async def test_the_checkpoint_is_no_bookmark(journal: Journal) -> None:
    """Neither the poller nor an export receives it."""
    await journal.append(HISTORY[:3], marks={"fills": "1"})
    await caught_up(journal, 1)
    assert await journal.checkpoint()
    assert await journal.marks() == {"fills": "1"}


async def test_a_checkpoint_that_cannot_be_stored_is_left_out(journal: Journal) -> None:
    """A full disk degrades nothing here: the ledgers are complete without it."""
    await journal.append(HISTORY[:3])

    async def full(text: str) -> None:
        raise JournalUnavailable("disk full")

    journal.store_checkpoint = full  # type: ignore[method-assign]
    ledgers = await caught_up(journal, 1)
    assert (ledgers.ready, ledgers.position, ledgers.health.state) == (True, 3, "ok")


async def test_an_announced_entry_may_be_of_any_market(journal: Journal) -> None:
    """Until it is read every market counts as traded; an older announcement changes nothing."""
    done = await journal.append([trade(1), trade(2)])
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0))
    assert ledgers.is_traded("B")
    await ledgers.catch_up()
    assert (ledgers.is_traded("A"), ledgers.is_traded("B")) == (True, False)
    ledgers.offer([replace(done.entries[-1], seq=3)])
    ledgers.offer(done.entries[:1])
    assert (ledgers.head, ledgers.is_traded("B")) == (3, True)


async def test_a_journal_that_cannot_be_read_is_tried_again_after_a_second(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health names the reason until the entries are read; then the ledgers go on."""
    await journal.append([trade(1)])
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0))
    pauses: list[tuple[float, str, str]] = []
    original = journal.read

    async def paused(seconds: float) -> None:
        if seconds:
            pauses.append((seconds, ledgers.health.state, ledgers.health.reason))
        if len(pauses) == 2:
            journal.read = original  # type: ignore[method-assign]

    async def away(after: int, limit: int) -> list[Entry]:
        raise JournalUnavailable("its disk hangs")

    journal.read = away  # type: ignore[method-assign]
    with monkeypatch.context() as patched:
        patched.setattr("ingest.journal_ledgers.asyncio", SimpleNamespace(sleep=paused))
        task = asyncio.create_task(ledgers.run())
        await eventually(lambda: ledgers.ready)
    await cancel_and_wait(task)
    assert pauses == [(1.0, "degraded", "its disk hangs")] * 2
    assert (ledgers.position, ledgers.health.state) == (1, "ok")


async def test_other_tasks_run_while_a_long_journal_is_read(journal: Journal) -> None:
    """Other tasks run after every forty entries, and each page of five hundred is read once."""
    await journal.append([trade(number) for number in range(1, 521)])
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0))
    reads: list[tuple[int, int]] = []
    places: set[int] = set()
    original = journal.read

    async def recorded(after: int, limit: int) -> list[Entry]:
        reads.append((after, limit))
        return await original(after, limit)

    async def look() -> None:
        while True:
            places.add(ledgers.position)
            await asyncio.sleep(0)

    journal.read = recorded  # type: ignore[method-assign]
    task = asyncio.create_task(look())
    await ledgers.catch_up()
    await cancel_and_wait(task)
    assert places >= {*range(40, 501, 40), 500}
    assert reads == [(0, 500), (500, 500)]


async def test_entries_are_counted_by_mode_and_forgotten_after_five_minutes(journal: Journal) -> None:
    """Flows of the account alone are looked back on, if less than 300 s old; older ones still count to its ledger."""
    clock = Clock(1698676800.125 + 300)
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", clock))
    await journal.append([trade(1, at=0.002), trade(2, at=1), trade(3, at=2, mode="paper"), trade(4, at=60)])
    await ledgers.catch_up()
    base = Decimal("1698676800.123")
    assert [float(flow.timestamp - base) for flow in ledgers.recent()] == [1.0, 60.0]
    clock.now += 31
    await journal.append([trade(5, at=61)])
    await ledgers.catch_up()
    assert [float(flow.timestamp - base) for flow in ledgers.recent()] == [60.0, 61.0]
    account = ledgers.account()
    assert account is not None
    assert (account.totals.trades, account.books["A"].quantity) == (4, 40)


async def test_a_late_entry_moves_figures_at_its_own_time(journal: Journal) -> None:
    """The market is read again; what that changes is a flow at the time of the newest late entry."""
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0))
    await journal.append([trade(5), trade(6, mode="paper")])
    await ledgers.catch_up()
    await journal.append([trade(3), trade(2)])
    await ledgers.catch_up()
    account = ledgers.account()
    assert account is not None
    assert account.books["A"].quantity == 30  # without the one on paper
    base = Decimal("1698676800.123")
    flows = [(flow.timestamp - base, flow.ticker, flow.quantity) for flow in ledgers.recent()]
    assert flows == [(5, "A", 10), (3, "A", 20)]


async def test_refused_entries_are_counted_and_the_last_is_named(journal: Journal) -> None:
    """Refused entries are counted and the last is named, also after a start from the checkpoint."""
    await journal.append([drafts.settlement(ticker=ticker, value=Decimal("2.5")) for ticker in ("A", "B")])
    await caught_up(journal, 1)
    reason = "2 entries cannot be counted; the last one: entry 2: value: expected a payout from 0 to 1, got 2.5"
    restored = await caught_up(journal, 1000)
    assert (restored.health.reason, restored.health.counters["refused"]) == (reason, 2)


@pytest.mark.parametrize(("more", "stored"), [(2, 0), (3, 3), (4, 4)])
async def test_a_checkpoint_is_stored_after_so_many_entries(journal: Journal, more: int, stored: int) -> None:
    """A checkpoint is stored after three entries or more since the last one, as the test sets it."""
    ledgers = JournalLedgers(journal, ComponentHealth("ledger", lambda: 1698676810.0), 3)
    await journal.append([trade(number) for number in range(1, more + 1)])
    await ledgers.catch_up()
    _, _, text = (await journal.checkpoint()).partition(" ")
    assert (checkpoint.load(text)[0] if text else 0) == stored
    await journal.append([trade(10), trade(11)])
    await ledgers.catch_up()
    _, _, text = (await journal.checkpoint()).partition(" ")
    assert checkpoint.load(text)[0] == (4 if more == 2 else stored)
