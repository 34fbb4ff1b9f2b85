"""The account as a whole: the summary, lifetime P&L from the journal, and the journal against the account."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from cache.base import Answer
from journal.errors import JournalError
from kalshi.errors import KalshiError
from ledger.marks import sum_known
from routes.context import Services
from routes.endpoint import Query
from routes.history import newest
from routes.problems import Problem, failed_part, from_exception
from routes.responses import provenance

Part = Answer | dict[str, Any]  # a part of the summary, or its failure
LAST_TRADES: Final = 10
PATIENCE: Final = 4.0  # seconds for each part; one that was never read and takes longer is a part that failed
FIRST_WAIT: Final = 5.0  # seconds that a request waits for the first comparison after the start


async def summary(service: Services, query: Query) -> Answer:
    """Balance, positions, P&L, counts, bot status and last trades, each with its own source and age, or its failure."""
    balance, positions, trades = await asyncio.gather(
        _part(service.portfolio.balance()), _part(service.portfolio.positions()), _part(newest(service, LAST_TRADES))
    )
    parts = {
        "balance": balance, "positions": positions, "pnl": _pnl(positions), "lifetime": _lifetime(service),
        "counts": _counts(service, positions), "bot": _bot(service), "trades": trades,
    }  # fmt: skip
    shown = {
        name: {**provenance(part), **part.value} if isinstance(part, Answer) else part for name, part in parts.items()
    }
    known = [part for part in (balance, positions, trades) if isinstance(part, Answer)]
    oldest = min(known, key=lambda answer: answer.as_of)
    return Answer(shown, oldest.source, oldest.as_of, stale=len(known) < 3 or any(answer.stale for answer in known))


async def reconciliation(services: Services, query: Query) -> Answer:
    """Return the last comparison of the journal with the account. Raises Problem before the first one."""
    services.client.calls.keys()  # without keys there is nothing to compare with
    audit = services.audit
    result = await audit.first_result(FIRST_WAIT)
    if result is None:
        reason = audit.health.reason or _progress(services) or "the first comparison has not ended"
        raise Problem(503, f"the account has not been compared yet: {reason}", {"Retry-After": "5"})
    return Answer({"mode": services.ledgers.latest_mode, **result.body}, "journal", result.read_at, audit.stale)


async def _part(reading: Awaitable[Answer]) -> Part:
    try:
        async with asyncio.timeout(PATIENCE):
            return await reading
    except TimeoutError:
        return failed_part(503, f"no answer within {PATIENCE:g} s; the next one may have it")
    except (KalshiError, JournalError) as error:
        problem = from_exception(error)
        return failed_part(problem.status, problem.detail)


def _pnl(positions: Part) -> Part:
    if not isinstance(positions, Answer):
        return positions
    rows = positions.value["positions"]
    unrealized = [row["unrealized_pnl"] for row in rows if row["quantity"]]
    return replace(positions, value={
        "markets": "unsettled",  # lifetime has those that paid out
        "realized": sum((row["realized_pnl"] for row in rows), Decimal(0)),
        "unrealized": sum_known(unrealized),
        "fees": sum((row["fees"] for row in rows), Decimal(0)),
        "unmarked": unrealized.count(None),  # open positions without a mark, which are not in unrealized
    })  # fmt: skip


def _counts(service: Services, positions: Part) -> Part:
    hub = service.hub
    count, stale = (positions.value["count"], positions.stale) if isinstance(positions, Answer) else (None, True)
    counts = {"positions": count, "journal_entries": hub.position, "streams": len(list(hub.subscribers))}
    return Answer(counts, "journal", time.time(), stale)


def _lifetime(services: Services) -> Part:
    """Return the P&L of everything in the journal; null where no entry has it, an error while it is being read."""
    ledgers = services.ledgers
    if not ledgers.ready:
        return failed_part(503, _progress(services))
    ledger = ledgers.account()
    totals = ledger.totals if ledger is not None else None
    figures = {
        "mode": ledgers.latest_mode, "since": ledger.begun if ledger is not None else None,
        "realized": totals.realized if totals else None, "fees": totals.fees if totals else None,
        "net": totals.net if totals else None, "trades": totals.trades if totals else 0,
        "settled_markets": totals.settled if totals else 0,
    }  # fmt: skip
    return Answer(figures, "journal", time.time())


def _progress(services: Services) -> str:
    ledgers = services.ledgers
    if ledgers.ready:
        return ""
    return f"the journal is being read: {ledgers.position} of {max(services.hub.position, ledgers.head)} entries"


def _bot(service: Services) -> Part:
    """Return the bot's last good poll; stale once it is older than a live answer may be."""
    return Answer(service.supervisor.health()["bot"], "bot_live", *service.supervisor.live.polled())
