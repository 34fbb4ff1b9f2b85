"""One MySQL connection, for one call at a time: made when needed, dropped when in doubt, never waited for long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from asyncmy.errors import MySQLError

from journal.errors import JournalDamaged, JournalError, JournalUnavailable, LeaseLost
from journal.statements import Row, Statement, StatementSteps, T

# Duplicate key; unknown column; no such table; data too long: what a whole journal of this version never answers.
_NOT_WHOLE: Final = {1062, 1054, 1146, 1406}


class MysqlDriver:
    """Runs steps in transactions, one after another. begin: the statement that starts one. limit: seconds per call."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], begin: str, where: str, limit: float) -> None:
        self._connect = connect
        self._begin = begin
        self._where = where
        self._limit = limit
        self._lock = asyncio.Lock()
        self._link: Any = None  # the driver's connection; None when there is none that can be trusted

    async def run(self, steps: StatementSteps[T]) -> T:
        """The result of the steps, committed. JournalUnavailable when the server is away, hung, full or refuses."""
        try:
            async with asyncio.timeout(self._limit), self._lock:
                return await self._transact(steps)
        except TimeoutError:
            raise JournalUnavailable(f"{self._where} did not answer within {self._limit:g} s; is it hung?") from None
        except (MySQLError, OSError, EOFError) as error:
            raise _translated(error, self._where) from error

    async def close(self) -> None:
        """Says goodbye to the server, if it listens."""
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
                result = await carry(cursor, steps)
            await self._link.commit()
            return result
        except LeaseLost:
            await self._link.rollback()
            raise
        except BaseException:
            # Cancelled or failed midway: what the server would say next belongs to a question nobody asks any more.
            # It rolls back by itself when the connection is gone.
            self._drop()
            raise

    async def _started(self) -> None:
        """A connection in a fresh transaction. One that the server has left meanwhile is replaced, once."""
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


async def carry(cursor: Any, steps: StatementSteps[T]) -> T:
    """Asks what the steps ask, hands them the rows, and returns what they return."""
    rows: list[Row] | None = None
    while True:
        # On a thread: judging some hundred reports takes long enough for open streams to notice.
        ask, result = await asyncio.to_thread(_advance, steps, rows)
        if ask is None:
            return cast(T, result)
        rows = await _rows(cursor, ask)


def _advance(steps: StatementSteps[T], rows: list[Row] | None) -> tuple[Statement | None, T | None]:
    """The next question, or none and the result. A thread cannot hand over a StopIteration."""
    try:
        return (next(steps) if rows is None else steps.send(rows)), None
    except StopIteration as end:
        return None, end.value


async def _rows(cursor: Any, ask: Statement) -> list[Row]:
    sql = ask.sql.replace("?", "%s")  # no statement of ours holds either sign for another purpose
    if ask.many:
        await cursor.executemany(sql, ask.args)
        return []
    await cursor.execute(sql, ask.args or None)
    return list(await cursor.fetchall()) if cursor.description else []


def _translated(error: Exception, where: str) -> JournalError:
    code = error.args[0] if error.args else None
    if code in _NOT_WHOLE:
        return JournalDamaged(f"{where} is not a whole journal ({error}); restore a backup or change JOURNAL_URL")
    return JournalUnavailable(f"{where} cannot be used now: {error}; check that it runs, lets us in and has room")
