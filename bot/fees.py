"""What a trade costs: rate x quantity x price x (1 - price), rounded up to $0.0001 (Kalshi docs: fee_rounding)."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from bot.strategy_types import ONE, ZERO

TAKER = Decimal("0.07")
_MAKER = Decimal("0.0175")
_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class FeeRule:
    """The rates of one series. A maker pays only where fee_type says so."""

    taker: Decimal = TAKER
    maker: Decimal = ZERO

    @classmethod
    def of_series(cls, fee_type: str, multiplier: Decimal) -> "FeeRule":
        """The rule that a series names; one that is not known costs what the dearest known one does."""
        return cls(TAKER * multiplier, ZERO if fee_type == "quadratic" else _MAKER * multiplier)

    def fee(self, quantity: Decimal, price: Decimal, is_taker: bool) -> Decimal:
        """Dollars for one fill."""
        rate = self.taker if is_taker else self.maker
        return (rate * quantity * price * (ONE - price)).quantize(_SMALLEST, ROUND_CEILING)


DEAREST = FeeRule(TAKER, _MAKER)
"""For a market whose series is not known."""
