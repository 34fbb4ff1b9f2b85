"""Moving a journal: an exact copy into an empty one, each execution once into one that is not."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import journal_format
from commands.journal_format import Format
from journal import archive, verify
from journal.archive import ArchiveHeader, Record
from journal.base import Journal
from journal.dsn import open_journal
from journal.entries import Draft, Entry, Head
from journal.entry_store import Query
from journal.errors import ArchiveUnreadable, JournalDamaged, JournalUnavailable
from journal.statements import Statement, StatementSteps
from tests.journal.conftest import Another
from tests.support.drafts import baseline, fill, gap, settlement, trade, transfer
from tests.support.neighbours import MariaServer

SOME: list[Draft] = [
    baseline(), trade(boot_id="a"), fill(at=1), trade(trade_id="t2", boot_id="b", at=20), gap(why='"quoted",\n\\'),
    settlement(ticker="=1+1"), fill(trade_id="f2", at=99), trade(fill_id="f3", trade_id="t3", at=200),
    trade(trade_id="t2", boot_id="b", at=20, quantity=Decimal(0)), transfer(),
]  # fmt: skip


async def _text(journal: Journal, form: Format) -> str:
    return journal_format.heading(form) + "".join(
        [journal_format.line(record, form) async for record in archive.records(journal)]
    )


def _read(text: str, form: Format) -> Iterator[Record]:
    return journal_format.read(StringIO(text, newline=""), form)


async def _exported(drafts: list[Draft], form: Format) -> str:
    """Return the export of a journal that these drafts make."""
    with TemporaryDirectory() as folder:
        async with _fresh(f"sqlite:///{folder}/exported.db") as exported:
            await exported.append(drafts, marks={"m": "1"})
            return await _text(exported, form)


async def _records(journal: Journal) -> list[Record]:
    return [record async for record in archive.records(journal)]


@asynccontextmanager
async def _fresh(url: str) -> AsyncIterator[Journal]:
    journal = open_journal(url)
    try:
        await journal.open()
        yield journal
    finally:
        await journal.close()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_an_empty_journal_becomes_a_copy(journal: Journal, tmp_path: Path, form: Format) -> None:
    """Entries, names, marks and epoch: cursors stay valid, and what was known stays known."""
    await journal.append(SOME, marks={"fills": "1", "odd": 'ü"\n'})
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:
        done = await archive.restore(copy, _read(await _text(journal, form), form))
        assert (done.entries, done.known, done.epoch) == (9, 0, journal.epoch)
        assert await _records(copy) == await _records(journal)
        assert await copy.read(0, 99) == await journal.read(0, 99)
        assert await copy.marks() == await journal.marks()
        again = await copy.append(SOME)
        assert (again.entries, again.heuristic) == ([], 0)
        assert [problem async for problem in verify.problems(copy)] == []
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert copy.epoch == journal.epoch


async def test_a_journal_with_entries_gets_the_rest(journal: Journal, tmp_path: Path) -> None:
    """New entries follow under a new epoch; shared executions stay one, by id, by likeness, by any name they had."""
    await journal.append([trade(boot_id="a"), fill(trade_id="f2", at=99), trade(trade_id="mine", at=500)])
    before = journal.epoch
    async with _fresh(f"sqlite:///{tmp_path}/other.db") as other:
        await other.append(SOME)
        done = await archive.restore(journal, _read(await _text(other, "jsonl"), "jsonl"))
    assert done.epoch == journal.epoch != before
    assert (done.entries, done.known) == (7, 2)
    assert (await journal.append(SOME)).entries == []
    assert (await journal.append([fill(trade_id="late", at=2)])).by_draft == [11]  # the first trade has its fill
    assert [problem async for problem in verify.problems(journal)] == []


async def test_pages_and_batches_join(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the journal: what goes over in many pieces is what was there, copied and merged alike."""
    monkeypatch.setattr("journal.archive._PAGE", 2)
    await journal.append(SOME)
    text = await _text(journal, "jsonl")
    async with _fresh(f"sqlite:///{tmp_path}/copy.db") as copy, _fresh(f"sqlite:///{tmp_path}/other.db") as other:
        await archive.restore(copy, _read(text, "jsonl"))
        assert await _records(copy) == await _records(journal)
        await other.append([fill(trade_id="f2", at=99)])
        done = await archive.restore(other, _read(text, "jsonl"))
        assert (done.entries, done.known) == (8, 1)
        assert (await other.append(SOME)).entries == []


