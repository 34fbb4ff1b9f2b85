"""One MySQL connection, for one call at a time: made when needed, dropped after an error, each call with a limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from asyncmy.errors import MySQLError

from journal.errors import JournalDamaged, JournalError, JournalUnavailable
from journal.statements import Row, Statement, StatementSteps, T

# Duplicate key; unknown column; no such table; data too long: errors that a whole journal of this version never causes.
_NOT_WHOLE: Final = {1062, 1054, 1146, 1406}


class MysqlDriver:
    """Run steps in transactions, one after another. begin: the statement that starts one. limit: seconds per call."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], begin: str, where: str, limit: float) -> None:
        self._connect = connect
        self._begin = begin
        self._where = where
        self._limit = limit
        self._lock = asyncio.Lock()
        self._link: Any = None  # the driver's connection; None when there is none that can be trusted

    async def run(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        """Return the result of the steps, committed. limit: seconds, None for that of the driver.

        Raises JournalUnavailable when the server is away, hung or full, or refuses.
        """
        limit = self._limit if limit is None else limit
        try:
            async with asyncio.timeout(limit), self._lock:
                return await self._transact(steps)
        except TimeoutError:
            raise JournalUnavailable(f"{self._where} did not answer within {limit:g} s; is it hung?") from None
        except (MySQLError, OSError, EOFError) as error:
            raise _translated(error, self._where) from error

    async def close(self) -> None:
        """Close the connection, politely if the server answers within a second."""
        link, self._link = self._link, None
        if link is not None:
            try:
                async with asyncio.timeout(1):
                    await link.ensure_closed()
            except (TimeoutError, MySQLError, OSError):
                link.close()

    async def _transact(self, steps: StatementSteps[T]) -> T:
        try:
            await self._started()
            async with self._link.cursor() as cursor:
                result = await _carry(cursor, steps)
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

    async def _started(self) -> None:
        """Begin a transaction. A connection that the server has closed meanwhile is replaced, once."""
        if self._link is not None:
            try:
                await self._link.query(self._begin)
                return
            except (MySQLError, OSError, EOFError):
                self._drop()
        self._link = await self._connect()
        await self._link.query(self._begin)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


async def _carry(cursor: Any, steps: StatementSteps[T]) -> T:
    """Run each statement of the steps, send them its rows, and return their result."""
    rows: list[Row] | None = None
    while True:
        # On a thread: matching some hundred reports takes long enough to delay open streams.
        statement, result = await asyncio.to_thread(_advance, steps, rows)
        if statement is None:
            return cast(T, result)
        rows = await _rows(cursor, statement)


def _advance(steps: StatementSteps[T], rows: list[Row] | None) -> tuple[Statement | None, T | None]:
    """Return the next statement, or None and the result: a thread cannot pass on a StopIteration."""
    try:
        return (next(steps) if rows is None else steps.send(rows)), None
    except StopIteration as end:
        return None, end.value


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
