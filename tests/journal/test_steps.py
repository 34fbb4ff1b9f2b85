"""Leases, spans and pages of one journal by a clock moved by hand: terms, clocks that are set back, bounds of pages."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from journal.entry_store import Query, history
from journal.errors import JournalDamaged, LeaseLost
from journal.sqlite import SqliteJournal
from journal.statements import Statement, StatementSteps, findable, marks, micros, parts
from tests.support.clock import Clock
from tests.support.drafts import gap, trade


@pytest.fixture
def clock() -> Clock:
    """The clock of leases."""
    return Clock()


@pytest.fixture
async def journal(path: Path, clock: Clock) -> AsyncIterator[SqliteJournal]:
    """An open, empty journal."""
    found = SqliteJournal(path, clock)
    await found.open()
    yield found
    await found.close()


async def test_a_lease_lasts_for_its_term(journal: SqliteJournal, clock: Clock) -> None:
    """It is free at its very end; its own holder has it again at once, under the same token until it has expired."""
    first = await journal.acquire("a", 6)
    assert first is not None
    assert (first.holder, first.token, first.expires, first.epoch) == ("a", 1, 1006.0, journal.epoch)
    clock.now = 1005.999
    assert await journal.acquire("b", 6) is None
    again = await journal.acquire("a", 6)
    assert again is not None
    assert (again.token, again.expires) == (1, 1011.999)
    clock.now = 1011.999
    other = await journal.acquire("b", 6)
    assert other is not None
    assert (other.token, other.expires) == (2, 1017.999)
    clock.now = 2000.0
    later = await journal.acquire("b", 6)
    assert later is not None
    assert later.token == 3


@pytest.mark.parametrize(("back", "free"), [(1.0, False), (1.01, True), (3600.0, True)])
async def test_a_clock_that_is_set_back_leaves_no_lease_for_hours(
    journal: SqliteJournal, clock: Clock, back: float, free: bool
) -> None:
    """A lease that ends a second later than its term allows was written by another clock and is free."""
    assert await journal.acquire("a", 6) is not None
    clock.now -= back
    assert (await journal.acquire("b", 6) is not None) is free


async def test_a_renewed_lease_has_the_new_term(journal: SqliteJournal, clock: Clock) -> None:
    """Counted from now, with the status; a clock set back by more than a second after it frees the lease."""
    lease = await journal.acquire("a", 6)
    assert lease is not None
    clock.now += 5
    renewed = await journal.renew(lease, 60, "online")
    assert (renewed.token, renewed.expires, renewed.status) == (1, 1065.0, "online")
    assert await journal.lease() == renewed
    clock.now -= 0.5
    assert await journal.acquire("b", 6) is None


async def test_a_lost_lease_names_its_holder(journal: SqliteJournal, clock: Clock) -> None:
    """And the token; one that was released has no new holder."""
    mine = await journal.acquire("a", 6)
    assert mine is not None
    clock.now += 6
    theirs = await journal.acquire("b", 6)
    assert theirs is not None
    with pytest.raises(LeaseLost, match=r"the lease is held by b now \(token 2\), no longer by a"):
        await journal.renew(mine, 6, "")
    await journal.release(mine)
    assert await journal.acquire("a", 6) is None
    await journal.release(theirs)
    with pytest.raises(LeaseLost, match="the lease of b was released"):
        await journal.renew(theirs, 6, "")
    assert await journal.acquire("a", 6) is not None


def _spans() -> StatementSteps[list[tuple[int, int, int]]]:
    rows = yield Statement("SELECT span, earliest, latest FROM spans ORDER BY span")
    return [(row[0], row[1] // 1_000_000, row[2] // 1_000_000) for row in rows]


async def test_spans_have_the_times_of_their_entries(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four entries each here; a later batch widens the last span, either way, and no other."""
    monkeypatch.setattr("journal.entry_store.SPAN", 4)
    number = 0
    for times, spans in (
        ([10, 30, 20], [(0, 10, 30)]),
        ([5, 40], [(0, 5, 30), (1, 40, 40)]),
        ([50, 35, 45], [(0, 5, 30), (1, 35, 50)]),
        ([7, 1, 2, 3, 99], [(0, 5, 30), (1, 35, 50), (2, 1, 7), (3, 99, 99)]),
    ):
        await journal.append(
            [trade(trade_id=f"t{number + at}", timestamp=Decimal(time)) for at, time in enumerate(times)]
        )
        number += len(times)
        assert await journal.view(_spans()) == spans


async def test_a_batch_of_known_drafts_changes_nothing(journal: SqliteJournal) -> None:
    """Neither head nor checksum nor spans; an empty batch with marks stores them."""
    await journal.append([trade()])
    before = await journal.read_head(), await journal.view(_spans())
    assert (await journal.append([trade()])).known == 1
    await journal.append([], marks={"bot": "a"})
    assert (await journal.read_head(), await journal.view(_spans())) == before
    assert await journal.marks() == {"bot": "a"}


