"""The journal against the account: cash by cause, positions of every side, and lifetime profit from the journal."""

import time
from typing import Any, Final

from cache.base import Answer
from routes.parameters import Query
from routes.problems import Problem, failed_part
from routes.services import Services

FIRST_WAIT: Final = 5.0  # seconds that a request waits for the first comparison after the start
RETRY_AFTER: Final = {"Retry-After": "5"}


async def reconciliation(services: Services, query: Query) -> Answer:
    """Return the last comparison of the journal with the account. Raises Problem before the first one."""
    services.client.calls.keys()  # without keys there is nothing to compare with
    audit = services.audit
    result = await audit.first_result(FIRST_WAIT)
    if result is None:
        reading = _progress(services)
        reason = audit.health.reason or reading or "the first comparison has not ended"
        raise Problem(503, f"the account has not been compared yet: {reason}", RETRY_AFTER)
    return Answer({"mode": services.ledgers.latest_mode, **result.body}, "journal", result.read_at, audit.stale)


def lifetime(services: Services) -> dict[str, Any]:
    """Return the P&L of everything in the journal; null where no entry says, an error while it is being read."""
    ledgers = services.ledgers
    if not ledgers.ready:
        return failed_part(503, _progress(services))
    ledger = ledgers.account()
    totals = ledger.totals if ledger is not None else None
    return {
        "source": "journal", "as_of": round(time.time(), 3), "stale": False, "mode": ledgers.latest_mode,
        "since": ledger.begun if ledger is not None else None,
        "realized": totals.realized if totals else None, "fees": totals.fees if totals else None,
        "net": totals.net if totals else None, "trades": totals.trades if totals else 0,
        "settled_markets": totals.settled if totals else 0,
    }  # fmt: skip


def _progress(services: Services) -> str:
    ledgers = services.ledgers
    if ledgers.ready:
        return ""
    return f"the journal is being read: {ledgers.position} of {max(services.hub.position, ledgers.head)} entries"
