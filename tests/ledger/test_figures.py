"""Figures of the ledger at their edges: rows, values, flows, lots, totals and the evidence for causes."""

from decimal import Decimal
from typing import Any

import pytest

from bot.halts import LastingLoss
from commands.performance import deepest_drawdown, performance
from ledger.account_ledger import CAUSES, AccountLedger, CashFlows, fold, transfer_flows
from ledger.amounts import average, complement, share
from ledger.causes import ExecutionRecord, cause_of_quantity, match_executions
from ledger.market_book import FifoLots
from ledger.marks import sum_known, value_position
from ledger.reconcile import CHECKS, LASTING, AccountReading, Difference, DifferenceTracker, compare
from ledger.records import (
    RecordError,
    ReportedPosition,
    TradeRecord,
    TransferRecord,
    read_settlement,
    read_trade,
    read_transfer,
)
from tests.commands.test_performance import closed_lots
from tests.ledger.cases import Json, baseline, correction, found_position, settlement, trade, transfer
from tests.ledger.test_account_ledger import exact
from tests.ledger.test_vectors import position_row

D = Decimal


def added(*entries: Json) -> AccountLedger:
    """The ledger of these entries without a replay."""
    ledger = AccountLedger()
    for kind, body in exact(*entries):
        ledger.apply(kind, body)
    return ledger


def test_a_ledger_begins_with_its_baseline_and_without_one_with_its_first_entry() -> None:
    """The baseline's time wins over that of an entry before it; a ledger without entries has none."""
    assert added().begun is None
    assert added(trade(1), trade(2)).begun == 1001
    assert added(trade(1, timestamp=900), baseline(2)).begun == 1000


def test_a_baseline_counts_the_profit_and_the_fees_of_its_positions() -> None:
    """Their realized profit and fees belong to the totals, and neither moved cash since."""
    ledger = added(baseline(1, found_position("A", 3, 1, fees=0.25, realized=2), found_position("B", -1, 0.5)))
    assert (ledger.totals.realized, ledger.totals.fees, ledger.totals.net) == (2, D("0.25"), D("1.75"))
    assert (ledger.totals.trades, ledger.totals.settled, ledger.flows.total) == (0, 0, 0)
    assert {name: (book.quantity, book.cost) for name, book in ledger.books.items()} == {
        "A": (3, 1),
        "B": (-1, D("0.5")),
    }


def test_an_older_baseline_changes_nothing() -> None:
    """The newest baseline stands, whichever came last; one of the same moment replaces it."""
    ledger = added(baseline(1, balance=5), baseline(2, timestamp=999, balance=7))
    assert ledger.baseline is not None
    assert ledger.baseline.balance == 5
    ledger.apply(*exact(baseline(3, balance=9))[0])
    assert ledger.baseline.balance == 9


def test_a_trade_at_the_moment_of_the_baseline_is_included_in_it() -> None:
    """Its contracts are those that the baseline found."""
    assert added(baseline(1), trade(2, timestamp=1000)).books == {}
    assert added(baseline(1), trade(2, timestamp=1000.5)).books["A"].quantity == 10


def test_totals_go_up_by_one_for_each_entry() -> None:
    """Trades, settlements and repeated settlements are counted once each; fees are the sum of both markets."""
    ledger = added(
        trade(1), trade(2, ticker="B", fee=0.3), settlement(3, fee=0.25), settlement(4), settlement(5),
    )  # fmt: skip
    assert (ledger.totals.trades, ledger.totals.settled) == (2, 1)
    assert ledger.repeated_settlements == {"A": 2}
    assert (ledger.totals.fees, ledger.flows.fees) == (D("0.55"), D("-0.55"))
    assert (ledger.flows.trades, ledger.flows.settlements, ledger.totals.realized) == (-12, 10, 4)


def test_a_transfer_counts_in_its_last_state() -> None:
    """A deposit that is pending, then applied counts once, with its fee; one that is returned no longer."""
    ledger = added(transfer(1, "d", 50, fee=0.5), transfer(2, "d", 50, fee=0.5))
    assert (ledger.flows.deposits, ledger.flows.transfer_fees) == (50, D("-0.5"))
    ledger.apply(*exact(transfer(3, "d", 50, status="returned"))[0])
    assert ledger.flows.total == 0


def test_a_transfer_before_the_baseline_is_in_its_balance() -> None:
    """Applied before: no flow. Read before it and applied after it: a flow."""
    early, late = transfer(1, "a", 50, timestamp=900), transfer(2, "b", 7, timestamp=1100)
    assert added(early, late, baseline(3)).flows.deposits == 7


