"""The journal in MySQL or MariaDB, for several hosts: one connection that writes, one that reads, with time limits.

The driver is asyncmy, since aiomysql is a year older. Tested on MariaDB 10.11 and MySQL 9.7.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, cast

import asyncmy
from asyncmy.errors import MySQLError

from journal.base import Journal
from journal.dsn import MysqlAddress
from journal.errors import JournalDamaged, JournalError, JournalMissing, JournalUnavailable
from journal.schema import MYSQL_STEPS, new_epoch, take
from journal.statements import Dialect, Row, Statement, StatementSteps, T, advance

log = logging.getLogger(__name__)

_MIGRATION: Final = 600.0  # seconds that a change of the schema may take
# Duplicate key; unknown column; no such table; data too long: errors that a whole journal of this version never causes.
_NOT_WHOLE: Final = {1062, 1054, 1146, 1406}


@dataclass(eq=False)
class MysqlDriver:
    """One connection that runs steps in transactions, one after another; made when needed, dropped after an error."""

    connect: Callable[[], Awaitable[Any]]
    begin: str  # the statement that starts a transaction
    where: str
    limit: float  # seconds per call
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _link: Any = None  # the driver's connection; None when there is none that can be trusted

    async def run(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        """Return the result of the steps, committed. Raises JournalUnavailable when the server cannot be used."""
        limit = self.limit if limit is None else limit
        try:
            async with asyncio.timeout(limit), self._lock:
                return await self._transact(steps)
        except TimeoutError:
            raise JournalUnavailable(f"{self.where} did not answer within {limit:g} s; is it hung?") from None
        except (MySQLError, OSError, EOFError) as error:
            raise _translated(error, self.where) from error

    async def close(self) -> None:
        """Close the connection, with a quit message if the server answers within a second."""
        link, self._link = self._link, None
        if link is not None:
            try:
                async with asyncio.timeout(1):
                    await link.ensure_closed()
            except (TimeoutError, MySQLError, OSError):
                link.close()

    async def _transact(self, steps: StatementSteps[T]) -> T:
        try:
            await self._start()
            async with self._link.cursor() as cursor:
                result = await _run_steps(cursor, steps)
            await self._link.commit()
            return result
        except JournalError:
            await self._link.rollback()  # raised by the steps: the connection is as good as before
            raise
        except BaseException:
            # Cancelled or failed midway: the server's next answer would belong to a statement that was given up.
            # It rolls back by itself when the connection is gone.
            self._drop()
            raise

    async def _start(self) -> None:
        """Begin a transaction. A connection that the server has closed meanwhile is replaced, once."""
        if self._link is not None:
            try:
                await self._link.query(self.begin)
                return
            except (MySQLError, OSError, EOFError):
                self._drop()
        self._link = await self.connect()
        await self._link.query(self.begin)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


class MysqlJournal(Journal):
    """Entries in a database of their own, shared safely by any number of hosts.

    create: make the tables when the database has none; else that is JournalMissing. limit: seconds after which a call
    gives up with JournalUnavailable; the write may still happen; repeating is safe.
    """

    dialect = Dialect(
        "UNIX_TIMESTAMP(NOW(6))", " FOR UPDATE", lambda index: f" FORCE INDEX ({index})",
        " ON DUPLICATE KEY UPDATE seq = seq", "CHECK TABLE entries, sightings, spans, marks, journal, lease",
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
        # The server's own id where it has one, else its data directory on its host.
        rows = await self.rows("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid')")
        rows = rows or await self.rows("SELECT @@hostname, @@port, @@datadir")
        [(database,)] = await self.rows("SELECT DATABASE()")
        self.identity = blake2b(repr((sorted(rows), database)).encode(), digest_size=8).hexdigest()
        await self.refresh()

    async def close(self) -> None:
        """Close both connections."""
        await self._reader.close()
        await self._writer.close()

    async def size(self) -> int:
        """Return the bytes of rows and indexes, as the server estimates them."""
        sql = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables"
        return int((await self.rows(f"{sql} WHERE table_schema = DATABASE()"))[0][0])

    async def change(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        return await self._writer.run(steps, limit)

    async def view(self, steps: StatementSteps[T]) -> T:
        return await self._reader.run(steps)

    async def _connect(self) -> Any:
        place, half = self._place, max(1, int(self._limit / 2))
        try:
            return await asyncmy.connect(
                host=place.host, port=place.port, user=place.user, password=place.password, database=place.database,
                charset="utf8mb4", connect_timeout=max(1, int(self._limit)), ssl=tls(place), autocommit=False,
                # Strict, so that nothing is ever cut to fit; UTC, so that the lease's clock never jumps by an hour.
                # The server drops a client that vanished in the middle of a transaction, and with it the lease's lock.
                init_command="SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', "
                f"innodb_lock_wait_timeout = {half}, wait_timeout = {half}",
            )  # fmt: skip
        except (MySQLError, OSError, EOFError):
            raise
        except Exception as error:  # of any class, when a handshake is cut or is not that of MySQL
            raise ConnectionError(f"the handshake failed: {error!r}") from error

    def _migrate(self) -> StatementSteps[None]:
        """Take the steps not taken yet. A statement that makes a table commits at once, so each is one step."""
        lock = f"{self._place.database}.journal"[:64]
        [(got,)] = yield Statement("SELECT GET_LOCK(?, ?)", [lock, self._limit / 2])
        if got != 1:
            raise JournalUnavailable(f"journal {self._place} is being migrated by another process that does not finish")
        # From here to the release an error drops the connection, and the server then drops the lock.
        found = yield Statement("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        tables = {name for (name,) in found}
        if "journal_steps" not in tables:
            if "entries" in tables:
                raise JournalDamaged(f"{self._place} holds another program's tables; give the journal its own database")
            if not self._create:
                raise JournalMissing(f"journal {self._place}")
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
        for number, step in enumerate(MYSQL_STEPS[taken:], start=taken + 1):
            yield from take(step, self.dialect)
            yield Statement("INSERT INTO journal_steps (step) VALUES (?)", [number])
            yield Statement("COMMIT")
        yield Statement("UPDATE journal SET epoch = ? WHERE epoch = ''", [new_epoch()])
        yield Statement("COMMIT")


def tls(place: MysqlAddress) -> ssl.SSLContext | None:
    """Return the context that checks the server's certificate; None without ssl."""
    return ssl.create_default_context(cafile=place.ssl_ca) if place.ssl else None


async def _run_steps(cursor: Any, steps: StatementSteps[T]) -> T:
    """Run each statement of the steps, send them its rows, and return their result."""
    rows: list[Row] | None = None
    while True:
        # On a thread: matching some hundred reports takes long enough to delay open streams.
        statement, result = await asyncio.to_thread(advance, steps, rows)
        if statement is None:
            return cast(T, result)
        rows = await _rows(cursor, statement)


async def _rows(cursor: Any, statement: Statement) -> list[Row]:
    sql = statement.sql.replace("?", "%s")  # no statement of ours has either sign for another purpose
    if statement.many:
        await cursor.executemany(sql, statement.args)
        return []
    await cursor.execute(sql, statement.args or None)
    return list(await cursor.fetchall()) if cursor.description else []


def _translated(error: Exception, where: str) -> JournalError:
    code = error.args[0] if error.args else None
    if code in _NOT_WHOLE:
        return JournalDamaged(f"{where} is damaged or no journal ({error}); run `journal verify`, restore a backup")
    return JournalUnavailable(f"{where} cannot be used now: {error}; check that it runs, accepts the user and has room")
