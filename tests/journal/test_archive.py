"""Moving a journal: an exact copy into an empty one, each execution once into one that is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal import archive, archive_format, verify
from journal.archive import ArchivedEntry, ArchiveHeader, Record
from journal.archive_format import Format
from journal.base import Query
from journal.dsn import open_journal
from journal.entries import Draft
from journal.errors import JournalDamaged
from journal.sql_journal import SqlJournal
from journal.sqlite import SqliteJournal
from tests.support.drafts import baseline, fill, gap, settlement, trade
from tests.support.neighbours import MariaServer

SOME: list[Draft] = [
    baseline(), trade(boot_id="a"), fill(at=1), trade(trade_id="t2", boot_id="b", at=20), gap(why='"quoted",\n\\'),
    settlement(ticker="=1+1"), fill(trade_id="f2", at=99), trade(fill_id="f3", trade_id="t3", at=200),
]  # fmt: skip


async def _text(journal: SqlJournal, form: Format) -> str:
    return archive_format.heading(form) + "".join(
        [archive_format.line(record, form) async for record in archive.records(journal)]
    )


async def _read(text: str, form: Format) -> AsyncIterator[Record]:
    for record in archive_format.read(StringIO(text, newline=""), form):
        yield record


async def _records(journal: SqlJournal) -> list[Record]:
    return [record async for record in archive.records(journal)]


@asynccontextmanager
async def _fresh(url: str) -> AsyncIterator[SqlJournal]:
    journal = open_journal(url)
    try:
        await journal.open()
        yield journal
    finally:
        await journal.close()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_an_empty_journal_becomes_a_copy(journal: SqlJournal, tmp_path: Path, form: Format) -> None:
    """Entries, names, marks and epoch: cursors stay valid, and what was known stays known."""
    await journal.append(SOME, marks={"fills": "1", "odd": 'ü"\n'})
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:
        done = await archive.restore(copy, _read(await _text(journal, form), form))
        assert (done.entries, done.known, done.epoch) == (7, 0, journal.epoch)
        assert await _records(copy) == await _records(journal)
        assert await copy.read(0, 99) == await journal.read(0, 99)
        assert await copy.marks() == await journal.marks()
        again = await copy.append(SOME)
        assert (again.entries, again.heuristic) == ([], 0)
        assert [problem async for problem in verify.problems(copy)] == []
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert copy.epoch == journal.epoch


async def test_a_journal_with_entries_gets_the_rest(journal: SqlJournal, tmp_path: Path) -> None:
    """New entries follow under a new epoch; shared executions stay one, by id, by likeness, by any name they had."""
    await journal.append([trade(boot_id="a"), fill(trade_id="f2", at=99), trade(trade_id="mine", at=500)])
    before = journal.epoch
    async with _fresh(f"sqlite:///{tmp_path}/other.db") as other:
        await other.append(SOME)
        done = await archive.restore(journal, _read(await _text(other, "jsonl"), "jsonl"))
    assert done.epoch == journal.epoch != before
    assert (done.entries, done.known) == (5, 2)
    assert (await journal.append(SOME)).entries == []
    assert (await journal.append([fill(trade_id="late", at=2)])).by_draft == [9]  # the first trade has its fill
    assert [problem async for problem in verify.problems(journal)] == []


async def test_pages_and_batches_join(journal: SqlJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the journal: what goes over in many pieces is what was there, copied and merged alike."""
    monkeypatch.setattr("journal.archive._PAGE", 2)
    await journal.append(SOME)
    text = await _text(journal, "jsonl")
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy, _fresh(f"sqlite:///{tmp_path}/other.db") as other:
        await archive.restore(copy, _read(text, "jsonl"))
        assert await _records(copy) == await _records(journal)
        await other.append([fill(trade_id="f2", at=99)])
        done = await archive.restore(other, _read(text, "jsonl"))
        assert (done.entries, done.known) == (6, 1)
        assert (await other.append(SOME)).entries == []


async def test_an_import_that_somebody_writes_into_is_refused(journal: SqlJournal, tmp_path: Path) -> None:
    """A server that was left running: the import stops before two entries could claim one place."""
    await journal.append([trade()])
    text = await _text(journal, "jsonl")

    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:

        async def read() -> AsyncIterator[Record]:
            async for record in _read(text, "jsonl"):
                yield record
                if isinstance(record, ArchivedEntry):
                    await copy.append([trade(trade_id="of the server")])

        with pytest.raises(JournalDamaged, match="another process wrote to the journal during the import"):
            await archive.restore(copy, read())
        assert [entry.seq for entry in await copy.read(0, 9)] == [1]


