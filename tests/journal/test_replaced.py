"""Files that are replaced, restored, unlinked or damaged under a journal that is in use."""

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from commands.journal_files import back_up, restore
from journal.archive import renew_epoch
from journal.errors import JournalDamaged, JournalError, JournalReverted, JournalUnavailable
from journal.sqlite import SqliteJournal
from journal.statements import Statement, StatementSteps
from journal.verify import problems
from tests.support.drafts import trade
from tests.support.eventually import eventually

Opened = Callable[[], Awaitable[SqliteJournal]]
ROOT = Path(__file__).parents[2]

WORKER = """
import asyncio, sys
from journal.errors import JournalReverted
from journal.sqlite import SqliteJournal
from tests.support.drafts import trade

async def main():
    journal = SqliteJournal(sys.argv[1], limit=5)
    await journal.open()
    while True:
        print(journal.epoch, await journal.head(), flush=True)
        number = await asyncio.to_thread(sys.stdin.readline)
        if not number:
            return await journal.close()
        try:
            await journal.append([trade(trade_id=f"t{int(number)}", at=int(number))])
        except JournalReverted:
            await journal.recover()

asyncio.run(main())
"""


class OtherWorker:
    """Another process that has the journal open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def on(cls, path: Path) -> AsyncIterator["OtherWorker"]:
        """Start one, ready to append."""
        command = [sys.executable, "-c", WORKER, str(path)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)
        worker = cls(process)
        try:
            await worker.answer()
            yield worker
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def answer(self) -> tuple[str, int]:
        """Return its epoch and the head."""
        assert self._process.stdout is not None
        epoch, head = (await asyncio.wait_for(self._process.stdout.readline(), 20)).split()
        return epoch.decode(), int(head)

    async def append(self, number: int) -> tuple[str, int]:
        """Have it append a trade, or recover when it cannot; return its epoch and the head after it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())
        return await self.answer()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal's file."""
    return tmp_path / "journal.db"


@pytest.fixture
async def opened(path: Path) -> AsyncIterator[Opened]:
    """Opens handles on the file, as workers have them; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_one() -> SqliteJournal:
            journal = SqliteJournal(path, limit=5)
            stack.push_async_callback(journal.close)
            await journal.open()
            return journal

        yield open_one


async def _append(journal: SqliteJournal, *numbers: int) -> list[int]:
    return (await journal.append([trade(trade_id=f"t{number}", at=number) for number in numbers])).by_draft


async def _whole(journal: SqliteJournal) -> bool:
    return [problem async for problem in problems(journal)] == []


def _unlink(path: str) -> None:
    Path(path).unlink()


def _rename(old: Path | str, new: Path | str) -> None:
    Path(old).rename(new)


async def _move(path: Path, backup: Path) -> None:
    """mv over the file: another inode under the same name."""
    shutil.copyfile(backup, f"{backup}.2")
    _rename(f"{backup}.2", path)


async def _move_clean(path: Path, backup: Path) -> None:
    """mv over the file, and rm of its write-ahead log."""
    for suffix in ("-wal", "-shm"):
        _unlink(f"{path}{suffix}")
    await _move(path, backup)


async def _tool(path: Path, backup: Path) -> None:
    """The sqlite3 program's .restore."""
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)


async def _ours(path: Path, backup: Path) -> None:
    """`journal restore`, in this process as in another: it opens the file by itself."""
    journal = SqliteJournal(path, create=False)
    await journal.open()
    await restore(journal, backup)
    await journal.close()


@pytest.mark.parametrize("way", [_move, _move_clean, _tool, _ours])
async def test_an_older_backup_under_running_workers_is_a_new_epoch(
    path: Path, opened: Opened, tmp_path: Path, way: Callable[[Path, Path], Awaitable[None]]
) -> None:
    """Each worker refuses once, with a reason, and then works in one and the same new epoch; nothing is overwritten."""
    journal = await opened()
    await _append(journal, 1, 2)
    await back_up(journal, tmp_path / "backup.db")
    async with OtherWorker.on(path) as other:
        await _append(journal, 3, 4)
        assert await other.append(5) == (epoch := journal.epoch, 5)
        assert len(await journal.follow(0, 9)) == 5
        await way(path, tmp_path / "backup.db")
        attempts: list[Callable[[], Awaitable[object]]] = [
            lambda: _append(journal, 6), lambda: journal.follow(5, 9), lambda: journal.acquire("a", 9),
        ]  # fmt: skip
        for attempt in attempts:
            with pytest.raises(JournalReverted, match=r"no longer contains .*-5-") as caught:
                await attempt()
            assert caught.value.lost
        head = await journal.recover()
        assert (head.seq, head.epoch != epoch, journal.epoch) == (2, True, head.epoch)
        assert await other.append(6) == (head.epoch, 2)
        assert await other.append(6) == (head.epoch, 3)
        assert await _append(journal, 1, 6, 7) == [1, 3, 4]
        assert await _whole(journal)