async def test_an_import_that_ends_early_leaves_nothing(journal: Journal, another: Another) -> None:
    """After any failure (a spoilt line, a full disk) the journal is as before, and a repeat is complete."""
    text = await _exported(SOME, "jsonl")

    def cut() -> Iterator[Record]:
        for number, record in enumerate(_read(text, "jsonl")):
            if number == 9:
                raise OSError("no more")
            yield record

    epoch = journal.epoch
    with pytest.raises((OSError, JournalUnavailable), match="no more"):
        await archive.restore(journal, cut())
    assert await (await another()).read_head() == Head(epoch, 0)
    assert (await archive.restore(journal, _read(text, "jsonl"))).entries == len(SOME) - 1
    assert [problem async for problem in verify.problems(journal)] == []


async def test_entries_appended_meanwhile_are_left_out(journal: Journal) -> None:
    """An export of a living journal ends where it stood when it began, names included."""
    await journal.append([trade()])
    stream = archive.records(journal)
    found = [await anext(stream)]
    await journal.append([trade(trade_id="t2")])
    found += [record async for record in stream]
    assert isinstance(found[0], ArchiveHeader)
    assert found[0].head == 1
    assert [record.seq for record in found if isinstance(record, Entry)] == [1]
    assert all(record.seq == 1 for record in found if not isinstance(record, ArchiveHeader | Entry))


def _changed(number: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    """Return a change of one line."""

    def change(lines: list[str]) -> list[str]:
        assert old in lines[number - 1]
        return [*lines[: number - 1], lines[number - 1].replace(old, new), *lines[number:]]

    return change


SPOILT: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "no header": (lambda lines: lines[1:], "line 1: expected the header"),
    "two headers": (lambda lines: [lines[0], *lines], "line 2: a second header"),
    "an entry missing": (lambda lines: [lines[0], *lines[2:]], "line 2: expected entry 1 of 9, got entry 2"),
    "two entries swapped": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "expected entry 2 of 9, got"),
    "cut after an entry": (lambda lines: lines[:3], "the file ends with entry 2; its header announces 9"),
    "cut among the ids": (lambda lines: lines[:-1], "the file ends after 13 ids; its header announces 14"),
    "no id at all": (lambda lines: [lines[0].replace('"ids":14', '"ids":0'), *lines[1:10]], "entry 1 has no id"),
    "half a line": (lambda lines: [lines[0], lines[1][:40]], "line 2: Unterminated string"),
    "nothing": (lambda lines: [], "the file is empty"),
    "a text": (lambda lines: ["Dear diary\n"], "line 1: Expecting value"),
    "another program's JSON": (lambda lines: ['{"a":1}\n'], "line 1: expected a field record"),
    "a number": (lambda lines: ["7\n"], "line 1: expected a record of a journal, got 7"),
    "nested too deeply": (lambda lines: ["[" * 100_000 + "\n"], "line 1: nested too deeply"),
    "a line break in the epoch": (_changed(1, '"epoch":"', '"epoch":"a\\nb'), "line 1: .* is not the epoch"),
    "an epoch as a number": (lambda lines: ['{"record":"journal","epoch":7}'], "expected a field epoch"),
    "marks as numbers": (_changed(1, '{"m":"1"}', '{"m":1}'), "line 1: expected marks as text"),
    "a negative head": (_changed(1, '"head":9', '"head":-9'), "line 1: -9 is not the head"),
    "a changed amount": (_changed(3, '"price":0.65', '"price":0.66'), "line 3: entry 2 was changed"),
    "a changed kind": (_changed(3, '"kind":"trade"', '"kind":"poem"'), "line 3: kind: expected one of .* got 'poem'"),
    "a changed last checksum": (_changed(1, '"checksum":"', '"checksum":"0'), "not that of the header"),
    "unknown record": (lambda lines: [lines[0], '{"record":"poem"}'], "line 2: record: expected .* got 'poem'"),
    "a field missing": (_changed(2, '"positions"', '"p"'), "line 2: not the body of a baseline"),
    "seq as text": (_changed(2, '"seq":1', '"seq":"1"'), "line 2: expected a seq, got '1'"),
    "price as text": (_changed(3, '"price":0.65', '"price":"0.65"'), "line 3: price: expected a number, got '0.65'"),
    "a time beyond all": (_changed(3, '"timestamp":1698676800.123', '"timestamp":1E+40'), "line 3: .* out of range"),
    "an id of no entry": (_changed(11, '"seq":', '"seq":99'), "line 11: an id of entry 99"),
    "an id that is none": (_changed(11, '"name":"', '"name":"x y'), "line 11: .* is not an id"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT.keys())
