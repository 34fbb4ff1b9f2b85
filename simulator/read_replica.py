"""The state that an account's reads see: it trails the matching engine, as on the exchange."""

import dataclasses
from collections import deque
from collections.abc import Callable

from simulator.account import HeldPosition
from simulator.events import (
    CashEvent,
    ExchangeEvent,
    FillEvent,
    OrderEvent,
    PositionEvent,
    SettlementEvent,
    VoidEvent,
)
from simulator.orders import SimulatedOrder


class ReadReplica:
    """Apply the events of one account `lag` seconds after they happened. as_of never decreases."""

    def __init__(self, account: str, cash: dict[int, int], clock: Callable[[], float], lag: float = 0.0) -> None:
        self.account = account
        self.clock = clock
        self.lag = lag
        self.as_of = clock()
        self.cash = dict(cash)
        self.orders: dict[str, SimulatedOrder] = {}
        self.fills: list[FillEvent] = []  # oldest first
        self.positions: dict[str, HeldPosition] = {}
        self.settlements: list[SettlementEvent] = []  # oldest first
        self._pending: deque[tuple[float, ExchangeEvent]] = deque()

    @property
    def total_cash(self) -> int:
        """The money on all shards."""
        return sum(self.cash.values())

    def on_event(self, event: ExchangeEvent) -> None:
        """Queue an event of the account."""
        if self._is_own(event):
            self._pending.append((event.at, event))

    def catch_up(self) -> None:
        """Apply the events that are older than the lag."""
        self.as_of = max(self.as_of, self.clock() - self.lag)
        while self._pending and self._pending[0][0] <= self.as_of:
            self._apply(self._pending.popleft()[1])

    def _is_own(self, event: ExchangeEvent) -> bool:
        match event:
            case OrderEvent():
                return event.order.account == self.account
            case FillEvent() | PositionEvent() | SettlementEvent() | CashEvent() | VoidEvent():
                return event.account == self.account
        return False

    def _apply(self, event: ExchangeEvent) -> None:
        match event:
            case OrderEvent():
                self.orders[event.order.order_id] = event.order
            case FillEvent():
                self.fills.append(event)
            case PositionEvent():
                self.positions[event.ticker] = event.position
                self.cash = event.cash
            case CashEvent():
                self.cash = event.cash
            case SettlementEvent():
                self.settlements.append(event)
            case VoidEvent():
                self._void(event)

    def _void(self, event: VoidEvent) -> None:
        index = next(i for i, fill in enumerate(self.fills) if fill.fill_id == event.fill_id)
        if event.keep_row:
            self.fills[index] = dataclasses.replace(self.fills[index], count=0, fee=0)
        else:
            del self.fills[index]
