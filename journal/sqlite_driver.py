"""One SQLite connection and the one thread that uses it. The event loop waits for it with a time limit."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, cast

from journal.errors import JournalDamaged, JournalError, JournalUnavailable
from journal.statements import StatementSteps, T, advance

_NOT_WHOLE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_SCHEMA}


class SqliteDriver:
    """Run steps in transactions, one after another.

    connect: makes the connection, on the thread, when needed. check: called before each; run raises what it raises.
    """

    def __init__(
        self, name: str, where: str, connect: Callable[[], sqlite3.Connection], check: Callable[[], None] = lambda: None
    ) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._where = where
        self._connect = connect
        self._check = check
        self._connection: sqlite3.Connection | None = None  # touched on the thread alone, but for interrupt

    async def run(self, begin: str, steps: StatementSteps[T], limit: float) -> T:
        """Return the committed steps' result. Raises JournalUnavailable after limit seconds or on disk errors."""
        work = self._executor.submit(self._use, lambda connection: self._transact(connection, begin, steps))
        return await self._wait(work, limit)

    async def call(self, work: Callable[[sqlite3.Connection], None], limit: float) -> None:
        """Call work with the connection outside of a transaction; then disconnect."""

        def once() -> None:
            self._use(work)
            self._disconnect()

        await self._wait(self._executor.submit(once), limit)

    async def disconnect(self, limit: float) -> None:
        """Close the connection after the work under way; the next call makes a new one."""
        await self._wait(self._executor.submit(self._disconnect), limit)

    async def close(self, limit: float) -> None:
        """Close the connection after the work under way, if that ends within limit seconds, and end the thread."""
        work = self._executor.submit(self._disconnect)
        self._executor.shutdown(wait=False)
        await self._wait(work, limit)

    async def _wait(self, work: "Future[T]", limit: float) -> T:
        try:
            async with asyncio.timeout(limit):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            if self._connection is not None:
                self._connection.interrupt()
            raise JournalUnavailable(f"{self._where} did not answer within {limit:g} s; is its disk hung?") from None

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise _translated(error, self._where) from error

    def _transact(self, connection: sqlite3.Connection, begin: str, steps: StatementSteps[T]) -> T:
        self._check()
        connection.execute(begin)
        try:
            result = _run_steps(connection, steps)
            connection.execute("COMMIT")
        except BaseException:
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._disconnect()  # the next call makes a new one
            raise
        return result

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _run_steps(connection: sqlite3.Connection, steps: StatementSteps[T]) -> T:
    """Run each statement of the steps, send them its rows, and return their result."""
    statement, result = advance(steps, None)
    while statement is not None:
        run = connection.executemany if statement.many else connection.execute
        statement, result = advance(steps, run(statement.sql, statement.args).fetchall())
    return cast(T, result)


def _translated(error: Exception, where: str) -> JournalError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _NOT_WHOLE:
        return JournalDamaged(f"{where} is damaged or no journal ({error}); run `journal verify`, restore a backup")
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return JournalUnavailable(f"no room left for {where}: {error}; make room, writing goes on by itself")
    return JournalUnavailable(f"{where} cannot be used now: {error}; check its folder, rights and disk")
