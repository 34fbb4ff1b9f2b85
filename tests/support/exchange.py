"""An exchange in memory for the backfill: it lags, fails and refuses on demand."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from kalshi.account_models import AccountSettlement, Balance, BankTransfer, Fill, Position
from kalshi.client import KalshiClient
from kalshi.fill_socket import Connected, Event


def fill(number: int, at: float, **changes: Any) -> Fill:
    """One execution, distinguished by number; it looks like tests.support.bot.trade(number)."""
    found = Fill(
        fill_id=f"f{number}", order_id=f"o{number}", ticker=f"KXBOT-{number % 7}", timestamp=Decimal(str(at)),
        book_side="bid" if number % 2 else "ask", outcome_side="yes" if number % 2 else "no",
        quantity=Decimal(1 + number % 50), yes_price=Decimal("0.65"), fee=Decimal("0.01"), is_taker=True,
    )  # fmt: skip
    return replace(found, **changes)


def settlement(ticker: str, at: float, **changes: Any) -> AccountSettlement:
    """One market that paid YES."""
    found = AccountSettlement(
        ticker=ticker, event_ticker="EV", result="yes", yes_quantity=Decimal(3), yes_cost=Decimal(1),
        no_quantity=Decimal(0), no_cost=Decimal(0), revenue=Decimal(3), fee=Decimal(0), value=Decimal(1),
        settled=Decimal(str(at)),
    )  # fmt: skip
    return replace(found, **changes)


class ScriptedExchange:
    """complete: Unix seconds up to which its reads are complete. wrong: the error that every call raises."""

    def __init__(self, complete: float = 0.0) -> None:
        self.fills_made: list[Fill] = []
        self.settled: list[AccountSettlement] = []
        self.held: list[Position] = []
        self.moved: list[BankTransfer] = []
        self.cash = Decimal(100)
        self.transfer_error: Exception | None = None
        self.complete = complete
        self.wrong: Exception | None = None
        self.asked: list[float] = []  # min_ts of each reading of fills

    async def user_data_timestamp(self) -> float:
        """See kalshi.client.KalshiClient, as for the others."""
        self._check()
        return self.complete

    async def fills(self, min_ts: float | None = None) -> AsyncIterator[Fill]:
        self._check()
        self.asked.append(min_ts or 0.0)
        for made in reversed(self.fills_made):
            if int(min_ts or 0) <= made.timestamp <= self.complete:
                yield made

    async def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        self._check()
        for made in self.settled:
            if int(min_ts or 0) <= made.settled <= self.complete:
                yield made

    async def positions(self, settled: str = "unsettled") -> list[Position]:
        self._check()
        return self.held

    async def balance(self) -> Balance:
        self._check()
        return Balance(self.cash, Decimal(0), 0, {})

    async def transfers(self) -> list[BankTransfer]:
        self._check()
        if self.transfer_error is not None:
            raise self.transfer_error
        return self.moved

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong


def as_client(exchange: object) -> KalshiClient:
    """Return an object with the methods of a client."""
    return cast(KalshiClient, exchange)


class ScriptedPush:
    """Yields the events that are put into its queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event] = asyncio.Queue()

    async def events(self) -> AsyncGenerator[Event, None]:
        yield Connected()
        while True:
            yield await self.queue.get()
