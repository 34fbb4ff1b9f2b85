"""The row that says who polls: taken, renewed and checked inside transactions, so that an old holder cannot write."""

from typing import Final

from journal.base import Lease
from journal.errors import LeaseLost
from journal.statements import Dialect, Row, Statement, StatementSteps

_SLACK: Final = 1.0  # seconds by which a clock may be set back without a lease looking dishonest


def acquire(dialect: Dialect, holder: str, term: float, epoch: str) -> StatementSteps[Lease | None]:
    """Takes a lease that is free, over, dishonest or the holder's own."""
    row, now = yield from _row(dialect)
    alive = _alive(row, now)
    if alive and row[0] != holder:
        return None
    token = row[1] if alive else row[1] + 1
    yield Statement(
        "UPDATE lease SET holder = ?, token = ?, expires = ?, term = ? WHERE id = 1", [holder, token, now + term, term]
    )
    return Lease(holder, token, now + term, row[4], epoch)


def check(dialect: Dialect, lease: Lease, epoch: str) -> StatementSteps[float]:
    """Raises LeaseLost unless lease is the row's and of the journal's epoch; the row stays locked. Returns the time.

    A term must not outlive its epoch: its holder remembers what a journal that went back in time no longer holds, and
    would not write it again. The row itself is the older one then, with the same holder and token.

    One that ran out and that nobody took is still its holder's: the token alone fences, since whoever takes it makes a
    new one. A full disk keeps every worker from renewing; what the holder has read must outlast that.
    """
    if epoch != lease.epoch:
        raise LeaseLost(f"the journal has a new epoch, {epoch}: a new term must begin")
    row, now = yield from _row(dialect)
    if (row[0], row[1]) != (lease.holder, lease.token):
        raise LeaseLost(f"the lease is {row[0] or 'nobody'}'s now (token {row[1]}), no longer {lease.holder}'s")
    if row[2] == 0:
        raise LeaseLost(f"the lease of {lease.holder} was given back")
    return now


def renew(dialect: Dialect, lease: Lease, term: float, status: str, epoch: str) -> StatementSteps[Lease]:
    """Another term and the bot's status, or LeaseLost."""
    now = yield from check(dialect, lease, epoch)
    yield Statement("UPDATE lease SET expires = ?, term = ?, bot_status = ? WHERE id = 1", [now + term, term, status])
    return Lease(lease.holder, lease.token, now + term, status, epoch)


def release(dialect: Dialect, lease: Lease) -> StatementSteps[None]:
    """Ends the lease now, if it is still this one."""
    yield Statement(
        "UPDATE lease SET expires = 0 WHERE id = 1 AND holder = ? AND token = ?", [lease.holder, lease.token]
    )


def current() -> StatementSteps[Lease | None]:
    """The row, whoever holds it."""
    rows = yield Statement("SELECT holder, token, expires, bot_status FROM lease WHERE id = 1 AND token > 0")
    return Lease(*rows[0]) if rows else None


def _row(dialect: Dialect) -> StatementSteps[tuple[Row, float]]:
    # The row first: waiting for its lock may take time, and the clock must be read after that.
    [row] = yield Statement(f"SELECT holder, token, expires, term, bot_status FROM lease WHERE id = 1{dialect.lock}")
    [(now,)] = yield Statement(f"SELECT {dialect.now}")
    return row, float(now)


def _alive(row: Row, now: float) -> bool:
    # An expiry further ahead than its term was not written by this clock: the clock was set back, and waiting
    # for it could take hours in which nobody polls.
    _, _, expires, term, _ = row
    return bool(now < expires <= now + term + _SLACK)
