"""The journal in MySQL or MariaDB, for several hosts: one connection that writes, one that reads, with time limits.

asyncmy is the driver: compiled, typed and released in November 2026, where aiomysql's last release is a year older.
Tested on MariaDB 10.11; written for MySQL 8 as well, but not tested there.
"""

import logging
import ssl
from hashlib import blake2b
from typing import Any, Final

import asyncmy

from journal.errors import JournalDamaged, JournalMissing, JournalUnavailable
from journal.mysql_address import MysqlAddress
from journal.mysql_driver import MysqlDriver
from journal.schema import MYSQL_STEPS, new_epoch
from journal.sql_journal import SqlJournal
from journal.statements import Dialect, Statement, StatementSteps, T

log = logging.getLogger(__name__)

_MIGRATION: Final = 600.0  # seconds that a change of the schema may take


class MysqlJournal(SqlJournal):
    """Entries in a database of their own, shared safely by any number of hosts.

    create: make the tables when the database has none; else that is JournalMissing. limit: seconds after which a call
    gives up with JournalUnavailable; what it was writing may then still be written, and appending it again is safe.
    """

    dialect = Dialect(
        "UNIX_TIMESTAMP(NOW(6))", " FOR UPDATE", lambda index: f" FORCE INDEX ({index})",
        " ON DUPLICATE KEY UPDATE seq = seq",
        "CHECK TABLE entries, sightings, spans, marks, journal, lease",
    )  # fmt: skip

    def __init__(self, place: MysqlAddress, limit: float = 10.0, create: bool = True) -> None:
        super().__init__()
        self._place = place
        self._limit = limit
        self._create = create
        where = f"journal {place}"
        # The writer's first statement locks a row; only then does its snapshot begin, so that it has all that earlier
        # writers wrote. The reader's snapshot is one moment for a whole page.
        self._writer = MysqlDriver(self._connect, "START TRANSACTION", where, limit)
        self._reader = MysqlDriver(self._connect, "START TRANSACTION READ ONLY", where, limit)

    async def open(self) -> None:
        """Make or migrate the tables. Raises JournalDamaged when the database holds another program's."""
        await self._writer.run(self._migrate(), _MIGRATION)
        self.identity = await self.view(_identity())
        await self.refresh()

    async def close(self) -> None:
        """Close both connections."""
        await self._reader.close()
        await self._writer.close()

    async def size(self) -> int:
        """Return the bytes of rows and indexes, as the server estimates them."""
        return await self.view(_size())

    async def change(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        return await self._writer.run(steps, limit)

    async def view(self, steps: StatementSteps[T]) -> T:
        return await self._reader.run(steps)

    async def _connect(self) -> Any:
        place = self._place
        return await asyncmy.connect(
            host=place.host, port=place.port, user=place.user, password=place.password, database=place.database,
            charset="utf8mb4", connect_timeout=max(1, int(self._limit)), ssl=self._tls(), autocommit=False,
            # Strict, so that nothing is ever cut to fit; UTC, so that the lease's clock never jumps by an hour.
            init_command="SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', "
            f"innodb_lock_wait_timeout = {max(1, int(self._limit / 2))}",
        )  # fmt: skip

    def _tls(self) -> ssl.SSLContext | None:
        if not self._place.ssl:
            return None
        return ssl.create_default_context(cafile=self._place.ssl_ca)

    def _migrate(self) -> StatementSteps[None]:
        """Take the steps not taken yet. A statement that makes a table commits at once, so each is one step."""
        lock = f"{self._place.database}.journal"[:64]
        [(got,)] = yield Statement("SELECT GET_LOCK(?, ?)", [lock, self._limit / 2])
        if got != 1:
            raise JournalUnavailable(f"journal {self._place} is being migrated by another process that does not finish")
        # From here to the release an error drops the connection, and the server then drops the lock.
        found = yield Statement("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        tables = {name for (name,) in found}
        if "entries" in tables and "journal_steps" not in tables:
            raise JournalDamaged(f"{self._place} holds another program's tables; give the journal its own database")
        if "journal_steps" not in tables and not self._create:
            raise JournalMissing(f"journal {self._place}")
        if "journal_steps" not in tables:
            yield Statement("CREATE TABLE journal_steps (step INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        yield from self._steps()
        [(flush,)] = yield Statement("SELECT @@innodb_flush_log_at_trx_commit")
        if flush != 1:
            log.warning("%s may lose entries in a power cut: set innodb_flush_log_at_trx_commit to 1", lock)
        yield Statement("SELECT RELEASE_LOCK(?)", [lock])

    def _steps(self) -> StatementSteps[None]:
        [(taken,)] = yield Statement("SELECT COALESCE(MAX(step), 0) FROM journal_steps")
        if taken > len(MYSQL_STEPS):
            raise JournalDamaged(f"journal {self._place} was made by a newer version ({taken}); update this program")
        for step, change in enumerate(MYSQL_STEPS[taken:], start=taken + 1):
            if isinstance(change, str):
                yield Statement(change)
            else:
                yield from change(self.dialect)
            yield Statement("INSERT INTO journal_steps (step) VALUES (?)", [step])
            yield Statement("COMMIT")
        yield Statement("UPDATE journal SET epoch = ? WHERE epoch = ''", [new_epoch()])
        yield Statement("COMMIT")


def _identity() -> StatementSteps[str]:
    """Identify the physical journal: the server's own id where it has one, else its data directory on its host."""
    rows = yield Statement("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid')")
    if not rows:
        rows = yield Statement("SELECT @@hostname, @@port, @@datadir")
    [(database,)] = yield Statement("SELECT DATABASE()")
    return blake2b(repr((sorted(rows), database)).encode(), digest_size=8).hexdigest()


def _size() -> StatementSteps[int]:
    sql = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables"
    [(size,)] = yield Statement(f"{sql} WHERE table_schema = DATABASE()")
    return int(size)
