"""Where orders go: the same promise for paper and for the exchange, so that one engine drives both."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from bot.strategy_types import Execution, PlaceOrder, Quote, RestingOrder


class ExecutionListener(Protocol):
    """Who is told what happened, as soon as the venue knows and exactly once. Synchronous."""

    def execution(self, execution: Execution) -> None:
        """An order of ours was filled, in part or whole."""
        ...

    def settlement(self, ticker: str, value: Decimal) -> None:
        """A market paid value dollars for each YES."""
        ...


class Venue(Protocol):
    """Takes orders and tells a Report what became of them. Methods raise VenueError and nothing else."""

    def resting(self) -> list[RestingOrder]:
        """Every order of ours that rests, or may rest because its answer was lost. Never touches the network."""
        ...

    def frozen(self, ticker: str) -> bool:
        """True while an unsure answer in this market is not resolved: send nothing there."""
        ...

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Learn what happened since the last time: fills, settlements, unsure answers."""
        ...

    async def place(self, order: PlaceOrder) -> None:
        """Send an order. OrderRejected: nothing happened. OrderUncertain: the order counts as resting until read."""
        ...

    async def cancel(self, order: RestingOrder) -> None:
        """Take an order back; one that is gone already is no error."""
        ...

    async def cancel_all(self) -> None:
        """Take back every order of ours and no other, and read until none is left. OrderUncertain when some may be."""
        ...
