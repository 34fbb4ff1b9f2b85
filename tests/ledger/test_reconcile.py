"""Comparison with the exchange: differences of moment are none, real ones keep their size and get their cause."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.decimal_json import dumps, loads
from ledger.account_ledger import AccountLedger, CashFlows, fold
from ledger.causes import ExecutionRecord, cause_of_content, cause_of_quantity, match_executions
from ledger.reconcile import AccountReading, Difference, DifferenceTracker, RecentFlow, compare, compare_bot
from ledger.records import ReportedPosition
from tests.ledger.cases import Json, baseline, settlement, trade

OPENING = Decimal(100)


def ledger_of(*entries: Json) -> AccountLedger:
    """The ledger of a baseline of 100 dollars and these entries."""
    bodies: list[Json] = [loads(dumps(entry)) for entry in [baseline(1), *entries]]
    return fold([(body["kind"], body) for body in bodies])


def reading(balance: str, *, earliest: int = 5000, latest: int = 5000, **positions: Any) -> AccountReading:
    """The exchange's side; each position is quantity, cost, realized, fees."""
    rows = {ticker: ReportedPosition(*map(Decimal, row)) for ticker, row in positions.items()}
    return AccountReading(Decimal(balance), rows, Decimal(earliest), Decimal(latest))


def flow(timestamp: int, cash: str, quantity: str = "0", ticker: str = "A") -> RecentFlow:
    """Return the flow of one entry."""
    return RecentFlow(Decimal(timestamp), ticker, CashFlows(trades=Decimal(cash)), Decimal(quantity))


def sizes(found: list[Difference]) -> dict[tuple[str, str], Decimal]:
    """Sizes by figure and ticker."""
    return {(each.figure, each.ticker): each.size for each in found}


def test_two_sides_that_agree_have_no_mismatch() -> None:
    """Cash, contracts, cost, profit and fees."""
    found = compare(ledger_of(trade(2)), OPENING, [], reading("93.9", A=("10", "6", "0", "0.1")))
    assert (found.expected, found.differences) == (Decimal("93.9"), [])


def test_a_cent_is_found() -> None:
    """The size is theirs less ours."""
    found = compare(ledger_of(trade(2)), OPENING, [], reading("93.91", A=("10", "6", "0", "0.1")))
    assert sizes(found.differences) == {("cash", ""): Decimal("0.01")}


@pytest.mark.parametrize(
    ("balance", "quantity", "cost"), [("100", "0", "0"), ("93.9", "10", "6"), ("87.9", "20", "12")]
)
def test_a_reading_of_any_moment_in_its_window_agrees(balance: str, quantity: str, cost: str) -> None:
    """The exchange may describe the account before, between or after the newest entries."""
    ledger = ledger_of(trade(2, timestamp=5001), trade(3, timestamp=5002, fee=0))
    recent = [flow(5001, "-6.1", "10"), flow(5002, "-6", "10")]
    now = reading(balance, latest=5003, A=(quantity, cost, "0", "0.1"))
    assert compare(ledger, OPENING, recent, now).differences == []


def test_entries_after_the_window_are_no_part_of_it() -> None:
    """A reading that holds a trade from after its own end is wrong."""
    ledger = ledger_of(trade(2, timestamp=5009))
    recent = [flow(5009, "-6.1", "10")]
    found = compare(ledger, OPENING, recent, reading("93.9", latest=5003, A=("10", "6", "0", "0.1")))
    assert sizes(found.differences) == {("cash", ""): Decimal("-6.1"), ("quantity", "A"): 10}


def test_a_comparison_keeps_its_flows_while_the_ledger_goes_on() -> None:
    """The flows that a comparison names add up to what it expected, also after the next entry."""
    ledger = ledger_of(trade(2))
    found = compare(ledger, OPENING, [], reading("93.9", A=("10", "6", "0", "0.1")))
    ledger.apply("trade", loads(dumps(trade(3))))
    assert OPENING + found.flows.total == found.expected


def test_fees_that_only_the_exchange_reports_are_a_named_cause() -> None:
    """A bot that reports no fees leaves them to the exchange's positions."""
    found = compare(ledger_of(trade(2, fee=None)), OPENING, [], reading("93.9", A=("10", "6", "0", "0.1")))
    assert (found.unreported_fees, found.differences) == (Decimal("0.1"), [])


def test_a_position_without_entries_is_found() -> None:
    """The exchange holds what the journal never saw."""
    found = compare(ledger_of(), OPENING, [], reading("100", B=("3", "1", "0", "0")))
    assert sizes(found.differences) == {("quantity", "B"): 3}


def test_contracts_of_a_settlement_that_no_entry_explains_are_found() -> None:
    """The net count of the row against the position of the entries."""
    ledger = ledger_of(trade(2, quantity=7), settlement(3))
    found = compare(ledger, OPENING, [], reading("105.7"))
    assert sizes(found.differences) == {("settlement", "A"): 3}