async def test_what_is_appended_meanwhile_is_left_out(journal: SqlJournal) -> None:
    """An export of a living journal ends where it stood when it began, names included."""
    await journal.append([trade()])
    stream = archive.records(journal)
    found = [await anext(stream)]
    await journal.append([trade(trade_id="t2")])
    found += [record async for record in stream]
    assert isinstance(found[0], ArchiveHeader)
    assert found[0].head == 1
    assert [record.entry.seq for record in found if isinstance(record, ArchivedEntry)] == [1]
    assert all(record.seq == 1 for record in found if not isinstance(record, ArchiveHeader | ArchivedEntry))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[1:], "header"),
        (lambda lines: [lines[0], *lines[2:]], "entry 1 was expected"),
        (lambda lines: lines[:3], "ends with entry 2"),
        (lambda lines: [lines[0], lines[1][:40]], "record 2 cannot be read"),
        (lambda lines: [lines[0], '{"record":"poem"}'], "no kind of record"),
        (lambda lines: [lines[0], lines[1].replace('"positions"', '"p"')], "not the body of a baseline"),
        (lambda lines: [lines[0], lines[1].replace('"kind":"baseline"', '"kind":"poem"')], "no kind of entry"),
        (lambda lines: [lines[0], lines[1].replace('"seq":1', '"seq":"1"')], "expected a seq, got '1'"),
        (lambda lines: [*lines[:2], lines[2].replace('"price":0.65', '"price":"0.65"')], "'0.65' is not a number"),
        (lambda lines: [], "header"),
    ],
    ids=[
        "no header",
        "a hole",
        "cut short",
        "half a line",
        "unknown record",
        "a field missing",
        "unknown entry",
        "seq as text",
        "price as text",
        "nothing",
    ],
)
async def test_a_spoilt_file_is_refused(journal: SqlJournal, tmp_path: Path, spoil: object, said: str) -> None:
    """The mistake is named; what stood before it is kept under an epoch that is not the file's."""
    await journal.append(SOME)
    lines = (await _text(journal, "jsonl")).splitlines(keepends=True)
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:
        with pytest.raises(ValueError, match=said):
            await archive.restore(copy, _read("".join(spoil(lines)), "jsonl"))  # type: ignore[operator]
        assert copy.epoch != journal.epoch


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
amounts = st.decimals(0, 10**6, places=4)
drafts = st.one_of(
    st.builds(
        trade, at=st.decimals(-(10**6), 10**6, places=6), ticker=texts, trade_id=texts, order_id=st.none() | texts,
        price=st.decimals(0, 1, places=4), quantity=amounts, fee=st.none() | amounts, boot_id=st.none() | texts,
        outcome=st.sampled_from(["yes", "no"]), mode=st.sampled_from(["live", "paper"]),
    ),
    st.builds(fill, at=st.integers(-9, 9), trade_id=texts),
    st.builds(settlement, ticker=texts, value=amounts),
    st.builds(gap, why=texts),
    st.builds(baseline),
)  # fmt: skip


@pytest.fixture(scope="module")
def between(maria_server: MariaServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The URLs of a SQLite and of a MariaDB journal that a law may use over and over."""
    maria_server.sql("CREATE DATABASE IF NOT EXISTS law; GRANT ALL ON law.* TO me@'%'")
    password = "p%40ss%3Aw%2Frd%3F"
    return str(tmp_path_factory.mktemp("law")), f"mysql://me:{password}@127.0.0.1:{maria_server.port}/law"


@pytest.mark.mysql
@given(batches=st.lists(st.lists(drafts, max_size=6), max_size=3), form=st.sampled_from(["jsonl", "csv"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_lost_between_the_databases(
    between: tuple[str, str], maria_server: MariaServer, batches: list[list[Draft]], form: Format
) -> None:
    """SQLite to MariaDB and back: the same records to the last digit, whatever they hold, in both formats."""
    folder, mysql = between

    for old in Path(folder).iterdir():
        old.unlink()

    async def there_and_back() -> None:
        maria_server.sql("DROP DATABASE law; CREATE DATABASE law")
        lite = f"sqlite:///{folder}"
        async with _fresh(f"{lite}/1.db") as one, _fresh(mysql) as two, _fresh(f"{lite}/3.db") as three:
            for batch in batches:
                await one.append(batch, marks={"m": str(len(batch))})
            await archive.restore(two, _read(await _text(one, form), form))
            await archive.restore(three, _read(await _text(two, form), form))
            told = await _records(one)
            assert await _records(two) == told
            assert await _records(three) == told
            assert await two.read(0, 99) == await one.read(0, 99)
            assert await two.history(Query()) == await one.history(Query())

    asyncio.run(there_and_back())


async def test_verify_sees_what_is_wrong(tmp_path: Path) -> None:
    """Holes, bodies that disagree, names of nothing, spans that hide entries: each is said."""
    async with _fresh(f"sqlite:///{tmp_path}/journal.db") as journal:
        assert isinstance(journal, SqliteJournal)
        await journal.append(SOME)
        connection = journal._connect()

        async def after(statement: str) -> str:
            connection.execute("SAVEPOINT whole")
            connection.execute(statement)
            connection.execute("RELEASE whole")
            return "; ".join([problem async for problem in verify.problems(journal)])

        assert await after("SELECT 1") == ""
        assert "its ticker is 'X'" in await after("UPDATE entries SET ticker = 'X' WHERE seq = 2")
        assert "not the body" in await after("UPDATE entries SET body = '{\"seq\":3}' WHERE seq = 3")
        assert "its seq is 5" in await after("UPDATE entries SET body = replace(body, ':5,', ':6,') WHERE seq = 5")
        assert "stand for entries that do not exist" in await after("UPDATE sightings SET seq = 99 WHERE seq = 4")
        assert "pages by time" in await after("UPDATE spans SET latest = earliest")
        assert "entry 4 is missing" in await after("DELETE FROM entries WHERE seq = 4")
        assert "the last entry is 6" in await after("DELETE FROM entries WHERE seq = 7")
        connection.close()
