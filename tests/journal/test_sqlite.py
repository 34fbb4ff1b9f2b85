"""The SQLite journal alone: its file, its disk, its clock, and a process killed at any moment."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from journal.codec import draft as body_draft
from journal.entries import Draft
from journal.errors import JournalDamaged, JournalMisnamed, JournalUnavailable, LeaseLost
from journal.sqlite import SqliteJournal
from journal.sqlite_driver import SqliteDriver
from journal.statements import Statement, StatementSteps
from tests.support.drafts import fill, trade
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The folder is made; the file and its log can be read by no other user."""
    path = tmp_path / "deep" / "down" / "a ?#%.db"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append([trade()])
    modes = {part.name: part.stat().st_mode & 0o777 for part in path.parent.iterdir()}
    await journal.close()
    assert set(modes.values()) == {0o600}
    assert "a ?#%.db" in modes


async def test_every_commit_is_on_disk(tmp_path: Path) -> None:
    """The writer's connection waits for the disk at each commit, not only for the kernel."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()

    def pragmas() -> StatementSteps[list[object]]:
        synchronous = yield Statement("PRAGMA synchronous")
        return [*synchronous[0], *(yield Statement("PRAGMA journal_mode"))[0]]

    assert await journal.change(pragmas()) == [2, "wal"]  # 2 is FULL
    await journal.close()


def _numbered(number: int) -> Draft:
    return trade(at=number, trade_id=f"t{number}")


async def test_a_log_that_a_long_reader_let_grow_shrinks_again(tmp_path: Path) -> None:
    """No checkpoint passes an open read; once it has ended the next entries bring the log back to its usual size."""
    path = tmp_path / "journal.db"
    journal, log = SqliteJournal(path), tmp_path / "journal.db-wal"
    await journal.open()
    await journal.append([_numbered(0)])
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM entries").fetchall()
    for start in range(1, 10_000, 1000):
        await journal.append([_numbered(number) for number in range(start, start + 1000)])
    assert log.stat().st_size > 5_000_000
    reader.close()
    for number in range(10_001, 10_004):
        await journal.append([_numbered(number)])
    assert log.stat().st_size < 4_200_000
    await journal.close()


def _text(path: Path) -> None:
    path.write_text("Dear diary, today I traded.\n" * 50)


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def _newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 0x50494A31")
    connection.execute("PRAGMA user_version = 99")
    connection.execute("CREATE TABLE entries (x)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [(_text, "damaged or no journal"), (_foreign, "another program"), (_newer, "newer version")],
    ids=["a text", "another program's database", "a newer version's journal"],
)
async def test_a_file_that_is_not_ours_is_refused(tmp_path: Path, spoil: object, seen: str) -> None:
    """Opening fails with the reason, and leaves the file as it was."""
    path = tmp_path / "journal.db"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    journal = SqliteJournal(path)
    with pytest.raises(JournalDamaged, match=seen):
        await journal.open()
    await journal.close()
    assert path.read_bytes() == before


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way of the folder is an error that names the journal."""
    (tmp_path / "file").touch()
    journal = SqliteJournal(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalUnavailable, match=r"journal\.db cannot be used"):
        await journal.open()
    await journal.close()


async def test_a_deleted_file_is_noticed(tmp_path: Path) -> None:
    """Writing into a file without a name is refused."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    await journal.open()
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(JournalDamaged, match="was moved or deleted; nothing is recorded until it is put back"):
        await journal.append([trade()])
    (tmp_path / "elsewhere.db").rename(path)
    assert (await journal.append([trade()])).by_draft == [1]
    await journal.close()


async def test_another_writer_is_waited_for_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that sits on the write lock makes append fail in time; once it lets go all is well."""
    monkeypatch.setattr("journal.sqlite._BUSY", 0.1)
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    slow = SqliteJournal(tmp_path / "journal.db")
    await slow.open()  # nothing to migrate: no lock is needed
    with pytest.raises(JournalUnavailable, match="locked"):
        await slow.append([trade()])
    assert time.monotonic() - started < 2
    assert await journal.head() == 0  # readers do not wait for writers
    other.execute("ROLLBACK")
    assert (await slow.append([trade()])).by_draft == [1]
    other.close()
    await slow.close()
    await journal.close()


