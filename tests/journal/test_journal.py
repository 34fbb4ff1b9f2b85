"""Every promise of a journal, on SQLite and on MariaDB."""

import asyncio
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cache.decimal_json import loads
from journal import codec
from journal.base import Journal
from journal.entries import Entry, Head
from journal.entry_store import Query
from journal.errors import JournalReverted, LeaseLost
from journal.statements import Statement, StatementSteps
from tests.journal.conftest import Another
from tests.support.drafts import baseline, fill, gap, settlement, trade
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]


async def test_a_new_journal_is_empty(journal: Journal) -> None:
    """Head 0, a token for an epoch, nothing to read, no marks, no lease, some bytes."""
    assert await journal.head() == 0
    assert len(journal.epoch) == 8
    assert journal.epoch.isascii()
    assert journal.epoch.isalnum()
    assert journal.epoch == journal.epoch.lower()
    assert await journal.read(0, 10) == []
    assert await journal.history(Query()) == []
    assert await journal.marks() == {}
    assert await journal.lease() is None
    assert await journal.size() > 0


async def test_every_kind_comes_back_as_it_went_in(journal: Journal, another: Another) -> None:
    """Any worker reads what append returned, with exact numbers and whole text."""
    odd = trade(trade_id="ünï'\"\\\n\u2028💸" * 9, ticker="T" * 200, price=Decimal("0.0001"), fee=Decimal("0.017500"))
    kept = await journal.append([trade(), settlement(), gap(), baseline(), odd])
    assert [entry.seq for entry in kept.entries] == [1, 2, 3, 4, 5]
    assert [entry.kind for entry in kept.entries] == ["trade", "settlement", "gap", "baseline", "trade"]
    assert (kept.known, kept.heuristic, kept.by_draft) == (0, 0, [1, 2, 3, 4, 5])
    assert await (await another()).read(0, 10) == kept.entries
    body = loads(kept.entries[4].body)
    assert (body["trade_id"], body["price"], body["fee"]) == (odd.trade_id, Decimal("0.0001"), Decimal("0.0175"))
    assert kept.entries[0].timestamp == Decimal("1698676800.123")


async def test_known_drafts_are_dropped(journal: Journal) -> None:
    """Repeats and the other reporter's telling are counted, and stand for the entry that was first."""
    await journal.append([trade()])
    again = await journal.append([trade(), fill(at=2), trade(trade_id="t2"), fill(at=2)])
    assert [entry.seq for entry in again.entries] == [2]
    assert (again.known, again.heuristic, again.by_draft) == (3, 1, [1, 1, 2, 1])
    third = await journal.append([fill(at=3, trade_id="f2"), fill(at=2), trade(boot_id="b")])
    assert (third.known, third.heuristic, third.by_draft) == (3, 1, [2, 1, 1])
    assert (await journal.append([trade(trade_id="f9", at=60), fill(trade_id="f9", at=99)])).by_draft == [3, 3]
    assert await journal.head() == 3


async def test_a_named_fill_is_one_however_far_apart_the_clocks_are(journal: Journal) -> None:
    """An entry with the same id is compared by fingerprint too, also outside the window of time."""
    await journal.append([trade(fill_id="f1"), fill(trade_id="f2", at=5, quantity=Decimal(7))])
    alike, other = fill(trade_id="f1", at=60), trade(fill_id="f2", trade_id="t2", at=70)
    assert (await journal.append([alike, other])).by_draft == [1, 3]


async def test_long_ids_with_one_prefix_are_different(journal: Journal) -> None:
    """Nothing is cut short or folded when ids are compared."""
    ids = ["x" * 300 + end for end in ("a", "A", "ä", "a ")]
    kept = await journal.append([trade(trade_id=each) for each in ids])
    assert kept.by_draft == [1, 2, 3, 4]


async def test_ids_and_tickers_no_database_can_hold(journal: Journal) -> None:
    """Half a surrogate pair and a ticker beyond its column are kept in the body and can still be matched."""
    drafts = [
        trade(ticker="T" * 400),
        trade(ticker="bad\ud800", trade_id="\udc00"),
        trade(ticker="nul\0", trade_id="t3"),
    ]
    kept = await journal.append(drafts)
    assert (await journal.append([*drafts, fill(ticker="T" * 400)])).by_draft == [1, 2, 3, 1]
    assert [entry.body for entry in await journal.read(0, 9)] == [entry.body for entry in kept.entries]
    assert len(await journal.history(Query(ticker="T" * 400))) == 1


async def test_reading_on(journal: Journal) -> None:
    """read returns the entries after a seq, ascending, up to the limit."""
    kept = await journal.append([trade(trade_id=str(i)) for i in range(10)])
    assert await journal.read(3, 4) == kept.entries[3:7]
    assert await journal.read(10, 4) == []


