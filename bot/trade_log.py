"""Trades of this run of the bot, in memory, numbered 1, 2, 3 and so on; readers may wait for the next one."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.strategy_types import Execution, OrderOrigin


@dataclass(frozen=True, slots=True)
class TradePage:
    """Some trades, oldest first, and the state of the log when they were read."""

    trades: list[dict[str, Any]]
    boot_id: str
    seq: int  # of the newest trade, 0 before the first
    oldest: int  # seq of the oldest trade that is still stored, 0 before the first
    count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", len(self.trades))


class TradeLog:
    """The newest trades as JSON-ready objects."""

    def __init__(self, boot_id: str, capacity: int = 10_000) -> None:
        self.boot_id = boot_id
        # all mutable state: the stored trades, the newest seq, and the event that wakes waiting readers
        self._trades: deque[dict[str, Any]] = deque(maxlen=capacity)
        self.seq = 0
        self._next = asyncio.Event()
        self._closed = False

    def __repr__(self) -> str:
        return f"TradeLog({self.boot_id!r}, seq={self.seq}, stored={len(self._trades)})"

    def add(self, execution: Execution, exchange: bool) -> None:
        """Number a trade and wake the readers. exchange: its trade_id is a fill id of the exchange."""
        self.seq += 1
        self._trades.append({
            "boot_id": self.boot_id, "seq": self.seq, "timestamp": execution.timestamp, "ticker": execution.ticker,
            "side": execution.side, "quantity": execution.quantity, "price": execution.price,
            "trade_id": execution.trade_id, "fill_id": execution.trade_id if exchange else None,
            "outcome": "yes", "fee": execution.fee, "order_id": execution.order_id, "is_taker": execution.is_taker,
            **_origin(execution.origin),
        })  # fmt: skip
        self._wake()

    def close(self) -> None:
        """Wake all waiting readers: there will be no more trades."""
        self._closed = True
        self._wake()

    def last(self, limit: int) -> TradePage:
        """Return the newest trades."""
        return self._page(max(0, len(self._trades) - limit), limit)

    def after(self, seq: int, limit: int) -> TradePage:
        """Return the trades that follow seq, as far as they are still stored."""
        oldest = self.seq - len(self._trades)
        return self._page(max(0, seq - oldest), limit)

    async def wait(self, seq: int, seconds: float) -> None:
        """Return as soon as there is a trade after seq, at the latest after `seconds` or when the log is closed."""
        try:
            async with asyncio.timeout(seconds):
                while self.seq == seq and not self._closed:
                    await self._next.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    def _page(self, start: int, limit: int) -> TradePage:
        trades = [self._trades[i] for i in range(start, min(start + limit, len(self._trades)))]
        oldest = self.seq - len(self._trades) + 1 if self._trades else 0
        return TradePage(trades, self.boot_id, self.seq, oldest)


def decimal_seconds(seconds: float) -> Decimal:
    """Return Unix seconds as an exact number with microseconds."""
    return Decimal(f"{seconds:.6f}")


def _origin(origin: OrderOrigin | None) -> dict[str, Any]:
    """Return the fields of the decision behind a trade; null where it is unknown."""
    if origin is None:
        return dict.fromkeys(("strategy", "mid", "decided_at", "sent_at", "acknowledged_at"))
    times = (origin.decided_at, origin.sent_at, origin.acknowledged_at)
    decided, sent, acknowledged = (None if at is None else decimal_seconds(at) for at in times)
    return {
        "strategy": origin.strategy, "mid": origin.mid, "decided_at": decided, "sent_at": sent,
        "acknowledged_at": acknowledged,
    }  # fmt: skip