@pytest.mark.parametrize(
    ("direction", "status", "cause", "amount"),
    [("deposit", "applied", "deposits", 50), ("withdrawal", "applied", "withdrawals", -50)],
)
def test_an_applied_transfer_moves_cash_by_its_direction(direction: str, status: str, cause: str, amount: int) -> None:
    """A withdrawal takes the amount, and the fee is taken in both directions."""
    flows = transfer_flows(TransferRecord(1, D(1), "x", direction, D(50), D(2), status))
    expected = dict.fromkeys(CAUSES, D(0)) | {cause: D(amount), "transfer_fees": D(-2)}
    assert flows.as_mapping() == expected
    assert flows.total == amount - 2


def test_a_transfer_of_nothing_is_read() -> None:
    """An amount of 0 is accepted, and without a fee the fee is 0."""
    found = read_transfer(exact(transfer(1, "x", 0))[0][1])
    assert (found.amount, found.fee, found.status) == (0, 0, "applied")


def test_flows_are_added_and_taken_away_cause_by_cause() -> None:
    """Neither changes the flows that it is made of."""
    first = CashFlows(D(1), D(2), D(3), D(4), D(5), D(6))
    later = first + CashFlows(D(10), D(20), D(30), D(40), D(50), D(60))
    assert (first.total, later.total) == (21, 231)
    assert list((later - first).as_mapping().values()) == [10, 20, 30, 40, 50, 60]


def test_a_correction_to_another_market_empties_the_first() -> None:
    """Both markets are replayed, and the trade stands in the second alone."""
    ledger = fold(exact(trade(1), trade(2, ticker="B"), correction(3, 1, ticker="B") | {"timestamp": 1001}))
    assert {name: book.quantity for name, book in ledger.books.items()} == {"A": 0, "B": 20}
    assert (ledger.totals.trades, ledger.corrections, ledger.corrected_by) == (2, {1: 3}, {3: 1})


def test_contracts_of_one_moment_and_price_are_one_lot() -> None:
    """Another price, or another moment, is another lot; each lot keeps its cost and fee."""
    lots = FifoLots()
    for count, cost, opened in ((2, 1, 5), (4, 2, 5), (4, 3, 5), (4, 3, 6)):
        lots.open(D(count), D(cost), D(count), D(opened))
    assert [(lot.quantity, lot.left, lot.cost, lot.fee) for lot in lots.lots] == [
        (6, 6, 3, 6), (4, 4, 3, 4), (4, 4, 3, 4),
    ]  # fmt: skip
    assert (lots.quantity, lots.cost) == (14, 9)
    parts = list(lots.close(D(8)))
    assert [(part.quantity, part.cost, part.fee, part.opened) for part in parts] == [
        (6, 3, 6, 5), (2, D("1.5"), 2, 5),
    ]  # fmt: skip
    assert (lots.quantity, lots.cost, len(lots.lots)) == (6, D("4.5"), 2)


def test_lots_of_the_no_side_are_closed_too() -> None:
    """A short position shrinks towards zero."""
    lots = FifoLots()
    lots.open(D(-3), D("1.5"), D(0), None)
    assert [part.quantity for part in lots.close(D(1))] == [1]
    assert (lots.quantity, lots.cost) == (-2, 1)


def test_the_rest_of_a_share_is_not_lost() -> None:
    """A third of a cent, three times, is a cent; a whole is exact."""
    parts = [share(D("0.01"), D(part + 1), D(3)) - share(D("0.01"), D(part), D(3)) for part in range(3)]
    assert sum(parts) == D("0.01")
    assert share(D("0.01"), D(1), D(3)) == D("0.00333333")
    assert (average(D(1), D(-3)), average(D(1), D(0)), complement(D("0.3"))) == (D("0.333333"), None, D("0.7"))


@pytest.mark.parametrize(
    ("quantity", "mark", "expected"),
    [
        ("4", "0.75", (D("0.25"), D("0.75"), 3, 2)),
        ("-4", "0.75", (D("0.25"), D("0.25"), 1, 0)),
        ("4", None, (D("0.25"), None, None, None)),
        ("0", "0.75", (None, None, 0, 0)),
    ],
)
def test_the_value_of_a_position(quantity: str, mark: str | None, expected: tuple[Any, ...]) -> None:
    """NO contracts are valued at one minus the YES mark; without a mark value and profit are unknown."""
    found = value_position(D(quantity), D(1), None if mark is None else D(mark))
    assert (found.average_price, found.mark, found.value, found.unrealized) == expected


