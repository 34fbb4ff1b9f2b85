"""The journal in MySQL or MariaDB, for several hosts: one connection that writes, one that reads, every call bounded.

asyncmy carries it: compiled, typed and released in November 2026, where aiomysql's last release is a year older.
Tested on MariaDB 10.11; written for MySQL 8 as well, but not tested there.
"""

import logging
import ssl
from typing import Any

import asyncmy

from journal.dsn import MysqlAddress
from journal.errors import JournalDamaged, JournalUnavailable
from journal.mysql_driver import MysqlDriver
from journal.schema import MYSQL_STEPS, new_epoch
from journal.sql_journal import SqlJournal, epoch_and_head
from journal.statements import Dialect, Statement, StatementSteps, T

_log = logging.getLogger(__name__)


class MysqlJournal(SqlJournal):
    """Entries in a database of their own, shared safely by any number of hosts.

    limit: seconds after which a call gives up with JournalUnavailable; what it was writing may then still be kept,
    and appending it again is safe.
    """

    dialect = Dialect(
        "UNIX_TIMESTAMP(NOW(6))", " FOR UPDATE", lambda index: f" FORCE INDEX ({index})"
    )  # fmt: skip

    def __init__(self, place: MysqlAddress, limit: float = 10.0) -> None:
        self.epoch = ""
        self._place = place
        self._limit = limit
        where = f"journal {place}"
        # The writer's first question locks a row; only then does its view of the rest begin, so that it sees all
        # that earlier writers kept. The reader's view is one moment for a whole page.
        self._writer = MysqlDriver(self._connect, "START TRANSACTION", where, limit)
        self._reader = MysqlDriver(self._connect, "START TRANSACTION READ ONLY", where, limit)

    async def open(self) -> None:
        """Makes or migrates the tables; JournalDamaged when the database holds another program's."""
        await self._writer.run(self._migrate())
        self.epoch, _ = await self.view(epoch_and_head())

    async def close(self) -> None:
        """Closes both connections."""
        await self._reader.close()
        await self._writer.close()

    async def size(self) -> int:
        """Bytes of rows and indexes, as the server estimates them."""
        return await self.view(_size())

    async def change(self, steps: StatementSteps[T]) -> T:
        return await self._writer.run(steps)

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
        """Takes the steps not taken yet. A statement that makes a table commits at once, so each is one step."""
        lock = f"{self._place.database}.journal"[:64]
        [(got,)] = yield Statement("SELECT GET_LOCK(?, ?)", [lock, self._limit / 2])
        if got != 1:
            raise JournalUnavailable(f"journal {self._place} is being migrated by another process that does not finish")
        # From here to the release an error drops the connection, and the server then drops the lock.
        found = yield Statement("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        tables = {name for (name,) in found}
        if "entries" in tables and "journal_steps" not in tables:
            raise JournalDamaged(f"{self._place} holds another program's tables; give the journal its own database")
        if "journal_steps" not in tables:
            yield Statement("CREATE TABLE journal_steps (step INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        yield from self._steps()
        [(flush,)] = yield Statement("SELECT @@innodb_flush_log_at_trx_commit")
        if flush != 1:
            _log.warning("%s may lose what it kept in a power cut: innodb_flush_log_at_trx_commit is not 1", lock)
        yield Statement("SELECT RELEASE_LOCK(?)", [lock])

    def _steps(self) -> StatementSteps[None]:
        [(taken,)] = yield Statement("SELECT COALESCE(MAX(step), 0) FROM journal_steps")
        if taken > len(MYSQL_STEPS):
            raise JournalDamaged(f"journal {self._place} was made by a newer version ({taken}); update this program")
        for step, statement in enumerate(MYSQL_STEPS[taken:], start=taken + 1):
            yield Statement(statement)
            yield Statement("INSERT INTO journal_steps (step) VALUES (?)", [step])
            yield Statement("COMMIT")
        yield Statement("UPDATE journal SET epoch = ? WHERE epoch = ''", [new_epoch()])
        yield Statement("COMMIT")


def _size() -> StatementSteps[int]:
    sql = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables"
    [(size,)] = yield Statement(f"{sql} WHERE table_schema = DATABASE()")
    return int(size)
