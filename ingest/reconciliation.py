"""The body of GET /portfolio/reconciliation: cash by cause, contracts of every side, differences and their causes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ingest.difference_causes import Finding
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.reconcile import AccountReading, Comparison

UNREADABLE: Final = (  # no endpoint tells them
    "interest", "rebates", "promotions", "returned collateral", "raised settlement floors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BotPositions:
    """Positions as the bot reports them: contracts by ticker, + YES, - NO. as_of: Unix seconds."""

    quantities: Mapping[str, Decimal]
    as_of: float


@dataclass(frozen=True, slots=True)
class ReadMoments:
    """Unix seconds at which the exchange was read and up to which it was complete, and the ledger's last seq."""

    read_at: float
    complete_to: float
    seq: int


def reconciliation_body(
    ledger: AccountLedger, opening: Decimal, reading: AccountReading, comparison: Comparison, findings: list[Finding],
    bot: BotPositions | None, moments: ReadMoments,
) -> dict[str, Any]:  # fmt: skip
    """Return the body. The journal's figures are those of the moment that the exchange's figures fit best."""
    other = {"fees_unreported": -comparison.unreported_fees} if comparison.unreported_fees else {}
    unexplained = next((each.size for each in findings if each.figure == "cash"), ZERO)
    return {
        "since": ledger.begun,
        "cash": {
            "opening": opening, **comparison.flows.as_mapping(), "other": other, "expected": comparison.expected,
            "reported": reading.balance, "unexplained": unexplained, "unreadable": list(UNREADABLE),
        },
        "positions": _position_rows(ledger, reading, findings, bot),
        "differences": [each.as_json() for each in findings],
        "settled_by_revenue": [
            {"ticker": book.ticker, "revenue": book.revenue, "difference": book.revenue_difference}
            for book in ledger.books.values()
            if book.revenue_difference
        ],
        "sides": {
            "journal": {"as_of": round(moments.read_at, 3), "seq": moments.seq},
            "exchange": {"as_of": round(moments.read_at, 3), "complete_to": round(moments.complete_to, 3)},
            "bot": {"as_of": round(bot.as_of, 3) if bot else None},
        },
    }  # fmt: skip


def _position_rows(
    ledger: AccountLedger, reading: AccountReading, findings: list[Finding], bot: BotPositions | None
) -> list[dict[str, Any]]:
    """One row for each market that one of the sides holds or of which they differ."""
    reported = {ticker: row.quantity for ticker, row in reading.positions.items()}
    differing = {each.ticker: each.ours for each in findings if each.figure == "quantity"}
    causes: dict[str, set[str]] = {}
    for each in findings:
        if each.ticker:
            causes.setdefault(each.ticker, set()).add(each.cause)
    tickers = {ticker for ticker, quantity in reported.items() if quantity} | causes.keys()
    tickers |= {ticker for ticker, quantity in (bot.quantities if bot else {}).items() if quantity}
    return [
        {
            "ticker": ticker, "journal": differing.get(ticker, reported.get(ticker, ZERO)),
            "exchange": reported.get(ticker, ZERO), "bot": bot.quantities.get(ticker, ZERO) if bot else None,
            "causes": sorted(causes.get(ticker, ())),
        }
        for ticker in sorted(tickers)
    ]  # fmt: skip
