"""All fills of the account, each counted once, and the positions that they should have made.

The ids of counted fills are stored for a while. A fill older than the low-water mark was counted before or is part of
the opening positions: it is never counted again, from REST or from the socket. The mark only rises, is part of the
state file, and every id at or above it is stored.
"""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.state_values import read_quantity, read_seconds
from bot.strategy_types import ZERO, Side, signed

OVERLAP = 120  # seconds that are read again: account reads trail the matching engine
_PAYOUTS = 86_400  # seconds for which a payout is remembered


class AccountFills:
    """Fill ids that were counted, and positions by ticker, from the opening positions on."""

    def __init__(self) -> None:
        # all mutable state: ids with their times, payouts, positions; Unix seconds of the newest fill or
        # read, of the time up to which every fill was read, and of the mark below which nothing is counted
        self._seen: OrderedDict[str, Decimal] = OrderedDict()
        self._paid: OrderedDict[str, Decimal] = OrderedDict()
        self.positions: dict[str, Decimal] = {}
        self.newest = ZERO
        self._complete = ZERO
        self.low_water = ZERO

    def __repr__(self) -> str:
        return f"AccountFills(markets={len(self.positions)}, newest={self.newest}, low_water={self.low_water})"

    @property
    def complete(self) -> Decimal:
        """Unix seconds up to which every fill was read."""
        return self._complete

    @property
    def since(self) -> float:
        """Unix seconds from which fills must be read again."""
        return max(0.0, float(self._complete) - OVERLAP)

    def read_until(self, until: Decimal) -> None:
        """Record that every fill up to this time was read and counted, and raise the low-water mark behind it."""
        self._complete = max(self._complete, until)
        self.newest = max(self.newest, until)
        self._raise_mark(self._complete - 2 * OVERLAP)

    def open_with(self, positions: Mapping[str, Decimal], now: Decimal) -> None:
        """Begin with the positions found on the account. now: time up to which they and the fills were read.

        The fills since `now` less twice OVERLAP must have been marked; older ones belong to these positions.
        """
        self.positions = {ticker: quantity for ticker, quantity in positions.items() if quantity}
        self.newest = max(self.newest, now)
        self._complete = max(self._complete, now)
        self._raise_mark(now - 2 * OVERLAP)

    def mark(self, fill_id: str, timestamp: Decimal) -> bool:
        """Add the fill's id to those counted. Returns False if it was counted before."""
        if self.is_counted(fill_id, timestamp):
            return False
        self._seen[fill_id] = timestamp
        self.newest = max(self.newest, timestamp)
        return True

    def is_counted(self, fill_id: str, timestamp: Decimal) -> bool:
        """Return True if this fill is part of the positions."""
        return fill_id in self._seen or timestamp < self.low_water

    def trade(self, ticker: str, side: Side, quantity: Decimal) -> None:
        """Add a fill, which must be new, to the positions. A market that has paid out has none any more."""
        if ticker in self._paid:
            return
        position = self.positions.get(ticker, ZERO) + signed(side, quantity)
        self.positions[ticker] = position
        if not position:
            del self.positions[ticker]

    def settle(self, ticker: str, timestamp: Decimal) -> bool:
        """Remove the position of a market that paid out. Returns False if the payout was counted before."""
        if ticker in self._paid or timestamp < self.low_water:
            return False
        self._paid[ticker] = timestamp
        self.positions.pop(ticker, None)
        return True

    def differences(self, positions: Mapping[str, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
        """Return (ours, theirs) for each ticker where the exchange's positions differ, except after a payout."""
        tickers = self.positions.keys() | positions.keys()
        pairs = {ticker: (self.positions.get(ticker, ZERO), positions.get(ticker, ZERO)) for ticker in tickers}
        return {
            ticker: (ours, theirs)
            for ticker, (ours, theirs) in sorted(pairs.items())
            if ours != theirs and ticker not in self._paid
        }

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON-ready values."""
        return {
            "watermark": str(self.newest),
            "complete": str(self._complete),
            "low_water": str(self.low_water),
            "positions": {ticker: str(quantity) for ticker, quantity in self.positions.items()},
            "seen": {name: str(at) for name, at in self._seen.items()},
            "paid": {name: str(at) for name, at in self._paid.items()},
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "AccountFills":
        """Return the state that dump gave. Raises KeyError, TypeError or ValueError for anything else."""
        account = cls()
        account.newest = read_seconds(stored["watermark"])
        account._complete = read_seconds(stored.get("complete", stored["watermark"]))  # absent in old files
        # old files hold the ids of the last two overlaps and no mark
        default = max(ZERO, account._complete - 2 * OVERLAP)
        account.low_water = read_seconds(stored.get("low_water", default))
        account.positions = {ticker: read_quantity(quantity) for ticker, quantity in stored["positions"].items()}
        account._seen = OrderedDict((str(name), read_seconds(at)) for name, at in stored["seen"].items())
        account._paid = OrderedDict((str(name), read_seconds(at)) for name, at in stored["paid"].items())
        return account

    def _raise_mark(self, to: Decimal) -> None:
        self.low_water = max(self.low_water, to)
        for name in [name for name, at in self._seen.items() if at < self.low_water]:
            del self._seen[name]
        for name in [name for name, at in self._paid.items() if at < self.low_water - _PAYOUTS]:
            del self._paid[name]