async def test_a_spoilt_file_is_refused(journal: Journal, case: tuple[Any, str]) -> None:
    """The error names the line and what is wrong with it, and nothing is imported."""
    spoil, message = case
    lines = (await _exported(SOME, "jsonl")).splitlines(keepends=True)
    with pytest.raises(ArchiveUnreadable, match=message):
        await archive.restore(journal, _read("".join(spoil(lines)), "jsonl"))
    assert await journal.read(0, 9) == []
    assert await journal.marks() == {}


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
            output = await _records(one)
            assert await _records(two) == output
            assert await _records(three) == output
            assert await two.read(0, 99) == await one.read(0, 99)
            assert await two.history(Query()) == await one.history(Query())

    asyncio.run(there_and_back())


WRONG: dict[str, tuple[list[str], str]] = {
    "a column": (["UPDATE entries SET ticker = 'X' WHERE seq = 2"], "entry 2: its ticker is 'X'"),
    "no body": (["UPDATE entries SET body = '{\"seq\":3}' WHERE seq = 3"], "entry 3: not the body of a trade"),
    "a seq": (["UPDATE entries SET body = replace(body, ':5,', ':6,') WHERE seq = 5"], "entry 5: its seq is 5"),
    "a digit": (["UPDATE entries SET body = replace(body, '0.65', '0.56') WHERE seq = 2"], "entry 2 does not fit"),
    "a kind": (["UPDATE entries SET kind = 'gap' WHERE seq = 2"], "entry 2 does not fit its checksum"),
    "a checksum": (["UPDATE entries SET checksum = '0123456789abcdef' WHERE seq = 2"], "entry 2 does not fit"),
    "a body of another": (
        ["UPDATE entries SET body = (SELECT body FROM entries WHERE seq = 5) WHERE seq = 4"], "entry 4 does not fit",
    ),
    "an id of no entry": (["UPDATE sightings SET seq = 99 WHERE seq = 4"], "ids belong to entries that do not exist"),
    "an entry without an id": (["DELETE FROM sightings WHERE seq = 4"], "entry 4 has no id"),
    "a span": (["UPDATE spans SET latest = earliest"], "pages by time may miss it"),
    "an entry cut out": (["DELETE FROM entries WHERE seq = 4"], "entry 4 is missing"),
    "the end cut off": (["DELETE FROM entries WHERE seq = 9"], "entry 9 is missing"),
    "the end and the head cut off": (
        ["DELETE FROM entries WHERE seq = 9", "UPDATE journal SET head = 8"], "head is 8 .*, but the last entry is 8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_verify_finds(tmp_path: Path, case: tuple[list[str], str]) -> None:
    """A change, a swap and a cut are named with their place."""
    statements, message = case
    async with _fresh(f"sqlite:///{tmp_path}/journal.db") as journal:
        await journal.append(SOME)
        assert [problem async for problem in verify.problems(journal)] == []
        with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        assert re.search(message, "; ".join([problem async for problem in verify.problems(journal)]))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_a_journal_with_a_voided_trade_verifies(tmp_path: Path, form: Format) -> None:
    """A bot's correction voids a trade: verify and import accept it."""
    async with _fresh(f"sqlite:///{tmp_path}/journal.db") as journal, _fresh(f"sqlite:///{tmp_path}/2.db") as other:
        for draft in (trade(price=Decimal("0.31")), fill(), trade()):
            await journal.append([draft])
        assert [entry.kind for entry in await journal.read(0, 9)] == ["trade", "trade", "correction"]
        assert [problem async for problem in verify.problems(journal)] == []
        await archive.restore(other, _read(await _text(journal, form), form))
        assert await _records(other) == await _records(journal)
        assert (await other.append([trade(), fill()])).entries == []
        again = await archive.restore(journal, _read(await _text(journal, form), form))
        assert (again.entries, again.known) == (0, 3)
        assert [problem async for problem in verify.problems(journal)] == []


@pytest.mark.parametrize("step", [1, 2, 7, 100])
async def test_a_page_is_verified_and_the_first_wrong_entry_named(journal: Journal, step: int) -> None:
    """Any page of a whole journal verifies, up to its end; in a damaged one the error names the entry."""
    await journal.append(SOME)
    after = 0
    while (last := await journal.verify(after, step)) != after:
        assert last == min(after + step, 9)
        after = last
    assert after == 9

    def change() -> StatementSteps[None]:
        yield Statement("UPDATE entries SET body = replace(body, '0.65', '0.64') WHERE seq = 3")

    await journal.change(change())
    assert await journal.verify(0, 2) == 2
    with pytest.raises(JournalDamaged, match=r"^entry 3: entry 3 does not fit"):
        await journal.verify(0, 9)
