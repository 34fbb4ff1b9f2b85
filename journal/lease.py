"""The leader's lease, a row of the journal: checked inside each transaction, so that an old holder cannot write."""

from dataclasses import dataclass, field, replace
from typing import Final

from journal.errors import LeaseLost
from journal.statements import Dialect, Row, Statement, StatementSteps

_SLACK: Final = 1.0  # seconds by which a clock may be set back without a lease looking dishonest


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to be leader."""

    holder: str
    token: int  # grows with every new holder, so that an old one is recognised
    expires: float  # Unix seconds by the journal's own clock
    status: str = ""  # the last bot_status, as its JSON text, for the other workers
    epoch: str = field(default="", compare=False)  # of the journal; in one that went back in time tokens repeat


def acquire(dialect: Dialect, holder: str, term: float, epoch: str) -> StatementSteps[Lease | None]:
    """Take a lease that is free, expired, valid for more than its term, or the holder's own; else return None."""
    (owner, token, expires, old_term, status), now = yield from _row(dialect)
    # An expiry further ahead than its term was not written by this clock: the clock was set back, and waiting
    # for it could take hours without a leader.
    alive = now < expires <= now + old_term + _SLACK
    if alive and owner != holder:
        return None
    token = token if alive else token + 1
    yield Statement(
        "UPDATE lease SET holder = ?, token = ?, expires = ?, term = ? WHERE id = 1", [holder, token, now + term, term]
    )
    return Lease(holder, token, now + term, status, epoch)


def check(dialect: Dialect, lease: Lease, epoch: str) -> StatementSteps[float]:
    """Return the time. Raises LeaseLost unless lease is the row's and of the journal's epoch; the row stays locked.

    A term ends with its epoch: in a journal that went back in time, entries that the holder counts as written may be
    missing, while the row has the same holder and token. An expired lease that no other worker took is still the
    holder's, so that one that could not renew on a full disk can still write what it has read.
    """
    if epoch != lease.epoch:
        raise LeaseLost(f"the journal has a new epoch, {epoch}: a new term must begin")
    (holder, token, expires, _, _), now = yield from _row(dialect)
    if (holder, token) != (lease.holder, lease.token):
        owner = holder or "no worker"
        raise LeaseLost(f"the lease is held by {owner} now (token {token}), no longer by {lease.holder}")
    if expires == 0:
        raise LeaseLost(f"the lease of {lease.holder} was released")
    return now


def renew(dialect: Dialect, lease: Lease, term: float, status: str, epoch: str) -> StatementSteps[Lease]:
    """Hold the lease for another term, with the bot's status. Raises LeaseLost."""
    now = yield from check(dialect, lease, epoch)
    yield Statement("UPDATE lease SET expires = ?, term = ?, bot_status = ? WHERE id = 1", [now + term, term, status])
    return replace(lease, expires=now + term, status=status)


def _row(dialect: Dialect) -> StatementSteps[tuple[Row, float]]:
    # The row first: waiting for its lock may take time, and the clock must be read after that.
    [row] = yield Statement(f"SELECT holder, token, expires, term, bot_status FROM lease WHERE id = 1{dialect.lock}")
    [(now,)] = yield Statement(f"SELECT {dialect.now}")
    return row, float(now)
