"""The interface of a venue, so that one engine drives both paper and the exchange."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from bot.strategy_types import Execution, OrderOrigin, PlaceOrder, Quote, RestingOrder


class ExecutionListener(Protocol):
    """Receives what happened to our orders, each event exactly once. Synchronous."""

    def execution(self, execution: Execution) -> None:
        """Process a fill of an order of ours."""
        ...

    def settlement(self, ticker: str, value: Decimal) -> None:
        """Take the payout of a market: value dollars for each YES."""
        ...


class Venue(Protocol):
    """Takes orders and reports executions to an ExecutionListener. Methods raise VenueError and nothing else."""

    def resting(self) -> list[RestingOrder]:
        """Return every order of ours that rests, or may rest because its answer was lost. Reads nothing."""
        ...

    def frozen(self, ticker: str) -> bool:
        """Return True while the state of an order in this market is uncertain: nothing may be sent there."""
        ...

    def other_orders(self) -> list[str]:
        """Return the client ids of resting orders of the account that were not sent by this bot."""
        ...

    def account_lag(self) -> float:
        """Return the seconds since the time up to which the account was read."""
        ...

    def second_bot(self) -> str:
        """Return a sentence about another bot under our prefix; "" if there is none."""
        ...

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Read what happened since the last time: fills, settlements, uncertain orders; keep quotes from expiring."""
        ...

    async def place(self, order: PlaceOrder, origin: OrderOrigin | None = None) -> None:
        """Send an order. OrderRejected: nothing happened. OrderUncertain: it counts as resting until it is read."""
        ...

    async def cancel(self, order: RestingOrder) -> None:
        """Cancel an order. An order that is gone already is not an error."""
        ...

    async def cancel_all(self) -> None:
        """Cancel every order of ours and read until none is left. Raises OrderUncertain if some may be left."""
        ...
