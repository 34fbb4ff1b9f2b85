"""The exchange's fills and settlements as drafts for the journal, in the book's own terms: BUY or SELL of YES."""

from collections.abc import Sequence
from decimal import Decimal

from journal.entries import Baseline, Mode, Origin, Settlement, Trade, Transfer
from kalshi.account_models import Fill, Position
from kalshi.cash_models import AccountSettlement, BankTransfer
from ledger.amounts import average

SOURCE = "kalshi_api"


def trade_of(fill: Fill, origin: Origin, mode: Mode) -> Trade:
    """A fill as a trade; its id is the exchange's."""
    return Trade(
        timestamp=fill.timestamp, ticker=fill.ticker, side=fill.side, quantity=fill.quantity, price=fill.yes_price,
        trade_id=fill.fill_id, source=SOURCE, mode=mode, fee=fill.fee, order_id=fill.order_id, origin=origin,
        fill_id=fill.fill_id,
    )  # fmt: skip


def settlement_of(paid: AccountSettlement, mode: Mode) -> Settlement:
    """A settlement. A payout that nobody can tell is 0: as many YES as NO were held, and no profit depends on it."""
    return Settlement(
        timestamp=paid.settled, ticker=paid.ticker, event_ticker=paid.event_ticker, result=paid.result,
        value=Decimal(0) if paid.payout is None else paid.payout, yes_quantity=paid.yes_quantity,
        no_quantity=paid.no_quantity, revenue=paid.revenue, fee=paid.fee, source=SOURCE, mode=mode,
    )  # fmt: skip


def transfer_of(row: BankTransfer, mode: Mode) -> Transfer:
    """Return the entry of a deposit or a withdrawal in its present state."""
    return Transfer(
        row.timestamp, row.direction, row.amount, row.fee, row.transfer_id, row.status, SOURCE, mode
    )  # fmt: skip


def baseline_of(
    positions: Sequence[Position], timestamp: Decimal, mode: Mode, balance: Decimal | None = None
) -> Baseline:
    """Return the entry of the cash and the positions that the account had when the journal began."""
    rows = [
        {
            "ticker": each.ticker, "quantity": each.quantity, "cost": each.cost,
            "average_price": average(each.cost, each.quantity),
            "realized_pnl": each.realized_pnl, "fees": each.fees,
        }
        for each in positions
        if each.quantity
    ]  # fmt: skip
    return Baseline(timestamp, rows, SOURCE, mode, balance=balance)