async def test_the_change_to_a_log_waits_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite answers "locked" to that change at once; ours waits as long as elsewhere, then raises."""
    path = tmp_path / "journal.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as a second process that makes the same journal at this moment
    journal, pauses = SqliteJournal(path), list[float]()

    def paused(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    with monkeypatch.context() as patched:
        patched.setattr("journal.sqlite.time", SimpleNamespace(sleep=paused, monotonic=time.monotonic))
        opening = asyncio.create_task(journal.open())
        await eventually(lambda: len(pauses) > 2)
        assert not opening.done()
        other.execute("ROLLBACK")
        await opening
    assert set(pauses) == {0.02}
    await journal.close()
    (tmp_path / "second").mkdir()
    other = sqlite3.connect(tmp_path / "second" / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("journal.sqlite._BUSY", 0.1)
    never = SqliteJournal(tmp_path / "second" / "journal.db")
    with pytest.raises(JournalUnavailable, match="locked"):
        await never.open()
    await never.close()
    other.close()


async def test_a_start_that_hangs_is_given_up_and_so_is_the_end(tmp_path: Path) -> None:
    """Opening and closing a locked file take no longer than their limit; both handles end."""
    path = tmp_path / "journal.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    journal = SqliteJournal(path, limit=0.2)
    with pytest.raises(JournalUnavailable, match=r"did not answer within 0\.2 s"):
        await journal.open()
    with pytest.raises(JournalUnavailable, match=r"did not answer within 0\.2 s"):
        await journal.close()
    other.close()
    ours = ("journal-writer", "journal-reader")
    await eventually(lambda: not [each for each in threading.enumerate() if each.name.startswith(ours)])


async def test_a_connection_that_cannot_roll_back_is_replaced(tmp_path: Path) -> None:
    """A failed batch is gone with its connection, and the next batch gets a new one."""

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(tmp_path / "file.db", isolation_level=None, check_same_thread=False)
        made.set_authorizer(
            lambda action, what, *_: sqlite3.SQLITE_DENY if what == "ROLLBACK" else sqlite3.SQLITE_OK
        )  # fmt: skip
        made.execute("CREATE TABLE IF NOT EXISTS kept (x)")
        connections.append(made)
        return made

    def write(then: str) -> StatementSteps[int]:
        yield Statement("INSERT INTO kept VALUES (1)")
        [(count,)] = yield Statement(then)
        return int(count)

    connections: list[sqlite3.Connection] = []
    thread = SqliteDriver("journal-writer", "file.db", connect)
    with pytest.raises(JournalUnavailable, match="no such function"):
        await thread.run("BEGIN IMMEDIATE", write("SELECT nonsense()"), 5)
    assert await thread.run("BEGIN IMMEDIATE", write("SELECT COUNT(*) FROM kept"), 5) == 1
    assert len(connections) == 2
    await thread.close(5)


async def test_a_hung_disk_is_given_up(tmp_path: Path) -> None:
    """A call that takes longer than its limit ends with JournalUnavailable, and later ones work again."""
    answers = threading.Event()
    answers.set()

    def clock() -> float:
        answers.wait(20)
        return 1000.0

    journal = SqliteJournal(tmp_path / "journal.db", clock=clock, limit=0.3)
    await journal.open()
    answers.clear()
    with pytest.raises(JournalUnavailable, match="did not answer within 0.3 s"):
        await journal.acquire("a", 10)
    answers.set()

    async def kept() -> list[int] | None:
        with contextlib.suppress(JournalUnavailable):  # while the call that hung still ends
            return (await journal.append([trade()])).by_draft
        return None

    assert await eventually(kept) == [1]
    await journal.close()


async def test_a_clock_set_back_frees_the_lease(tmp_path: Path) -> None:
    """A lease that expires after more than its term can be taken: no wait of an hour, and nothing written twice."""
    now = [10_000.0]
    journal = SqliteJournal(tmp_path / "journal.db", clock=lambda: now[0])
    await journal.open()
    mine = await journal.acquire("a", 10)
    assert mine is not None
    now[0] -= 0.5  # a clock that is gently corrected loses nothing
    await journal.append([trade()], lease=mine)
    assert await journal.acquire("b", 10) is None
    now[0] -= 3600
    theirs = await journal.acquire("b", 10)
    assert theirs is not None
    with pytest.raises(LeaseLost):
        await journal.append([trade(trade_id="t2")], lease=mine)
    await journal.append([trade(trade_id="t2")], lease=theirs)
    await journal.close()


FULL_DISK = """
    import asyncio, resource, sys
    from journal.errors import JournalUnavailable
    from journal.sqlite import SqliteJournal
    from tests.support.drafts import trade

    def room(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    async def main():
        journal = SqliteJournal(sys.argv[1])
        await journal.open()
        kept, refused, number = 0, 0, 0
        for limit in (300_000, 301_000, 700_000, -1):
            room(limit)
            for _ in range(40):
                batch = [trade(trade_id=f"{number}-{i}", at=number) for i in range(50)]
                try:
                    kept += len((await journal.append(batch, marks={"number": str(number)})).entries)
                    number += 1
                except JournalUnavailable:
                    refused += 1
                    assert await journal.head() == kept, "half a batch was kept"
                    break
        assert refused >= 2, refused
        assert kept == number * 50 == await journal.head()
        assert (await journal.marks())["number"] == str(number - 1)
        assert [e.seq for e in await journal.read(0, 10**6)] == list(range(1, kept + 1))
        await journal.close()
        print("whole", refused)

    asyncio.run(main())
"""


def _script(text: str, *args: object) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text), *map(str, args)]


def test_a_full_disk_keeps_whole_batches_and_heals(tmp_path: Path) -> None:
    """No room: JournalUnavailable and nothing half-kept; room again: the same handle goes on."""
    done = subprocess.run(
        _script(FULL_DISK, tmp_path / "journal.db"), cwd=ROOT, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert done.stdout.startswith("whole"), done.stderr


ANNOUNCER = """
    import asyncio, sys
    from journal.sqlite import SqliteJournal
    from tests.support.drafts import trade

    async def main():
        journal = SqliteJournal(sys.argv[1])
        await journal.open()
        for number in range(10**6):
            batch = [trade(trade_id=f"{sys.argv[2]}-{number}-{i}") for i in range(3)]
            for entry in (await journal.append(batch)).entries:
                print(entry.seq, entry.body, flush=True)

    asyncio.run(main())
"""


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.slow)])
async def test_a_killed_process_loses_nothing_it_announced(tmp_path: Path, rounds: int) -> None:
    """kill -9 at any moment: whatever was announced is in the journal under its seq, and no seq is given twice."""
    path = tmp_path / "journal.db"
    announced: dict[int, str] = {}
    for number in range(rounds):
        child = await asyncio.create_subprocess_exec(
            *_script(ANNOUNCER, path, number), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )  # fmt: skip
        assert child.stdout is not None
        first = await child.stdout.readline()
        await asyncio.sleep((number * 0.0137) % 0.25)
        child.kill()
        lines = (first + await child.stdout.read()).decode().splitlines(keepends=True)
        await child.wait()
        for line in lines:
            if line.endswith("\n"):
                seq, body = line.split(" ", 1)
                assert int(seq) not in announced, "a seq was given twice"
                announced[int(seq)] = body.rstrip("\n")
    journal = SqliteJournal(path)
    await journal.open()
    kept = {entry.seq: entry.body for entry in await journal.read(0, 10**6)}
    head = await journal.head()
    await journal.close()
    assert list(kept) == list(range(1, head + 1))
    assert announced.items() <= kept.items()
    assert head - len(announced) <= 4 * rounds  # a batch kept but not announced yet, no more


async def test_a_fast_bot_is_not_compared_with_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many like trades of the bot lie within ten seconds, only the exchange's reports are read beside them."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    await journal.append([trade(trade_id=f"t{number}") for number in range(200)])
    read: list[str] = []

    def recorded(kind: str, body: str) -> Draft:
        read.append(body)
        return body_draft(kind, body)

    monkeypatch.setattr("journal.entry_store.codec.draft", recorded)
    await journal.append([trade(trade_id=f"u{number}") for number in range(200)])
    assert read == []
    assert (await journal.append([fill()])).heuristic == 1
    assert len(read) == 400
    await journal.close()


async def test_a_file_with_two_names_is_refused(tmp_path: Path) -> None:
    """SQLite writes a log beside each name: two services under two names would spoil the file."""
    first = SqliteJournal(tmp_path / "a.db")
    await first.open()
    await first.append([trade()])
    (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
    second = SqliteJournal(tmp_path / "b.db")
    with pytest.raises(JournalMisnamed, match=r"b\.db has another name"):
        await second.open()
    await second.close()
    assert not (tmp_path / "b.db-wal").exists()
    assert (await first.append([trade(trade_id="t2")])).entries[0].seq == 2  # the one that runs goes on
    await first.close()


async def test_two_services_may_share_a_file_through_a_symbolic_link(tmp_path: Path) -> None:
    """SQLite follows it, so both use one log, one epoch and one sequence."""
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    first, second = SqliteJournal(tmp_path / "a.db"), SqliteJournal(tmp_path / "b.db")
    await first.open()
    await second.open()
    await first.append([trade()])
    assert (await second.append([trade(trade_id="t2")])).entries[0].seq == 2
    assert (first.epoch, first.identity) == (second.epoch, second.identity)
    assert not (tmp_path / "b.db-wal").exists()
    await second.close()
    await first.close()
