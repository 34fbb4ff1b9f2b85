"""The account as it is when the journal begins: cash and positions of one moment, read while nothing happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Final, Protocol

from ingest.exchange_entries import baseline_of
from ingest.poll_overlap import seconds
from journal.entries import Baseline, Mode
from kalshi.account_models import Balance, Fill, Position
from kalshi.errors import BadAnswer

TRIES: Final = 20
PAUSE: Final = 0.2  # seconds between two tries
LOOK_BACK: Final = 60.0  # seconds of fills that are compared before and after


class BaselineReads(Protocol):
    """Account reads of the exchange. Each may raise KalshiError."""

    async def user_data_timestamp(self) -> float:
        """Return the Unix seconds up to which its account reads are complete."""
        ...

    async def balance(self) -> Balance:
        """Return the cash."""
        ...

    async def positions(self) -> list[Position]:
        """Return the unsettled positions."""
        ...

    def fills(self, min_ts: float | None = None) -> AsyncIterator[Fill]:
        """Yield every execution since then."""
        ...


async def read_account(exchange: BaselineReads, mode: Mode, clock: Callable[[], float]) -> Baseline:
    """Return cash and positions that hold the same executions: none came while they were read.

    Its timestamp is that of the newest of them, so that an execution is in the baseline or after it and never in both.
    Raises KalshiError, also for an account that trades without a pause.
    """
    for _ in range(TRIES):
        complete = min(clock(), await exchange.user_data_timestamp())
        before = await _recent(exchange, complete)
        cash = (await exchange.balance()).balance
        positions = await exchange.positions()
        after = await _recent(exchange, complete)
        if before == after and cash == (await exchange.balance()).balance:
            return baseline_of(positions, max([seconds(complete), *after.values()]), mode, cash)
        await asyncio.sleep(PAUSE)
    raise BadAnswer("the account trades without a pause, so that its cash and positions cannot be read together")


async def _recent(exchange: BaselineReads, complete: float) -> dict[str, Decimal]:
    return {fill.fill_id: fill.timestamp async for fill in exchange.fills(min_ts=complete - LOOK_BACK)}
