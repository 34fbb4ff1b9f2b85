"""Portfolio: balance, positions, fills, orders, settlements, each an Answer in our words and units.

Sides. The exchange has one book per market, that of YES (Kalshi docs: order_direction). Whoever bids there takes YES
or gives back NO; which of the two it was the fill does not say. So fills and orders are told in YES terms: side BUY
for a bid and SELL for an ask, outcome "yes", price the YES price. That alone adds up to the positions, and it is how
executions are compared: BUY no at p is SELL yes at 1 - p.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from cache.base import Answer
from cache.fallback import Keeper, Settled
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from kalshi.freshness import Freshness
from kalshi.limits import Lane
from kalshi.marks import Mark, mark
from kalshi.models import Balance, Fill, Order, Position, Settlement

Read = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Tiers:
    """Seconds that answers are good for: upper bounds, for a trade ends them earlier."""

    account: float = 3600.0  # balance, positions
    history: float = 86400.0  # fills, settlements
    marks: float = 15.0  # prices of held markets; orders too, which come and go without a trade


class Portfolio:
    """What the account holds and did. Every method raises KalshiError, NotConfigured without keys."""

    def __init__(
        self,
        client: KalshiClient,
        keeper: Keeper,
        tiers: Tiers | None = None,
        lane: Lane = "public",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._keeper, self._lane = client, keeper, lane
        self.tiers = tiers or Tiers()
        self.freshness = Freshness(clock)
        self._prefix = f"kalshi:{client.account}"
        # All mutable state besides freshness: positions with their marks, by status, remade when either part changes.
        self._valued: dict[str, tuple[Answer, Answer | None, Answer]] = {}

    def touched(self, at: float) -> None:
        """A trade or settlement happened at this time (Unix seconds): what was read before it is stale now."""
        self.freshness.touched(at)

    async def balance(self) -> Answer:
        """`balance`, `portfolio_value_reported`, `currency`, `by_exchange_index` (cash per shard)."""

        async def read() -> dict[str, Any]:
            return _balance(await self._client.balance(self._lane))

        return await self._account("balance", self.tiers.account, read)

    async def positions(self, settled: Literal["unsettled", "settled", "all"] = "unsettled") -> Answer:
        """`positions`, `count`, `marks_as_of`, `marks_stale`; settled: unsettled, settled or all.

        Marks come from one batched call of their own and are younger than the rest; without them mark, value and
        unrealized_pnl are null and the rest stands. source, as_of and stale are those of the positions.
        """

        async def read() -> dict[str, Any]:
            return {"positions": [_position(row) for row in await self._client.positions(settled, self._lane)]}

        held = await self._account(f"positions:{settled}", self.tiers.account, read)
        tickers = sorted(row["ticker"] for row in held.value["positions"] if row["quantity"])
        marks = await self._marks(tickers) if tickers else None
        known = self._valued.get(settled)
        if known is not None and known[0] is held and known[1] is marks:
            return known[2]
        valued = Answer(_valued(held.value["positions"], marks), held.source, held.as_of, held.stale)
        self._valued[settled] = held, marks, valued
        return valued

    async def fills(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """`fills`, `count`, `next`: one page, newest first; `next` leads on into the exchange's historical tier."""

        async def read() -> dict[str, Any]:
            page = await self._client.fills_page(limit, cursor, self._lane)
            return {"fills": [_fill(row) for row in page.rows], "count": len(page.rows), "next": page.next}

        return await self._account(_paged("fills", limit, cursor), self.tiers.history, read)

    async def orders(self, limit: int = 100, cursor: str | None = None, status: str | None = None) -> Answer:
        """`orders`, `count`, `next`: one page; status: resting, canceled or executed."""

        async def read() -> dict[str, Any]:
            page = await self._client.orders(status, limit, cursor, self._lane)
            return {"orders": [_order(row) for row in page.rows], "count": len(page.rows), "next": page.next}

        return await self._account(_paged(f"orders:{status or 'all'}", limit, cursor), self.tiers.marks, read)

    async def settlements(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """`settlements`, `count`, `next`: one page, newest first."""

        async def read() -> dict[str, Any]:
            page = await self._client.settlements_page(limit, cursor, self._lane)
            return {"settlements": [_settlement(row) for row in page.rows], "count": len(page.rows), "next": page.next}

        return await self._account(_paged("settlements", limit, cursor), self.tiers.history, read)

    async def _account(self, name: str, ttl: float, read: Read) -> Answer:
        self._client.calls.keys()  # without keys there is nothing to keep, not even a failure

        async def fetch() -> Settled:
            through = await self._through()  # before the answer: afterwards it would promise too much
            return Settled(await read(), through)

        return await self._keeper.get(f"{self._prefix}:{name}", ttl, fetch, self.freshness.since)

    async def _through(self) -> float:
        try:
            return await self._client.user_data_timestamp(self._lane)
        except KalshiError:
            return 0.0  # unknown: the answer itself may still come, and is settled only while nothing has happened

    async def _marks(self, tickers: list[str]) -> Answer | None:
        """Price and title by ticker, as Marks; None when they cannot be had."""

        async def fetch() -> dict[str, Any]:
            markets = await self._client.markets_named(tickers, self._lane)
            marks = {market.ticker: mark(market) for market in markets}
            return {ticker: [one.yes, one.title] for ticker, one in marks.items()}

        try:
            return await self._keeper.get(f"{self._prefix}:marks:{_short(tickers)}", self.tiers.marks, fetch)
        except KalshiError:
            return None  # counted and told by the client; positions without prices are better than none


def _short(names: list[str]) -> str:
    return hashlib.sha256(",".join(names).encode()).hexdigest()[:24]


def _paged(name: str, limit: int, cursor: str | None) -> str:
    return f"{name}:{limit}:{_short([cursor]) if cursor else ''}"


def _balance(balance: Balance) -> dict[str, Any]:
    return {
        "balance": balance.balance, "portfolio_value_reported": balance.portfolio_value, "currency": "USD",
        "by_exchange_index": {str(index): cash for index, cash in balance.by_exchange_index.items()},
    }  # fmt: skip


def _position(position: Position) -> dict[str, Any]:
    """What does not depend on prices. outcome and average_price are null for a position that is flat."""
    size = abs(position.quantity)
    return {
        "ticker": position.ticker, "quantity": position.quantity,
        "outcome": ("yes" if position.quantity > 0 else "no") if size else None,
        "cost": position.cost, "average_price": round(position.cost / size, 6) if size else None,
        "realized_pnl": position.realized_pnl, "fees": position.fees,
    }  # fmt: skip


def _valued(positions: list[dict[str, Any]], marks: Answer | None) -> dict[str, Any]:
    told: Mapping[str, Any] = marks.value if marks else {}
    rows = [_with_mark(row, Mark(*told.get(row["ticker"], (None, None)))) for row in positions]
    as_of = marks.as_of if marks else None
    return {"positions": rows, "count": len(rows), "marks_as_of": as_of, "marks_stale": bool(marks and marks.stale)}


def _with_mark(row: dict[str, Any], known: Mark) -> dict[str, Any]:
    """The price of what is held, in the terms of its outcome, as average_price is."""
    quantity: Decimal = row["quantity"]
    price = known.of(quantity) if quantity else None
    value = price * abs(quantity) if price is not None else None if quantity else Decimal(0)
    return {
        "ticker": row["ticker"], "title": known.title, "quantity": quantity, "outcome": row["outcome"],
        "cost": row["cost"], "average_price": row["average_price"], "mark": price, "value": value,
        "unrealized_pnl": None if value is None else value - row["cost"],
        "realized_pnl": row["realized_pnl"], "fees": row["fees"],
    }  # fmt: skip


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "fill_id": fill.fill_id, "order_id": fill.order_id, "timestamp": fill.timestamp, "ticker": fill.ticker,
        "side": fill.side, "outcome": "yes", "quantity": fill.quantity, "price": fill.yes_price, "fee": fill.fee,
        "is_taker": fill.is_taker,
    }  # fmt: skip


def _order(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id, "client_order_id": order.client_order_id or None, "ticker": order.ticker,
        "side": order.side, "outcome": "yes", "status": order.status, "price": order.yes_price,
        "quantity": order.quantity, "filled": order.filled, "remaining": order.remaining, "cost": order.cost,
        "fees": order.fees, "created": order.created, "updated": order.updated, "expires": order.expires,
    }  # fmt: skip


def _settlement(settlement: Settlement) -> dict[str, Any]:
    return {
        "timestamp": settlement.settled, "ticker": settlement.ticker, "event_ticker": settlement.event_ticker,
        "result": settlement.result, "value": settlement.value, "yes_quantity": settlement.yes_quantity,
        "yes_cost": settlement.yes_cost, "no_quantity": settlement.no_quantity, "no_cost": settlement.no_cost,
        "revenue": settlement.revenue, "fee": settlement.fee,
    }  # fmt: skip