async def test_marks_stay_with_the_entries(journal: Journal, another: Another) -> None:
    """Marks are kept, replaced one by one, also without entries."""
    await journal.append([trade()], marks={"fills": "12.5", "bot": "a"})
    await journal.append([], marks={"bot": "b"})
    assert await (await another()).marks() == {"fills": "12.5", "bot": "b"}


async def test_writers_at_once_share_the_seqs(journal: Journal, another: Another) -> None:
    """Several workers append at once: no seq twice or missing; an execution reported by two is one entry."""
    workers = [journal, await another(), await another()]
    batches = [
        worker.append([trade(trade_id="shared", at=100 + i), trade(trade_id=f"{n}-{i}")])
        for i in range(10)
        for n, worker in enumerate(workers)
    ]
    done = await asyncio.gather(*batches)
    seqs = sorted(entry.seq for each in done for entry in each.entries)
    assert seqs == list(range(1, 41))
    assert await journal.head() == 40


WORKER = """
    import asyncio, sys
    from journal.dsn import open_journal
    from tests.support.drafts import trade

    async def main():
        journal = open_journal(sys.argv[1])
        await journal.open()
        for number in range(20):
            done = await journal.append([trade(at=number), trade(trade_id=sys.argv[2], at=number)])
            for entry in done.entries:
                print(entry.seq, flush=True)
        await journal.close()

    asyncio.run(main())
"""


async def test_processes_at_once_share_the_seqs(url: str, another: Another) -> None:
    """Three processes make the journal and append at once: each seq is announced by one, none is missing."""
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", textwrap.dedent(WORKER), url, f"own{n}", cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for n in range(3)
    ]
    output = b"".join([(await child.communicate())[0] for child in children])
    assert sorted(map(int, output.split())) == list(range(1, 81))  # 20 that all tell, 20 of each one's own
    journal = await another()
    assert [entry.seq for entry in await journal.read(0, 99)] == list(range(1, 81))


async def test_opening_at_once_makes_one_journal(make: Callable[[], Journal]) -> None:
    """Workers that start together agree on the epoch, and a second start changes nothing."""
    handles = [make() for _ in range(4)]
    await asyncio.gather(*(handle.open() for handle in handles))
    epochs = {handle.epoch for handle in handles}
    for handle in handles:
        await handle.close()
    later = make()
    await later.open()
    assert epochs == {later.epoch}
    await later.close()


async def test_the_lease_has_one_holder(journal: Journal, another: Another) -> None:
    """While it is valid no other worker gets it; once released or expired, the next holder's token is higher."""
    other = await another()
    mine = await journal.acquire("a", 30)
    assert mine is not None
    assert await other.acquire("b", 30) is None
    again = await journal.acquire("a", 30)
    assert again is not None
    assert again.token == mine.token
    await journal.release(mine)
    theirs = await other.acquire("b", 0.2)
    assert theirs is not None
    assert theirs.token > mine.token
    await journal.release(mine)  # no longer ours: nothing happens
    assert (await journal.lease()) == theirs
    assert await eventually(lambda: journal.acquire("a", 30))


async def test_renewing_leaves_the_status(journal: Journal, another: Another) -> None:
    """A renewed lease lasts longer and stores the bot's status for other workers, also past a change of holder."""
    mine = await journal.acquire("a", 30)
    assert mine is not None
    longer = await journal.renew(mine, 60, '{"status": "online"}')
    assert longer.expires > mine.expires + 20
    seen = await (await another()).lease()
    assert seen is not None
    assert (seen.holder, seen.token, seen.status) == ("a", mine.token, '{"status": "online"}')
    await journal.release(longer)
    theirs = await journal.acquire("b", 30)
    assert theirs is not None
    assert theirs.status == '{"status": "online"}'


async def test_an_old_holder_cannot_write(journal: Journal, another: Another) -> None:
    """A worker that lost the lease, by time or to another, writes nothing: no entry and no mark."""
    other = await another()
    mine = await journal.acquire("a", 0.2)
    assert mine is not None
    await journal.append([trade()], lease=mine)
    theirs = await eventually(lambda: other.acquire("b", 30))
    with pytest.raises(LeaseLost):
        await journal.append([trade(trade_id="t2")], lease=mine, marks={"a": "b"})
    with pytest.raises(LeaseLost):
        await journal.renew(mine, 30, "")
    assert (await journal.head(), await journal.marks()) == (1, {})
    await other.append([trade(trade_id="t3")], lease=theirs)
    assert await journal.head() == 2