def test_the_row_of_a_position() -> None:
    """A flat market has no outcome, value or unrealized profit; an open one has all of them."""
    books = fold(exact(trade(1, outcome="no", fee=None), trade(2, ticker="B"), settlement(3, ticker="B"))).books
    row = position_row(books["A"], D("0.3"))
    assert row == {
        "ticker": "A", "quantity": D(-10), "outcome": "no", "cost": D(6), "average_price": D("0.6"), "mark": D("0.7"),
        "value": D(7), "unrealized_pnl": D(1), "realized_pnl": 0, "fees": 0, "trades": 1, "fees_unknown": 1,
    }  # fmt: skip
    flat = position_row(books["B"], D("0.3"))
    assert (flat["outcome"], flat["value"], flat["unrealized_pnl"], flat["realized_pnl"]) == (None, None, None, 4)
    assert position_row(fold(exact(trade(1))).books["A"], None)["outcome"] == "yes"


def test_a_sum_of_amounts_leaves_out_unknown_ones() -> None:
    """Nothing at all is zero; only unknown amounts are unknown."""
    assert (sum_known([]), sum_known([None]), sum_known([D(1), None, D(2)])) == (0, None, 3)


def test_fees_unknown_end_with_the_settlement() -> None:
    """The row reports all fees of the market, and only what exceeds the known ones is new."""
    book = fold(
        exact(trade(1, fee=None), trade(2, fee=0.1), settlement(3, yes_quantity=20, revenue=20, fee=0.4))
    ).books["A"]
    assert (book.fees, book.fees_unknown, book.known_fees, book.missing_fees) == (D("0.4"), 0, D("0.1"), 1)
    open_book = fold(exact(trade(1, fee=None))).books["A"]
    assert (open_book.fees, open_book.fees_unknown, open_book.revenue, open_book.missed_quantity) == (0, 1, 0, 0)


@pytest.mark.parametrize(("revenue", "difference"), [(10.01, "0"), (10.02, "0.02"), (9.99, "0"), (9.98, "-0.02")])
def test_a_revenue_may_differ_from_the_payout_by_a_cent(revenue: float, difference: str) -> None:
    """The exchange pays whole cents: one cent is rounding, two are a difference."""
    book = fold(exact(trade(1), settlement(2, revenue=revenue))).books["A"]
    assert book.revenue_difference == D(difference)


def test_contracts_bought_outside_the_bot_are_counted_until_the_settlement() -> None:
    """Those of the baseline and of trades of the account; none once the market has settled."""
    bought = [baseline(1, found_position("A", 3, 1)), trade(2, origin="account"), trade(3)]
    assert fold(exact(*bought)).books["A"].outside == 13
    assert fold(exact(*bought, settlement(4, yes_quantity=23, revenue=23))).books["A"].outside == 0


def test_the_expected_revenue_of_no_contracts() -> None:
    """NO is paid one dollar less the value of YES, flat pays nothing."""
    body = settlement(1, result="scalar", value=D("0.25"), yes_quantity=1, no_quantity=5, revenue=3, fee=0)
    assert read_settlement(body).expected_revenue == 3
    assert read_settlement(body | {"yes_quantity": 9}).expected_revenue == 1
    assert read_settlement(body | {"yes_quantity": 5}).expected_revenue == 0


def test_a_payout_without_a_value_is_of_no_contracts() -> None:
    """The payout of as many YES as NO may be unknown; with contracts left that is an error of the field."""
    body = settlement(1, result="scalar", value=None, yes_quantity=5, no_quantity=5, revenue=0, fee=0)
    paid = read_settlement(body)
    assert (paid.value, paid.expected_revenue) == (None, 0)
    with pytest.raises(RecordError, match="value: expected an exact number, got None"):
        read_settlement(body | {"yes_quantity": 6})


@pytest.mark.parametrize(
    ("side", "outcome", "quantity", "price"),
    [("BUY", "yes", 10, "0.6"), ("SELL", "yes", -10, "0.6"), ("BUY", "no", -10, "0.4"), ("SELL", "no", 10, "0.4")],
)
def test_a_trade_in_yes_terms(side: str, outcome: str, quantity: int, price: str) -> None:
    """Buying NO is selling YES at one minus the price."""
    found = read_trade(exact(trade(1, side=side, outcome=outcome))[0][1])
    assert (found.quantity, found.price, found.corrects, found.outside) == (quantity, D(price), None, False)


def test_a_trade_of_the_account_is_outside_the_bot() -> None:
    """Its origin is the account."""
    assert read_trade(exact(trade(1, origin="account"))[0][1]).outside is True
    assert TradeRecord(1, D(1), "A", D(1), D("0.5"), None).outside is False


@pytest.mark.parametrize(
    ("checks", "seconds", "lasting"),
    [(CHECKS, LASTING, True), (CHECKS - 1, LASTING, False), (CHECKS, LASTING - 1, False)],
)
def test_a_difference_lasts_after_three_checks_and_45_seconds(checks: int, seconds: float, lasting: bool) -> None:
    """Both are needed, and reaching them is enough."""
    assert (CHECKS, LASTING) == (3, 45.0)
    tracker = DifferenceTracker()
    for _ in range(checks):
        (found,) = tracker.update([Difference("cash", "", D(0), D(2), frozenset([D(2), D(-1)]))], 100.0)
    assert found.lasting(100.0 + seconds) is lasting
    assert found.size == -1


