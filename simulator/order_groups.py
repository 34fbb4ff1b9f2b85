"""Order groups: all orders of a group are cancelled when too many contracts trade within 15 seconds."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.errors import nested_error, not_found
from simulator.events import ExchangeEvent, FillEvent, OrderEvent, OrderGroupEvent
from simulator.matching_engine import MatchingEngine
from simulator.orders import OrderRequest, SimulatedOrder

WINDOW: Final = 15.0
"""Seconds of the rolling window (Kalshi docs: order groups)."""


@dataclass(slots=True)
class SimulatedOrderGroup:
    """limit: contracts, as a count, that may trade within the window. triggered: new orders are refused."""

    group_id: str
    account: str
    limit: int | None
    shard: int = 0
    triggered: bool = False
    order_ids: set[str] = field(default_factory=set)
    fills: deque[tuple[float, int]] = field(default_factory=deque)  # (time, count) within the window

    def volume(self, now: float) -> int:
        """Return the count traded within the window."""
        while self.fills and self.fills[0][0] <= now - WINDOW:
            self.fills.popleft()
        return sum(count for _, count in self.fills)


class OrderGroups:
    """Create and change the groups of an exchange and follow the fills of their orders."""

    def __init__(self, engine: MatchingEngine, clock: Callable[[], float]) -> None:
        self.engine = engine
        self.clock = clock
        self.groups: dict[str, SimulatedOrderGroup] = {}
        self._exceeded: dict[str, None] = {}  # groups over their limit whose orders still have to be cancelled
        engine.listeners.append(self._on_event)
        engine.after_match.append(self._enforce)

    def create(self, account: str, limit: int | None, shard: int) -> SimulatedOrderGroup:
        """Return a new group."""
        group = SimulatedOrderGroup(self.engine.new_id(), account, limit, shard)
        self.groups[group.group_id] = group
        self._emit(group, "created")
        return group

    def find(self, group_id: str) -> SimulatedOrderGroup:
        """Return a group. Raises ApiError for an unknown one."""
        if group_id not in self.groups:
            raise not_found("order group not found")
        return self.groups[group_id]

    def check(self, request: OrderRequest) -> None:
        """Raise ApiError if the order names an unknown group, a triggered one or one of another shard."""
        if not request.group_id:
            return
        group = self.find(request.group_id)
        if group.triggered:
            raise nested_error(400, "invalid_order", "order group was triggered; reset it first")
        if group.shard != self.engine.market(request.ticker).shard:
            raise nested_error(400, "invalid_order", "order group belongs to another exchange index")

    def resting(self, group: SimulatedOrderGroup) -> list[SimulatedOrder]:
        """Return the resting orders of a group."""
        orders = (self.engine.orders.get(order_id) for order_id in sorted(group.order_ids))
        return [order for order in orders if order is not None and order.status == "resting"]

    def set_limit(self, group: SimulatedOrderGroup, limit: int) -> None:
        """Change the limit; a volume above it triggers the group."""
        group.limit = limit
        self._emit(group, "limit_updated")
        if group.volume(self.clock()) > limit:
            self.trigger(group)

    def trigger(self, group: SimulatedOrderGroup) -> None:
        """Cancel all orders of the group and refuse new ones until a reset."""
        group.triggered = True
        self._cancel(group)
        self._emit(group, "triggered")

    def reset(self, group: SimulatedOrderGroup) -> None:
        """Clear the triggered state and the volume."""
        group.triggered = False
        group.fills.clear()
        self._emit(group, "reset")

    def delete(self, group: SimulatedOrderGroup) -> None:
        """Cancel the group's orders and remove it."""
        self._cancel(group)
        del self.groups[group.group_id]
        self._emit(group, "deleted")

    def _enforce(self) -> None:
        exceeded, self._exceeded = self._exceeded, {}
        for group_id in exceeded:
            if group_id in self.groups and not self.groups[group_id].triggered:
                self.trigger(self.groups[group_id])

    def _on_event(self, event: ExchangeEvent) -> None:
        if isinstance(event, OrderEvent) and (group := self.groups.get(event.order.request.group_id)):
            group.order_ids.add(event.order.order_id)
        if isinstance(event, FillEvent) and event.order_id in self.engine.orders:
            group = self.groups.get(self.engine.orders[event.order_id].request.group_id)
            if group is not None:
                group.fills.append((event.at, event.count))
                if group.limit is not None and group.volume(event.at) > group.limit:
                    self._exceeded[group.group_id] = None

    def _cancel(self, group: SimulatedOrderGroup) -> None:
        for order in self.resting(group):
            self.engine.end(order)

    def _emit(self, group: SimulatedOrderGroup, change: str) -> None:
        limit = group.limit if change in ("created", "limit_updated") else None
        self.engine.emit(OrderGroupEvent(self.clock(), group.group_id, change, limit))  # type: ignore[arg-type]
