"""One SQLite connection and the one thread that uses it; the event loop only waits, and never without a limit."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from journal.errors import JournalDamaged, JournalError, JournalUnavailable
from journal.statements import Row, Statement, StatementSteps, T

_NOT_WHOLE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_SCHEMA}


class SqliteDriver:
    """Runs steps in transactions, one after another. connect makes the connection, on the thread, when needed."""

    def __init__(self, name: str, where: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._where = where
        self._connect = connect
        self._connection: sqlite3.Connection | None = None  # touched on the thread alone, but for interrupt

    async def run(self, begin: str, steps: StatementSteps[T], limit: float) -> T:
        """The result of the steps, committed. JournalUnavailable after limit seconds or when the disk says no."""
        work = self._executor.submit(self._transact, begin, steps)
        try:
            async with asyncio.timeout(limit):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            if self._connection is not None:
                self._connection.interrupt()
            raise JournalUnavailable(f"{self._where} did not answer within {limit:g} s; is its disk hung?") from None

    async def close(self, limit: float) -> None:
        """Closes the connection behind the work under way, if that ends within limit seconds."""
        work = self._executor.submit(self._disconnect)
        self._executor.shutdown(wait=False)
        try:
            async with asyncio.timeout(limit):
                await asyncio.wrap_future(work)
        except TimeoutError:
            raise JournalUnavailable(f"{self._where} could not be closed within {limit:g} s") from None

    def _transact(self, begin: str, steps: StatementSteps[T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute(begin)
            try:
                result = carry(self._connection, steps)
                self._connection.execute("COMMIT")
            except BaseException:
                self._undo()
                raise
            return result
        except (sqlite3.Error, OSError) as error:
            raise translated(error, self._where) from error

    def _undo(self) -> None:
        """Rolls back; a connection that cannot even do that is thrown away, and the next call makes a new one."""
        try:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def carry(connection: sqlite3.Connection, steps: StatementSteps[T]) -> T:
    """Asks what the steps ask, hands them the rows, and returns what they return."""
    try:
        ask = next(steps)
        while True:
            ask = steps.send(_rows(connection, ask))
    except StopIteration as end:
        result: T = end.value
        return result


def _rows(connection: sqlite3.Connection, ask: Statement) -> list[Row]:
    if ask.many:
        connection.executemany(ask.sql, ask.args)
        return []
    return connection.execute(ask.sql, ask.args).fetchall()


def translated(error: Exception, where: str) -> JournalError:
    """What a failure of SQLite or of the file system means for whoever keeps the journal."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _NOT_WHOLE:
        return JournalDamaged(f"{where} is not a whole journal ({error}); restore a backup or change JOURNAL_URL")
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return JournalUnavailable(f"no room left for {where}: {error}; make room, writing goes on by itself")
    return JournalUnavailable(f"{where} cannot be used now: {error}; check its folder, rights and disk")