def test_a_bot_that_was_polled_before_the_newest_trade_does_not_differ() -> None:
    """Its positions are those of the moment of the poll."""
    ledger = ledger_of(trade(2, timestamp=5001))
    recent = [flow(5001, "-6.1", "10")]
    assert compare_bot(ledger, recent, {}, (Decimal(4998), Decimal(5002))) == []
    late = compare_bot(ledger, recent, {}, (Decimal(5003), Decimal(5007)))
    assert sizes(late) == {("bot_quantity", "A"): -10}


def test_a_difference_keeps_the_size_that_fits_every_comparison() -> None:
    """While the account trades, only the real part of a difference is the same each time."""
    tracker = DifferenceTracker()
    for now, candidates in ((0.0, ["6.01", "0.01"]), (15.0, ["0.01", "-3"]), (60.0, ["0.01"])):
        both = frozenset(map(Decimal, candidates))
        (found,) = tracker.update([Difference("cash", "", Decimal(1), Decimal(2), both)], now)
    assert (found.size, found.since, found.checks, found.lasting(60.0)) == (Decimal("0.01"), 0.0, 3, True)
    assert tracker.update([], 75.0) == []


def test_a_difference_that_changes_begins_again() -> None:
    """Two readings without a common size are two differences."""
    tracker = DifferenceTracker()
    for now, size in ((0.0, 1), (50.0, 2)):
        (found,) = tracker.update([Difference("cash", "", Decimal(0), Decimal(0), frozenset([Decimal(size)]))], now)
    assert (found.since, found.checks) == (50.0, 1)


def execution(
    name: str, at: int = 0, quantity: int = 5, price: str = "0.6", fee: str | None = "0.1"
) -> ExecutionRecord:
    """An execution of 5 YES at 0.60."""
    return ExecutionRecord(name, Decimal(at), Decimal(quantity), Decimal(price), None if fee is None else Decimal(fee))


EVIDENCE = [
    ("missed", [execution("a")], [execution("a"), execution("b", 1)], 5),
    ("counted twice", [execution("a"), execution("b", 1)], [execution("a")], -5),
    ("counted twice", [execution("x"), execution("y", 1)], [execution("a")], -5),
    ("correction", [execution("a")], [execution("a", quantity=3)], -2),
    ("correction", [execution("x")], [execution("a", 2, quantity=3)], -2),
    ("correction", [execution("a"), execution("b", 500)], [execution("a")], -5),
    ("unknown", [execution("a")], [execution("a")], 4),
]


@pytest.mark.parametrize(("cause", "entries", "fills", "size"), EVIDENCE)
def test_the_cause_of_contracts(
    cause: str, entries: list[ExecutionRecord], fills: list[ExecutionRecord], size: int
) -> None:
    """By what is left over when entries and fills are paired one to one."""
    assert cause_of_quantity(Decimal(size), match_executions(entries, fills)) == cause


def test_reports_without_a_common_id_are_one_execution() -> None:
    """The same contracts at the same price within ten seconds; a fee that is unknown differs from none."""
    evidence = match_executions([execution("x", fee=None), execution("y", 8)], [execution("a", 3), execution("b", 9)])
    assert evidence.causes() == {}


def difference(figure: Any, size: str) -> Difference:
    """A figure that differs by size."""
    return Difference(figure, "A", Decimal(0), Decimal(size), frozenset([Decimal(size)]))


def test_another_split_of_the_same_cash_is_the_method() -> None:
    """First in first out and average cost share out realized profit and cost in different ways."""
    evidence = match_executions([], [])
    assert cause_of_content([difference("realized_pnl", "0.3"), difference("cost", "0.3")], evidence) == "method"
    assert cause_of_content([difference("realized_pnl", "0.3"), difference("cost", "0.2")], evidence) == "unknown"
    assert cause_of_content([difference("settlement", "3")], evidence) == "unknown"


def test_another_price_of_the_same_fill_is_a_correction() -> None:
    """The entry is corrected to the fill's price."""
    evidence = match_executions([execution("a")], [execution("a", price="0.5")])
    assert cause_of_content([difference("cost", "-0.5")], evidence) == "correction"


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 3), st.integers(1, 3)), max_size=20))
def test_identical_sides_leave_no_evidence(rows: list[tuple[int, int, int]]) -> None:
    """Entries equal to the fills leave nothing to explain."""
    found = [execution(f"f{at}", when, quantity, f"0.{price}") for at, (when, quantity, price) in enumerate(rows)]
    renamed = [execution(f"b{at}", when, quantity, f"0.{price}") for at, (when, quantity, price) in enumerate(rows)]
    assert match_executions(found, found).causes() == {}
    assert not match_executions(renamed, found).missed
