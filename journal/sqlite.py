"""The journal in one SQLite file: a thread that writes, a thread that reads, and nothing on the event loop."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from platform import node
from typing import Final, NamedTuple

from journal.base import Journal
from journal.errors import JournalDamaged, JournalMisnamed, JournalMissing, JournalUnavailable
from journal.schema import SQLITE_STEPS, new_epoch, take
from journal.sqlite_driver import SqliteDriver
from journal.statements import Dialect, Statement, StatementSteps, T

log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x50494A31  # "PIJ1" in the file's header
_BUSY: Final = 4.0  # seconds to wait for another process that writes; less than a call's limit
_LOG_BYTES: Final = 4_194_304  # of the write-ahead log after a checkpoint, however much a long reader let it grow
_MIGRATION: Final = 600.0  # seconds that a change of the schema may take


class SqliteFiles(NamedTuple):
    """Device and inode of the journal, its write-ahead log and its shared memory; None for one that does not exist."""

    main: tuple[int, int] | None
    wal: tuple[int, int] | None
    shm: tuple[int, int] | None

    @classmethod
    def at(cls, path: Path) -> "SqliteFiles":
        """Return the files that are under the journal's names now; SQLite goes on writing into deleted ones."""
        return cls(*(_file_id(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")))


class FilesChanged(Exception):
    """The files under the journal's names are not those that the connections have open."""


class SqliteJournal(Journal):
    """Entries in a file of its own, shared safely by the processes of one host.

    create: make the file, and its folder, when missing; else that is JournalMissing. clock: Unix seconds, for leases.
    limit: seconds after which a call gives up with JournalUnavailable; the write may still happen; repeating is safe.
    """

    dialect = Dialect(
        "journal_clock()", "", lambda index: f" INDEXED BY {index}", " ON CONFLICT DO NOTHING",
        "PRAGMA integrity_check(20)",
    )  # fmt: skip

    def __init__(
        self, path: str | Path, clock: Callable[[], float] = time.time, limit: float = 10.0, create: bool = True
    ) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        self._clock = clock
        self._limit = limit
        self._create = create
        self._name = f"journal {path}"
        self._files: SqliteFiles | None = None  # those that the connections have open
        self._opening = asyncio.Lock()
        self._writer = SqliteDriver("journal-writer", self._name, self._connect_writer, self._check_files)
        self._reader = SqliteDriver("journal-reader", self._name, self._connect, self._check_files)

    async def open(self) -> None:
        """Make the file (0600) or its next version. Raises JournalDamaged when it is another program's."""
        await self._migrate()
        await self.refresh()

    async def close(self) -> None:
        """End both threads; a write under way is finished first, as long as the limit allows."""
        for driver in (self._reader, self._writer):
            await driver.close(self._limit)

    async def size(self) -> int:
        """Return the bytes of the file and its write-ahead log."""
        parts = (self.path, Path(f"{self.path}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    async def change(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        # IMMEDIATE takes the one write lock before the head is read: no other process can give the same seq.
        return await self._run(self._writer, "BEGIN IMMEDIATE", steps, limit)

    async def view(self, steps: StatementSteps[T]) -> T:
        return await self._run(self._reader, "BEGIN", steps, None)

    async def backup(self, file: Path) -> None:
        """Copy the journal as it is now to a new file, also while it is written to."""

        def copy(connection: sqlite3.Connection) -> None:
            with closing(_connect(file, "rw")) as target:
                connection.backup(target)

        await self._reader.call(copy, _MIGRATION)

    async def replace_with(self, file: Path) -> None:
        """Make the content of this journal that of another file, in one transaction, also while processes use it."""

        def copy(connection: sqlite3.Connection) -> None:
            with closing(_connect(file, "ro")) as source:
                source.backup(connection)

        await self._writer.call(copy, _MIGRATION)

    async def _run(self, driver: SqliteDriver, begin: str, steps: StatementSteps[T], limit: float | None) -> T:
        limit = self._limit if limit is None else limit
        try:
            return await driver.run(begin, self._checked(steps), limit)
        except FilesChanged:
            await self._reopen()
        return await driver.run(begin, self._checked(steps), limit)

    def _checked(self, steps: StatementSteps[T]) -> StatementSteps[T]:
        """Run steps if the files are the same once the transaction has its lock."""
        yield Statement("SELECT 1 FROM journal")  # opens the write-ahead log
        self._check_files()
        return (yield from steps)

    def _check_files(self) -> None:
        found = SqliteFiles.at(self.path)
        if found.main is None:
            raise JournalDamaged(f"{self._name} was moved or deleted; nothing is recorded until it is put back")
        if self._files is not None and found != self._files:
            raise FilesChanged

    async def _reopen(self) -> None:
        """Open the files that are under the journal's names now, after some were replaced or deleted."""
        async with self._opening:
            if SqliteFiles.at(self.path) == self._files:
                return  # another call has done it
            # Both connections, since SQLite shares what it knows of the files between those of one process.
            await self._reader.disconnect(self._limit)
            await self._writer.call(self._save_log, self._limit)
            self._files, self._create = None, False
            await self._migrate()
            log.warning("%s: its files were replaced or deleted; opened anew", self._name)

    def _save_log(self, connection: sqlite3.Connection) -> None:
        """Write the write-ahead log into the file that this connection has open, wherever the two are now."""
        found, before = SqliteFiles.at(self.path), self._files
        if before is not None and (found.wal not in (None, before.wal) or found.shm not in (None, before.shm)):
            return  # another process has begun a log of its own under this name: ours must not be written over it
        [(busy, _, _)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise JournalUnavailable(f"{self._name}: its write-ahead log was deleted and cannot be saved yet; retrying")
        if before is not None and found.main != before.main and SqliteFiles.at(self.path).wal == before.wal:
            # The log of the file that was replaced: SQLite would take it for that of the new one.
            for suffix in ("-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    async def _migrate(self) -> None:
        """Apply the migrations that the file lacks; store device and inode of its files."""
        if (await self._writer.run("BEGIN", _version(), self._limit)) < len(SQLITE_STEPS):
            log.info("%s: changing its schema to version %s", self._name, len(SQLITE_STEPS))
            await self._writer.run("BEGIN IMMEDIATE", self._steps(), _MIGRATION)
        # A read opens the write-ahead log, which then exists as long as a connection does.
        await self._writer.run("BEGIN", _version(), self._limit)
        self._files, self._create = SqliteFiles.at(self.path), False
        # The same for every process of this host, never stored.
        self.identity = blake2b(repr((_host(), self._files.main)).encode(), digest_size=8).hexdigest()

    def _steps(self) -> StatementSteps[None]:
        version = yield from _version()  # again: another process may have been faster
        self._check_version(version)
        for steps in SQLITE_STEPS[version:]:
            for step in steps:
                yield from take(step, self.dialect)
        if version < len(SQLITE_STEPS):
            yield Statement("UPDATE journal SET epoch = ? WHERE epoch = ''", [new_epoch()])
            yield Statement(f"PRAGMA application_id = {APPLICATION_ID}")
            yield Statement(f"PRAGMA user_version = {len(SQLITE_STEPS)}")

    def _connect_writer(self) -> sqlite3.Connection:
        if self._create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        elif not self.path.exists():
            raise JournalMissing(self._name)
        if self.path.stat().st_nlink > 1:
            raise JournalMisnamed(
                f"{self._name} has another name (a hard link), and SQLite would write a log for each; remove one"
            )
        connection = self._connect()
        try:
            connection.execute("BEGIN")
            self._check_ours(connection)
            connection.execute("COMMIT")
            _use_wal(connection)
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            connection.execute("PRAGMA synchronous = FULL")  # on disk, not merely with the kernel, when COMMIT returns
        except BaseException:
            connection.close()  # rolls back
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = _connect(self.path, "rw")
        connection.create_function("journal_clock", 0, self._clock)
        return connection

    def _check_ours(self, connection: sqlite3.Connection) -> None:
        # In a transaction, or another process that makes the journal now would show half of itself.
        [(owner,)] = connection.execute("PRAGMA application_id")
        [(version,)] = connection.execute("PRAGMA user_version")
        [(tables,)] = connection.execute("SELECT COUNT(*) FROM sqlite_master")
        if owner != APPLICATION_ID and (owner or version or tables):
            raise JournalDamaged(f"{self.path} is an SQLite file of another program; set JOURNAL_URL elsewhere")
        if not tables and not self._create:
            raise JournalMissing(self._name)
        self._check_version(version)

    def _check_version(self, version: int) -> None:
        if version > len(SQLITE_STEPS):
            raise JournalDamaged(f"{self._name} was made by a newer version ({version}); update this program")


def _version() -> StatementSteps[int]:
    [(version,)] = yield Statement("PRAGMA user_version")
    yield Statement("SELECT COUNT(*) FROM sqlite_master")
    return int(version)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY, isolation_level=None,
        check_same_thread=False,  # interrupt comes from the event loop's thread
    )  # fmt: skip


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


def _file_id(path: str) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


def _host() -> str:
    # The kernel's, so that containers that share a volume agree; it changes when the host is restarted.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return node()
