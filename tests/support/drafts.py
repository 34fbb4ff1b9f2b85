"""Reports to feed a journal with: a bot's trade, the exchange's fill of it, and the rest, changed by keyword."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from journal.entries import Baseline, Gap, Settlement, Trade, Transfer

_TRADE = Trade(
    Decimal("1698676800.123"), "PRES24-GOP", "BUY", Decimal(50), Decimal("0.65"), "t1", "bot_live", "live"
)  # fmt: skip


def trade(**changes: Any) -> Trade:
    """A bot's trade; at= moves it by seconds."""
    return _moved(_TRADE, changes)


def fill(**changes: Any) -> Trade:
    """The exchange's fill that looks like the bot's trade, under an id of its own; at= moves it by seconds."""
    given = {"source": "kalshi_api", "trade_id": "f1", **changes}
    given.setdefault("fill_id", given["trade_id"])
    return _moved(_TRADE, given)


def settlement(**changes: Any) -> Settlement:
    """A market that paid one dollar for YES."""
    paid = Settlement(
        Decimal(1698680000), "PRES24-GOP", "PRES24", "yes", Decimal(1), Decimal(50), Decimal(0), Decimal(50),
        Decimal(0), "kalshi_api", "live",
    )  # fmt: skip
    return replace(paid, **changes)


def transfer(**changes: Any) -> Transfer:
    """A deposit of 500 dollars without a fee."""
    deposit = Transfer(
        Decimal(1698670000), "deposit", Decimal(500), Decimal(0), "d1", "applied", "kalshi_api", "live"
    )  # fmt: skip
    return replace(deposit, **changes)


def gap(**changes: Any) -> Gap:
    """A gap of one minute."""
    return replace(Gap(Decimal(1698676900), Decimal(1698676800), Decimal(1698676860), "no fills"), **changes)


def baseline(**changes: Any) -> Baseline:
    """One position found at the first start."""
    kept = {"ticker": "PRES24-GOP", "quantity": Decimal(-3), "cost": Decimal("1.05")}
    return replace(Baseline(Decimal(1698676000), [kept], "kalshi_api", "live"), **changes)


def _moved(trade: Trade, changes: dict[str, Any]) -> Trade:
    at = Decimal(str(changes.pop("at", 0)))
    changes.setdefault("timestamp", trade.timestamp + at)
    return replace(trade, **changes)