async def test_a_lease_that_ran_out_is_still_its_holders(journal: Journal) -> None:
    """Until another takes it: a holder that could not renew, as on a full disk, can still write."""
    mine = await journal.acquire("a", 0.1)
    assert mine is not None
    await asyncio.sleep(0.15)
    await journal.append([trade()], lease=mine)
    again = await journal.renew(mine, 30, "")
    assert (again.holder, again.token) == ("a", mine.token)


async def test_a_lease_that_was_given_back_is_lost(journal: Journal) -> None:
    """Even if no other worker took it since."""
    mine = await journal.acquire("a", 30)
    assert mine is not None
    await journal.release(mine)
    with pytest.raises(LeaseLost, match="was released"):
        await journal.append([trade()], lease=mine)


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


PAGES = {
    "the newest first": (Query(limit=3), [12, 11, 10]),
    "before": (Query(limit=3, before=4), [3, 2, 1]),
    "after": (Query(limit=3, after=4), [5, 6, 7]),
    "between": (Query(after=4, before=7), [5, 6]),
    "since, the late one too": (Query(since=Decimal(1007)), [7, 8, 9, 10, 12]),
    "until": (Query(until=Decimal(1002)), [11, 2, 1]),
    "a window": (Query(since=Decimal(1002), until=Decimal(1004)), [2, 3, 4, 11]),
    "a window, on from a cursor": (Query(since=Decimal(1002), until=Decimal(1004), after=3), [4, 11]),
    "a window, back from a cursor": (Query(until=Decimal(1004), before=11, limit=2), [4, 3]),
    "one ticker": (Query(ticker="EVEN", limit=2), [12, 10]),
    "one ticker after": (Query(ticker="EVEN", after=4), [6, 8, 10, 12]),
    "one ticker in a window": (Query(ticker="EVEN", since=Decimal(1004), until=Decimal(1008)), [4, 6, 8]),
    "a ticker is not folded": (Query(ticker="even"), []),
    "an empty window": (Query(since=Decimal(9999)), []),
    "a window to the microsecond": (Query(since=Decimal("1003.000001"), until=Decimal("1003.999999")), []),
    "past the head": (Query(after=12), []),
}


