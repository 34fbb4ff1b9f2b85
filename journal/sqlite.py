"""The journal in one SQLite file: a thread that writes, a thread that reads, and nothing on the event loop."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from journal.errors import JournalDamaged
from journal.schema import SQLITE_STEPS, new_epoch
from journal.sql_journal import SqlJournal, epoch_and_head
from journal.sqlite_driver import SqliteDriver
from journal.statements import Dialect, StatementSteps, T

APPLICATION_ID: Final = 0x50494A31  # "PIJ1" in the file's header says whose file it is
_BUSY: Final = 4.0  # seconds to wait for another process that writes; less than a call's limit


class SqliteJournal(SqlJournal):
    """Entries in a file of its own, shared safely by the processes of one host.

    path: the file; its folder is made when missing. clock: Unix seconds, for leases. limit: seconds after which a
    call gives up with JournalUnavailable; what it was writing may then still be kept, and appending it again is safe.
    """

    dialect = Dialect("journal_clock()", "", lambda index: f" INDEXED BY {index}")

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time, limit: float = 10.0) -> None:
        self.epoch = ""
        self._path = Path(path).absolute()
        self._clock = clock
        self._limit = limit
        self._inode: int | None = None  # of the file as first opened
        self._writer = SqliteDriver("journal-writer", f"journal {path}", self._prepare)
        self._reader = SqliteDriver("journal-reader", f"journal {path}", self._connect)

    async def open(self) -> None:
        """Makes the file (0600) or its next version; JournalDamaged when it is another program's."""
        self.epoch, _ = await self.change(epoch_and_head())

    async def close(self) -> None:
        """Ends both threads; a write under way is finished first, as long as the limit allows."""
        for thread in (self._reader, self._writer):
            await thread.close(self._limit)

    async def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        parts = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    async def change(self, steps: StatementSteps[T]) -> T:
        # IMMEDIATE takes the one write lock before the head is read: no other process can give the same seq.
        return await self._writer.run("BEGIN IMMEDIATE", self._still_here(steps), self._limit)

    async def view(self, steps: StatementSteps[T]) -> T:
        return await self._reader.run("BEGIN", steps, self._limit)

    def _still_here(self, steps: StatementSteps[T]) -> StatementSteps[T]:
        # SQLite would go on writing into a file that has been deleted, and all of it would be lost at the end.
        if not self._path.exists() or self._path.stat().st_ino != self._inode:
            raise JournalDamaged(f"journal {self._path} was moved, deleted or replaced; put it back or restart")
        return (yield from steps)

    def _prepare(self) -> sqlite3.Connection:
        """The writer's connection, to a file that is ours and up to date."""
        if self._inode is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._inode = self._path.stat().st_ino
        connection = self._connect()
        try:
            connection.execute("BEGIN")
            self._check_ours(connection)
            connection.execute("COMMIT")
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")  # on disk, not merely with the kernel, when COMMIT returns
            connection.execute("BEGIN IMMEDIATE")
            self._migrate(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()  # rolls back
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{_quoted(self._path)}?mode=rw", uri=True, timeout=_BUSY, isolation_level=None,
            check_same_thread=False,  # interrupt comes from the event loop's thread
        )  # fmt: skip
        connection.create_function("journal_clock", 0, self._clock)
        return connection

    def _check_ours(self, connection: sqlite3.Connection) -> None:
        # In a transaction, or another process that makes the journal now would show half of itself.
        [(owner,)] = connection.execute("PRAGMA application_id")
        [(version,)] = connection.execute("PRAGMA user_version")
        [(tables,)] = connection.execute("SELECT COUNT(*) FROM sqlite_master")
        if owner != APPLICATION_ID and (owner or version or tables):
            raise JournalDamaged(f"{self._path} is an SQLite file of another program; set JOURNAL_URL elsewhere")
        if version > len(SQLITE_STEPS):
            raise JournalDamaged(f"journal {self._path} was made by a newer version ({version}); update this program")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        self._check_ours(connection)  # again: another process may have made it while this one waited for the lock
        [(version,)] = connection.execute("PRAGMA user_version")
        for statements in SQLITE_STEPS[version:]:
            for statement in statements:
                connection.execute(statement)
        if version < len(SQLITE_STEPS):
            connection.execute("UPDATE journal SET epoch = ? WHERE epoch = ''", [new_epoch()])
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(SQLITE_STEPS)}")


def _use_wal(connection: sqlite3.Connection) -> None:
    # Readers and the writer do not wait for each other. SQLite asks for the change without its own patience,
    # so that two processes that make a journal at once would meet "locked".
    deadline = time.monotonic() + _BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _quoted(path: Path) -> str:
    return path.as_uri().removeprefix("file://")
