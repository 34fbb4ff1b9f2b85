"""The whole picture: each part with its own source and age; one that failed says why, and the rest stands."""

import asyncio
import time
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

from cache.base import Answer
from journal.errors import JournalError
from kalshi.errors import KalshiError
from ledger.valuation import sum_known
from routes.history import newest
from routes.parameters import Query
from routes.problems import Problem, failed_part, from_exception
from routes.reconciliation import lifetime
from routes.responses import confirmed
from routes.services import Services

LAST_TRADES = 10
PATIENCE = 4.0  # seconds for each part; one that was never read and takes longer is told as a part that failed


async def summary(service: Services, query: Query) -> Answer:
    """Balance, positions, P&L, counts, bot status and the last trades."""
    balance, positions, trades = await asyncio.gather(
        _part(service.portfolio.balance()), _part(service.portfolio.positions()), _part(newest(service, LAST_TRADES))
    )
    parts = {
        "balance": _shown(balance),
        "positions": _shown(positions),
        "pnl": _pnl(positions),
        "lifetime": lifetime(service),
        "counts": _counts(service, positions),
        "bot": _bot(service),
        "trades": _shown(trades),
    }
    known = [part for part in (balance, positions, trades) if isinstance(part, Answer)]
    oldest = min(known, key=lambda answer: answer.as_of)
    return Answer(parts, oldest.source, oldest.as_of, stale=len(known) < 3 or any(answer.stale for answer in known))


async def _part(asked: Awaitable[Answer]) -> Answer | dict[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asked
    except (KalshiError, JournalError, TimeoutError) as error:
        slow = Problem(503, f"no answer within {PATIENCE:g} s; the next one may have it")
        problem = slow if isinstance(error, TimeoutError) else from_exception(error)
        return failed_part(problem.status, problem.detail)


def _shown(part: Answer | dict[str, Any]) -> dict[str, Any]:
    if not isinstance(part, Answer):
        return part
    return {"source": part.source, "as_of": confirmed(part), "stale": part.stale, **part.value}


def _pnl(positions: Answer | dict[str, Any]) -> dict[str, Any]:
    if not isinstance(positions, Answer):
        return positions
    rows = positions.value["positions"]
    unrealized = [row["unrealized_pnl"] for row in rows if row["quantity"]]
    return {
        "source": positions.source,
        "as_of": confirmed(positions),
        "stale": positions.stale,
        "markets": "unsettled",  # lifetime has those that paid out
        "realized": sum((row["realized_pnl"] for row in rows), Decimal(0)),
        "unrealized": sum_known(unrealized),
        "fees": sum((row["fees"] for row in rows), Decimal(0)),
        "unmarked": unrealized.count(None),  # open positions without a mark, which are not in unrealized
    }


def _counts(service: Services, positions: Answer | dict[str, Any]) -> dict[str, Any]:
    kept = positions.value["count"] if isinstance(positions, Answer) else None
    counts = {"positions": kept, "journal_entries": service.hub.position, "streams": len(list(service.hub.subscribers))}
    stale = not isinstance(positions, Answer) or positions.stale
    return {"source": "journal", "as_of": round(time.time(), 3), "stale": stale, **counts}


def _bot(service: Services) -> dict[str, Any]:
    """Return the bot's last good poll; stale once it is older than a live answer may be."""
    seen = service.supervisor.health()["bot"]
    polled, stale = service.supervisor.live.polled()
    return {"source": "bot_live", "as_of": round(polled, 3) or None, "stale": stale, **seen}