async def test_the_same_content_moved_is_no_other_journal(path: Path, opened: Opened, tmp_path: Path) -> None:
    """A file that was copied and put back, with everything in it, goes on under its epoch; its identity is another."""
    journal = await opened()
    await _append(journal, 1, 2)
    identity = journal.identity
    await back_up(journal, tmp_path / "backup.db")
    await _move_clean(path, tmp_path / "backup.db")
    epoch = journal.epoch
    assert await _append(journal, 3) == [3]
    assert journal.epoch == epoch
    assert journal.identity != identity


async def test_a_new_epoch_is_noticed_by_running_workers(opened: Opened) -> None:
    """`new-epoch` and an import: nothing is lost, every reader must be reset."""
    one, two = await opened(), await opened()
    await _append(one, 1)
    await two.follow(0, 9)
    epoch = await renew_epoch(one)
    for attempt in (_append(two, 2), two.follow(1, 9)):
        with pytest.raises(JournalReverted, match=f"a new epoch, {epoch}") as caught:
            await attempt
        assert not caught.value.lost
    assert (await two.recover()).epoch == epoch
    assert await _append(two, 2) == [2]
    assert await _append(one, 3) == [3]


@pytest.mark.parametrize("suffixes", [("-wal",), ("-shm",), ("-wal", "-shm")], ids="+".join)
@pytest.mark.parametrize("first", ["this", "other"])
async def test_a_log_that_was_unlinked_is_saved(
    path: Path, opened: Opened, suffixes: tuple[str, ...], first: str
) -> None:
    """Whichever worker comes first writes the deleted log into the file; what kill -9 would leave has every entry."""
    journal = await opened()
    async with OtherWorker.on(path) as other:
        await _append(journal, 1, 2)
        assert await other.append(3) == (journal.epoch, 3)
        for suffix in suffixes:
            _unlink(f"{path}{suffix}")
        if first == "this":
            assert await _append(journal, 4) == [4]
        assert await other.append(5) == (journal.epoch, 5 if first == "this" else 4)
        assert await _append(journal, 6, 5) == ([6, 5] if first == "this" else [5, 4])
        survivor = SqliteJournal(path.with_name("survivor.db"))
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{survivor.path}{suffix}")
        await survivor.open()
        assert await survivor.head() == (6 if first == "this" else 5)
        assert await _whole(survivor)
        await survivor.close()


async def test_a_renewal_alone_saves_an_unlinked_log(path: Path, opened: Opened) -> None:
    """A leader without trades renews its lease every two seconds: that is enough."""
    journal = await opened()
    await _append(journal, 1)
    lease = await journal.acquire("a", 9)
    assert lease is not None
    _unlink(f"{path}-wal")
    await journal.renew(lease, 9, "")
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as file:
        assert file.execute("SELECT COUNT(*) FROM entries").fetchone() == (1,)


async def test_a_file_that_is_gone_is_waited_for(path: Path, opened: Opened) -> None:
    """Nothing is written into a deleted file; put back it goes on."""
    journal = await opened()
    await _append(journal, 1)
    _rename(path, f"{path}.gone")
    for attempt in (_append(journal, 2), journal.read(0, 9), journal.marks()):
        with pytest.raises(JournalDamaged, match="was moved or deleted; nothing is recorded until it is put back"):
            await attempt
    _rename(f"{path}.gone", path)
    assert await _append(journal, 2) == [2]


