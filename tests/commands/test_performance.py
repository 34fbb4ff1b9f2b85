"""Closed trades: tax lots with their dates and fees, wins, losses and drawdown."""

from decimal import Decimal

from cache.decimal_json import dumps, loads
from commands.performance import deepest_drawdown, performance
from ledger.account_ledger import fold
from ledger.market_book import ClosedLot
from tests.ledger.cases import Json, baseline, found_position, settlement, trade


def closed_lots(*entries: Json) -> list[ClosedLot]:
    """The tax lots that these entries close."""
    found: list[ClosedLot] = []
    fold([(entry["kind"], loads(dumps(entry))) for entry in entries], found.append)
    return found


def test_a_sale_closes_the_oldest_lots_with_their_share_of_the_fees() -> None:
    """12 of 10 + 10 contracts: the whole first lot and two of the second."""
    first, second = closed_lots(
        trade(1, price=0.2, fee=0.1),
        trade(2, price=0.8, fee=0.2),
        trade(3, side="SELL", quantity=12, price=0.5, fee=0.12),
    )
    assert (first.opened, first.closed, first.quantity, first.cost, first.proceeds) == (1001, 1003, 10, 2, 5)
    assert (first.fees, second.fees) == (Decimal("0.2"), Decimal("0.06"))
    assert (second.quantity, second.profit) == (2, Decimal("-0.66"))


def test_a_flip_splits_its_fee_between_what_closes_and_what_opens() -> None:
    """15 sold against a position of 10: two thirds of the fee belong to the closed lot."""
    lots = closed_lots(
        trade(1, price=0.4, fee=0), trade(2, side="SELL", quantity=15, price=0.5, fee=0.15),
        trade(3, quantity=5, price=0.5, fee=0),
    )  # fmt: skip
    assert [(lot.outcome, lot.quantity, lot.fees) for lot in lots] == [
        ("yes", 10, Decimal("0.1")), ("no", 5, Decimal("0.05")),
    ]  # fmt: skip


def test_a_settlement_shares_its_revenue_and_new_fees_among_the_lots() -> None:
    """The parts add up to what was paid."""
    lots = closed_lots(
        trade(1, quantity=1, fee=None), trade(2, quantity=2, fee=None), settlement(3, revenue=1, fee=0.1)
    )
    assert sum(lot.proceeds for lot in lots) == 1
    assert sum(lot.fees for lot in lots) == Decimal("0.1")
    assert all(lot.by_settlement for lot in lots)


def test_a_lot_of_the_baseline_has_no_date() -> None:
    """A lot that was bought before the journal began has no opening date."""
    (lot,) = closed_lots(baseline(1, found_position("A", 3, 1)), trade(2, side="SELL", quantity=3, price=0.5, fee=0))
    assert (lot.opened, lot.cost, lot.profit) == (None, 1, Decimal("0.5"))


def test_wins_losses_and_profit_factor() -> None:
    """A closed trade wins when its proceeds exceed cost and fees."""
    lots = closed_lots(
        trade(1, price=0.2, fee=0), trade(2, side="SELL", price=0.5, fee=0), trade(3, price=0.6, fee=0),
        trade(4, side="SELL", price=0.5, fee=0.5), trade(5, price=0.5, fee=0), trade(6, side="SELL", price=0.5, fee=0),
    )  # fmt: skip
    found = performance(lots)
    assert (found.closed, found.wins, found.losses) == (3, 1, 1)
    assert (found.gross_profit, found.gross_loss, found.net) == (3, Decimal("1.5"), Decimal("1.5"))
    assert found.profit_factor == 2
    assert found.win_rate is not None
    assert round(found.win_rate, 4) == Decimal("0.3333")


def test_figures_without_closed_trades_are_unknown() -> None:
    """No rate without trades and no factor without a loss."""
    found = performance([])
    assert (found.win_rate, found.profit_factor, found.net) == (None, None, 0)


def test_the_deepest_drawdown_is_below_the_highest_point_before_it() -> None:
    """3 to 1 is deeper than 1 to 0 at the start."""
    curve = [(Decimal(t), Decimal(amount)) for t, amount in enumerate([1, 0, 3, 2, 1, 2, 4, 3])]
    found = deepest_drawdown(curve)
    assert (found.depth, found.start, found.end) == (2, 2, 4)
    assert deepest_drawdown(curve[:1]).depth == 0
