"""Trading fees: rate x quantity x price x (1 - price), rounded up to $0.0001 (Kalshi docs: fee_rounding)."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

TAKER_RATE = Decimal("0.07")
_MAKER_RATE = Decimal("0.0175")
_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class FeeRule:
    """The fee rates of one series. Makers pay only if the series' fee_type includes them."""

    taker: Decimal = TAKER_RATE
    maker: Decimal = Decimal(0)

    @classmethod
    def of_series(cls, fee_type: str, multiplier: Decimal) -> "FeeRule":
        """Return the rule of a series. An unknown fee_type costs as much as the most expensive known one."""
        return cls(TAKER_RATE * multiplier, Decimal(0) if fee_type == "quadratic" else _MAKER_RATE * multiplier)

    def fee(self, quantity: Decimal, price: Decimal, is_taker: bool) -> Decimal:
        """Return the dollars for one fill."""
        rate = self.taker if is_taker else self.maker
        return (rate * quantity * price * (1 - price)).quantize(_SMALLEST, ROUND_CEILING)


HIGHEST_FEES = FeeRule(TAKER_RATE, _MAKER_RATE)
"""Used for a market whose series has not been read."""
