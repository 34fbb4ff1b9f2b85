"""What the account holds by everybody's fills, ours and not, each counted once: what positions are checked against."""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.strategy_types import ZERO, Side, signed

OVERLAP = 120  # seconds that are read again: account reads trail the matching engine
_REMEMBERED = 50_000


class AccountFills:
    """Fill ids seen, and the position that they add up to from the one found at the first start."""

    def __init__(self) -> None:
        # all mutable state: ids with their times, positions by ticker, payouts seen, the newest time told, and the
        # time up to which all has been read
        self._seen: OrderedDict[str, Decimal] = OrderedDict()
        self._paid: OrderedDict[str, Decimal] = OrderedDict()
        self.positions: dict[str, Decimal] = {}
        self.watermark = ZERO
        self._complete = ZERO

    def __repr__(self) -> str:
        return f"AccountFills(markets={len(self.positions)}, watermark={self.watermark})"

    @property
    def since(self) -> float:
        """From when fills must be read again, in Unix seconds."""
        return max(0.0, float(self._complete) - OVERLAP)

    def walked(self, until: Decimal) -> None:
        """All fills up to this time were read and counted, but for those that reads still trail."""
        self._complete = max(self._complete, until)
        border = self._complete - 2 * OVERLAP
        while len(self._seen) > _REMEMBERED and next(iter(self._seen.values())) < border:
            self._seen.popitem(last=False)

    def found(self, positions: Mapping[str, Decimal], now: Decimal) -> None:
        """Begin here: what was held before we listened. Fills marked as seen are within it."""
        self.positions = {ticker: quantity for ticker, quantity in positions.items() if quantity}
        self.watermark = max(self.watermark, now)
        self._complete = max(self._complete, now)

    def mark(self, fill_id: str, timestamp: Decimal) -> bool:
        """Note an id. False when it was known."""
        if fill_id in self._seen:
            return False
        self._seen[fill_id] = timestamp
        self.watermark = max(self.watermark, timestamp)
        return True

    def knows(self, fill_id: str) -> bool:
        """Has this fill been counted?"""
        return fill_id in self._seen

    def trade(self, ticker: str, side: Side, quantity: Decimal) -> None:
        """Count a fill that mark called new."""
        held = self.positions.get(ticker, ZERO) + signed(side, quantity)
        self.positions[ticker] = held
        if not held:
            del self.positions[ticker]

    def settle(self, ticker: str, timestamp: Decimal) -> bool:
        """A market paid out and its position is gone. False when that was known."""
        if ticker in self._paid:
            return False
        self._paid[ticker] = timestamp
        self.positions.pop(ticker, None)
        while len(self._paid) > _REMEMBERED:
            self._paid.popitem(last=False)
        return True

    def differences(self, positions: Mapping[str, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
        """Where the exchange's positions are not ours, by ticker: (ours, theirs). A payout we saw explains a zero."""
        tickers = self.positions.keys() | positions.keys()
        pairs = {ticker: (self.positions.get(ticker, ZERO), positions.get(ticker, ZERO)) for ticker in tickers}
        return {
            ticker: (ours, theirs)
            for ticker, (ours, theirs) in sorted(pairs.items())
            if ours != theirs and ticker not in self._paid
        }

    def dump(self) -> dict[str, Any]:
        """What a restart needs, JSON-ready; older ids are never read again."""
        return {
            "watermark": str(self.watermark),
            "complete": str(self._complete),
            "positions": {ticker: str(quantity) for ticker, quantity in self.positions.items()},
            "seen": {name: str(at) for name, at in self._seen.items() if at >= self._complete - 2 * OVERLAP},
            "paid": {name: str(at) for name, at in self._paid.items() if at >= self.watermark - 86400},
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "AccountFills":
        """What dump gave. Raises KeyError, TypeError, ValueError or ArithmeticError when it is not that."""
        account = cls()
        account.watermark = Decimal(kept["watermark"])
        account._complete = Decimal(kept.get("complete", kept["watermark"]))  # files of earlier bots do not hold it
        account.positions = {ticker: Decimal(quantity) for ticker, quantity in kept["positions"].items()}
        account._seen = OrderedDict((str(name), Decimal(at)) for name, at in kept["seen"].items())
        account._paid = OrderedDict((str(name), Decimal(at)) for name, at in kept["paid"].items())
        return account