@pytest.mark.parametrize(("seconds", "acts"), [(9.9, False), (10.0, True)])
def test_a_loss_on_marks_acts_after_ten_seconds(seconds: float, acts: bool) -> None:
    """Counted from the first valuation that shows it; one without it starts again; a realized loss acts at once."""
    loss = LastingLoss()
    assert loss.check(50.0, on_marks=True, realized=False) is False
    assert loss.check(100.0, on_marks=False, realized=False) is False
    assert loss.check(101.0, on_marks=True, realized=False) is False
    assert loss.check(101.0 + seconds, on_marks=True, realized=False) is acts
    assert LastingLoss().check(0.0, on_marks=False, realized=True) is True


def test_a_lot_without_profit_neither_wins_nor_loses() -> None:
    """It is closed, and its fees count."""
    found = performance(closed_lots(trade(1, price=0.5, fee=0.1), trade(2, side="SELL", price=0.51, fee=0)))
    assert (found.closed, found.wins, found.losses, found.fees) == (1, 0, 0, D("0.1"))
    assert (found.gross_profit, found.gross_loss, found.win_rate) == (0, 0, 0)


def test_the_first_of_two_equal_falls_is_the_deepest() -> None:
    """From the first of two equal highest points to the first lowest one."""
    found = deepest_drawdown([(D(t), D(amount)) for t, amount in enumerate([3, 3, 1, 1, 3, 1])])
    assert (found.depth, found.start, found.end) == (2, 0, 2)


def execution(name: str, at: str = "0", quantity: int = 5, fee: str | None = "0.1") -> ExecutionRecord:
    """An execution at 0.60."""
    return ExecutionRecord(name, D(at), D(quantity), D("0.6"), None if fee is None else D(fee))


def test_the_cash_of_a_reported_position() -> None:
    """Realized profit less the cost of what is held less fees."""
    assert ReportedPosition(D(10), D(6), D("1.5"), D("0.1")).traded_cash == D("-4.6")


def test_reports_ten_seconds_apart_are_one_execution_and_later_ones_are_not() -> None:
    """Without a common id contracts, price and time decide; a second entry of the same fill is a repetition."""
    assert match_executions([execution("x", "10")], [execution("a")]).causes() == {}
    assert match_executions([execution("x", "10.1")], [execution("a")]).causes() == {"missed": 5, "correction": -5}
    twice = match_executions([execution("x", "1"), execution("y", "3")], [execution("a"), execution("b", "2.5")])
    assert twice.causes() == {}


def test_another_fee_of_the_same_fill_is_a_correction() -> None:
    """An unknown fee is none."""
    assert match_executions([execution("a", fee="0.2")], [execution("a")]).causes() == {"correction": 0}
    assert match_executions([execution("a", fee=None)], [execution("a")]).causes() == {}


def test_of_several_causes_the_one_that_explains_most_is_named() -> None:
    """A single cause that fits the size is named; if none and no sum fits, none is named."""
    both = match_executions([execution("a"), execution("z", "500", 2)], [execution("a"), execution("b", "900", 7)])
    assert both.causes() == {"missed": 7, "correction": -2}
    assert [cause_of_quantity(D(size), both) for size in (5, 7, -2, 1)] == ["missed", "missed", "correction", "unknown"]
    assert cause_of_quantity(D(3), match_executions([], [execution("b")])) == "missed"


def test_a_fee_that_the_exchange_reports_lower_is_a_mismatch() -> None:
    """A fee unknown to the journal explains more fees on the other side, never fewer."""
    ledger = fold(exact(baseline(1), trade(2, fee=None), trade(3, fee=0.3)))
    rows = {"A": ReportedPosition(D(20), D(12), D(0), D("0.2"))}
    found = compare(ledger, D(100), [], AccountReading(D("87.7"), rows, D(5000), D(5000)))
    assert found.unreported_fees == 0
    assert [(each.figure, each.ours, each.theirs, each.size) for each in found.differences] == [
        ("fees", D("0.3"), D("0.2"), D("-0.1")),
    ]  # fmt: skip


def test_cost_and_profit_that_differ_are_named() -> None:
    """Their size is theirs less ours."""
    ledger = fold(exact(baseline(1), trade(2)))
    rows = {"A": ReportedPosition(D(10), D(5), D(-1), D("0.1"))}
    found = compare(ledger, D(100), [], AccountReading(D("93.9"), rows, D(5000), D(5000)))
    assert {each.figure: each.size for each in found.differences} == {"cost": -1, "realized_pnl": -1}