@pytest.mark.parametrize("few", [5000, 0], ids=["few matches", "many matches"])
@pytest.mark.parametrize(("query", "expected"), PAGES.values(), ids=PAGES.keys())
async def test_a_page(
    journal: Journal, query: Query, expected: list[int], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages by seq, time and ticker, over the sorted and the walked way; the 11th was healed late."""
    monkeypatch.setattr("journal.entry_store._FEW", few)
    monkeypatch.setattr("journal.entry_store.SPAN", 4)
    times = [*range(1001, 1011), Decimal("1002"), 1012]
    drafts = [
        trade(trade_id=str(i), timestamp=Decimal(time), ticker="ODD" if i % 2 else "EVEN")
        for i, time in enumerate(times, start=1)
    ]
    for start in range(0, 12, 5):
        await journal.append(drafts[start : start + 5])
    assert seqs(await journal.history(query)) == expected


async def test_pages_walk_the_whole_past(journal: Journal) -> None:
    """Page by page by cursor, forwards and backwards, every entry is met once."""
    await journal.append([trade(trade_id=str(i), at=-i) for i in range(25)])
    met, query = [], Query(limit=7, after=0)
    while page := await journal.history(query):
        met += seqs(page)
        query = replace(query, after=page[-1].seq)
    assert met == list(range(1, 26))
    query = Query(limit=7)
    while page := await journal.history(query):
        met += seqs(page)
        query = replace(query, before=page[-1].seq)
    assert met[25:] == list(range(25, 0, -1))


def _back_to(seq: int) -> StatementSteps[None]:
    """Make the journal what it was at an earlier seq, as an older backup is."""
    yield Statement("DELETE FROM entries WHERE seq > ?", [seq])
    yield Statement("DELETE FROM sightings WHERE seq > ?", [seq])
    [(checksum,)] = yield Statement("SELECT checksum FROM entries WHERE seq = ?", [seq])
    yield Statement("UPDATE journal SET head = ?, checksum = ? WHERE id = 1", [seq, checksum])


async def test_an_older_state_is_noticed_by_every_worker(journal: Journal, another: Another) -> None:
    """Appending, following, becoming leader and renewing refuse; one new epoch for all, and no seq is given twice."""
    other = await another()
    for number in range(5):
        await journal.append([trade(trade_id=str(number), at=number)])
    lease = await journal.acquire("a", 30)
    assert lease is not None
    assert len(await other.follow(0, 9)) == 5
    epoch = journal.epoch
    await journal.change(_back_to(3))
    for attempt in (
        journal.append([trade(trade_id="5", at=5)], lease), journal.follow(5, 9), journal.acquire("a", 30),
        journal.renew(lease, 30, ""), other.append([trade(trade_id="5", at=5)]), other.follow(5, 9),
    ):  # fmt: skip
        with pytest.raises(JournalReverted, match=f"ends at {epoch}-3-.* no longer contains {epoch}-5-") as caught:
            await attempt
        assert caught.value.lost
    heads = [await handle.recover() for handle in (journal, other, journal)]
    assert heads[0] == heads[1] == heads[2] == await other.read_head()
    assert heads[0].epoch != epoch
    assert (await other.append([trade(trade_id="4", at=4)])).by_draft == [4]
    assert [entry.seq for entry in await journal.follow(3, 9)] == [4]
    assert (await journal.append([trade(trade_id="5", at=5)])).by_draft == [5]


async def test_a_lease_ends_with_the_epoch_in_which_it_was_acquired(journal: Journal, another: Another) -> None:
    """Its holder remembers what the older state lacks: once any part of the worker has accepted it, it cannot write."""
    other = await another()
    await journal.append([trade(trade_id="0", at=0)])
    lease = await journal.acquire("a", 30)
    assert lease is not None
    for number in (1, 2):
        await journal.append([trade(trade_id=str(number), at=number)], lease)
    await journal.change(_back_to(1))
    await journal.recover()
    for attempt in (journal.append([trade(trade_id="3", at=3)], lease), journal.renew(lease, 30, "")):
        with pytest.raises(LeaseLost, match=f"new epoch, {journal.epoch}: a new term must begin"):
            await attempt
    assert await journal.head() == 1
    again = await journal.acquire("a", 30)
    assert again is not None
    assert (await journal.append([trade(trade_id="1", at=1)], again)).by_draft == [2]
    assert [entry.seq for entry in await other.read(0, 9)] == [1, 2]


async def test_an_older_state_that_has_grown_again_is_noticed(journal: Journal, another: Another) -> None:
    """Entries of another history under the same seqs: the checksum at the last seq that was read differs."""
    other = await another()
    for number in range(4):
        await journal.append([trade(trade_id=str(number), at=number)])
    await other.follow(0, 9)
    for grown in (1, 3):  # to the same seq, and beyond it
        await journal.change(_back_to(3))
        await journal.refresh()
        for number in range(grown):
            await journal.append([trade(trade_id=f"new {grown} {number}", at=100 + number)])
        with pytest.raises(JournalReverted) as caught:
            await other.follow(4, 9)
        assert caught.value.lost
        epoch = other.epoch
        assert (await other.recover()).epoch != epoch
        await journal.refresh()


async def test_another_handle_reads_on_without_noticing(journal: Journal, another: Another) -> None:
    """A journal that merely grew, by whomever, is the same: also from its very beginning."""
    other = await another()
    assert await other.follow(0, 9) == []
    await journal.append([trade(trade_id=str(number), at=number) for number in range(3)])
    assert (await other.append([trade(trade_id="3", at=3)])).by_draft == [4]
    assert [entry.seq for entry in await journal.follow(0, 9)] == [1, 2, 3, 4]
    assert await journal.recover() == await other.refresh()
    assert (await other.read_head()).epoch == journal.epoch
    assert journal.identity == other.identity != ""


async def test_checksums_follow_from_each_other(journal: Journal) -> None:
    """Each is over the one before it, the kind and the body; the head has the last one; what is read has them all."""
    done = await journal.append([trade(), gap()])
    first = codec.checksum("", "trade", done.entries[0].body)
    last = codec.checksum(first, "gap", done.entries[1].body)
    assert [entry.checksum for entry in await journal.read(0, 9)] == [first, last]
    assert await journal.read_head() == Head(journal.epoch, 2, last)
    assert str(await journal.read_head()) == f"{journal.epoch}-2-{last[:4]}"
    assert [entry.checksum for entry in await journal.read(0, 9)] == [first, last]
    assert await journal.integrity() == []


async def test_corrections_are_entries_in_every_database(journal: Journal) -> None:
    """A trade, corrected and voided, then filled as corrected: what is stored is what the rules decide."""
    await journal.append([trade()])
    await journal.append([trade(price=Decimal("0.44"))])
    assert (await journal.append([fill(price=Decimal("0.44"), at=2)])).by_draft == [2]
    void = trade(quantity=Decimal(0))
    assert (await journal.append([void, trade(), replace(void, trade_id="v")])).by_draft == [3, 1, 0]
    entries = await journal.read(0, 9)
    assert [(entry.seq, entry.kind) for entry in entries] == [(1, "trade"), (2, "correction"), (3, "correction")]
    assert '"corrects":1}' in entries[1].body
    assert (await journal.append([fill(trade_id="f2")])).by_draft == [4]  # the voided trade waits for no fill
