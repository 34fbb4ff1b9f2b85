"""The trades of this life of the bot, in memory, numbered 1, 2, 3 …; readers may wait for the next one."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.strategy_types import Execution


@dataclass(frozen=True, slots=True)
class TradePage:
    """Some trades, oldest first, and where the tape stood when they were read."""

    trades: list[dict[str, Any]]
    boot_id: str
    seq: int  # of the last trade there is, 0 before the first
    oldest: int  # of the first trade still kept, 0 before the first
    count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", len(self.trades))


class TradeLog:
    """The last trades, one object each: the brief's six fields and ours."""

    def __init__(self, boot_id: str, capacity: int = 10_000) -> None:
        self.boot_id = boot_id
        # all mutable state: the trades kept, the last number given, and what wakes those who wait
        self._trades: deque[dict[str, Any]] = deque(maxlen=capacity)
        self.seq = 0
        self._next = asyncio.Event()
        self._closed = False

    def __repr__(self) -> str:
        return f"TradeLog({self.boot_id!r}, seq={self.seq}, kept={len(self._trades)})"

    def add(self, execution: Execution, exchange: bool) -> None:
        """Number it and wake the readers. exchange: its trade_id is a fill id of the exchange."""
        self.seq += 1
        self._trades.append({
            "boot_id": self.boot_id, "seq": self.seq, "timestamp": execution.timestamp, "ticker": execution.ticker,
            "side": execution.side, "quantity": execution.quantity, "price": execution.price,
            "trade_id": execution.trade_id, "fill_id": execution.trade_id if exchange else None,
            "outcome": "yes", "fee": execution.fee, "order_id": execution.order_id, "is_taker": execution.is_taker,
        })  # fmt: skip
        self._wake()

    def close(self) -> None:
        """Nothing will follow: nobody waits any more."""
        self._closed = True
        self._wake()

    def last(self, limit: int) -> TradePage:
        """The newest trades."""
        return self._page(max(0, len(self._trades) - limit), limit)

    def after(self, seq: int, limit: int) -> TradePage:
        """The trades that follow seq, as many as are still kept."""
        oldest = self.seq - len(self._trades)
        return self._page(max(0, seq - oldest), limit)

    async def wait(self, seq: int, seconds: float) -> None:
        """Return when there is a trade after seq, at once when there is one already, or when the time is over."""
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
    """Unix seconds as an exact number with microseconds."""
    return Decimal(f"{seconds:.6f}")