async def test_ids_and_candidates_are_read_in_parts(journal: SqliteJournal) -> None:
    """A batch with more names and windows than one statement takes is matched as a whole."""
    drafts = [trade(trade_id=f"t{number}", ticker=f"M{number}", at=number) for number in range(1100)]
    assert (await journal.append(drafts)).by_draft == list(range(1, 1101))
    again = await journal.append(drafts)
    assert (again.known, again.entries, again.by_draft) == (1100, [], list(range(1, 1101)))
    assert await journal.verify(0, 2000) == 1100


@pytest.mark.parametrize("lost", [1, 3, 5])
async def test_a_missing_entry_is_named(journal: SqliteJournal, lost: int) -> None:
    """At the beginning, between others and at the end of the journal; a page before it is read."""
    await journal.append([trade(trade_id=str(number)) for number in range(5)])

    def remove() -> StatementSteps[None]:
        yield Statement("DELETE FROM entries WHERE seq = ?", [lost])

    await journal.change(remove())
    with pytest.raises(JournalDamaged, match=f"entry {lost} is missing; run `server.py journal verify`"):
        await journal.read(0, 9)
    assert len(await journal.read(0, lost - 1)) == lost - 1
    with pytest.raises(JournalDamaged, match=f"entry {lost}: "):
        await journal.verify(0, 9)


async def test_pages_by_default(journal: SqliteJournal) -> None:
    """A hundred entries, the newest first."""
    await journal.append([gap(start=Decimal(number)) for number in range(120)])
    assert [entry.seq for entry in await journal.history(Query())] == list(range(120, 20, -1))


def test_values_of_statements() -> None:
    """Microseconds are whole, tickers fit their column, lists fit a statement."""
    assert micros(Decimal("1.0000015")) == 1_000_002
    assert micros(Decimal("-1.5")) == -1_500_000
    assert findable("T" * 300) == "T" * 255
    assert findable("a\ud800") == "a?"
    assert (marks([]), marks([1]), marks([1, 2, 3])) == ("", "?", "?, ?, ?")
    assert [len(part) for part in parts(range(2500))] == [1000, 1000, 500]
    assert list(parts(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(parts([])) == []


@pytest.mark.parametrize(
    ("query", "first", "then"),
    [
        (Query(), "by_seq", None),
        (Query(ticker="T", after=5), "by_seq_of_ticker", None),
        (Query(since=Decimal(1)), "by_time", "by_time"),
        (Query(until=Decimal(1), ticker="T"), "by_time_of_ticker", "by_time_of_ticker"),
    ],
)
def test_a_page_is_read_by_one_index(query: Query, first: str, then: str | None) -> None:
    """By seq, or by time where a window is given; of one ticker by the index that begins with it."""
    steps = history(SqliteJournal.dialect, query)
    assert f" INDEXED BY {first} " in next(steps).sql
    if then is not None:
        page = steps.send([(1,)])
        assert f" INDEXED BY {then} " in page.sql
        assert "ORDER BY seq" in page.sql
    with pytest.raises(StopIteration) as ended:
        steps.send([])
    assert ended.value.value == []


@pytest.mark.parametrize(("matches", "ended"), [(0, True), (5000, False), (5001, False)])
def test_many_matches_are_found_by_a_walk(matches: int, ended: bool) -> None:
    """Up to 5000 of a window are sorted, more are looked for in the spans that meet it; none ends the search."""
    steps = history(SqliteJournal.dialect, Query(since=Decimal(1)))
    count = next(steps)
    assert count.args[-1] == 5001
    if ended:
        with pytest.raises(StopIteration):
            steps.send([(matches,)])
    else:
        assert ("FROM spans" in steps.send([(matches,)]).sql) is (matches > 5000)


@pytest.mark.parametrize(
    ("query", "ranges"),
    [(Query(since=Decimal(1)), [(1025, 3072), (5121, 6144)]), (Query(until=Decimal(1)), [(5121, 6144), (1025, 3072)])],
)
def test_neighbouring_spans_are_walked_as_one(query: Query, ranges: list[tuple[int, int]]) -> None:
    """From the first seq of the first to the last seq of the last; backwards the newest range comes first."""
    steps = history(SqliteJournal.dialect, query)
    next(steps)
    steps.send([(5001,)])
    found = []
    page = steps.send([(1,), (2,), (5,)])
    for _ in ranges:
        found.append(tuple(page.args[1:3]))
        with contextlib.suppress(StopIteration):
            page = steps.send([])
    assert found == ranges