async def test_another_programs_file_in_its_place_is_refused(path: Path, opened: Opened) -> None:
    """Nothing is written into it, and the journal goes on when it is put back."""
    journal = await opened()
    await _append(journal, 1)
    _rename(path, f"{path}.gone")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    for _ in range(2):
        with pytest.raises(JournalError):
            await _append(journal, 2)
    _rename(f"{path}.gone", path)
    assert await _append(journal, 2) == [2]


def _overwrite(path: Path, text: bytes) -> None:
    """Overwrite the page that holds a text with noise."""
    content = bytearray(path.read_bytes())
    page = content.index(text) // 4096 * 4096
    content[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


async def test_a_damaged_page_is_named(path: Path, opened: Opened) -> None:
    """A page read over it, and the check of pages, fail with JournalDamaged; other pages are read as before."""
    journal = SqliteJournal(path)
    await journal.open()
    for start in range(0, 4000, 500):
        await _append(journal, *range(start, start + 500))
    await journal.close()
    _overwrite(path, b'"trade_id":"t2100"')
    again = await opened()
    damaged = None
    for after in range(0, 4000, 500):
        try:
            assert len(await again.read(after, 500)) == 500
        except JournalDamaged as error:
            assert after == 2000
            with pytest.raises(JournalDamaged, match=r"^entry 2[01]\d\d: "):
                await again.verify(after, 500)
            damaged = error
    assert damaged is not None
    assert [problem async for problem in problems(again)] != []


async def test_a_missing_row_is_damage_and_not_the_end(opened: Opened) -> None:
    """In the middle and at the end of what is read, the entry is named."""
    journal = await opened()
    await _append(journal, *range(1, 7))

    def cut(seq: int) -> StatementSteps[None]:
        yield Statement("DELETE FROM entries WHERE seq = ?", [seq])

    await journal.change(cut(6))
    with pytest.raises(JournalDamaged, match="entry 6 is missing"):
        await journal.read(4, 9)
    assert [entry.seq for entry in await journal.read(3, 2)] == [4, 5]
    await journal.change(cut(3))
    for after, limit in ((0, 9), (2, 1)):
        with pytest.raises(JournalDamaged, match="entry 3 is missing"):
            await journal.read(after, limit)


async def test_a_copy_over_a_used_file_is_noticed(path: Path, opened: Opened, tmp_path: Path) -> None:
    """cp over the file, whose log stays, is what SQLite cannot survive: an error or a new epoch, never unnoticed."""
    journal = await opened()
    await _append(journal, 1, 2)
    await back_up(journal, tmp_path / "backup.db")
    for number in range(3, 40):
        await _append(journal, number)
    shutil.copyfile(tmp_path / "backup.db", path)
    again = None
    try:
        again = await opened()
        await _append(journal, 40)
        assert await _whole(again)
    except (JournalReverted, JournalDamaged, JournalUnavailable, AssertionError):
        return
    assert await again.head() == 40


async def test_calls_at_once_reopen_once(path: Path, opened: Opened) -> None:
    """Many calls that find the files changed all succeed."""
    journal = await opened()
    await _append(journal, 1)
    _unlink(f"{path}-wal")
    results = await asyncio.gather(*(journal.read(0, 9) for _ in range(8)), _append(journal, 2), journal.read_head())
    assert all(results)
    assert await journal.head() == 2


async def _waits_for_the_lock() -> None:
    """Wait until the thread that writes has begun its transaction and cannot go on."""
    last: object = None

    def stands() -> bool:
        nonlocal last
        frames = [frame for frame in sys._current_frames().values() if frame.f_code.co_name == "_transact"]
        before, last = last, [frame.f_lasti for frame in frames]
        return bool(frames) and before == last

    await eventually(stands, every=0.05)


async def test_a_file_replaced_while_a_write_waits_gets_the_write(path: Path, opened: Opened) -> None:
    """The files are compared once more when the transaction has its lock: nothing goes into a file without a name."""
    journal = await opened()
    await _append(journal, 1)
    backup = path.with_name("backup.db")
    await back_up(journal, backup)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(_append(journal, 2))
        await _waits_for_the_lock()
        await _move_clean(path, backup)
        other.execute("ROLLBACK")
    assert await write == [2]
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("SELECT head FROM journal").fetchone() == (2,)
    assert await _whole(journal)
