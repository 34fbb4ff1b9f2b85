"""The ledger of an account: order, corrections, settlements that disagree, and the identity of cash."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cache.decimal_json import dumps, loads
from ledger.account_ledger import AccountLedger, fold
from ledger.market_book import ClosedLot
from tests.ledger.cases import baseline, correction, found_position, settlement, trade, transfer

Json = dict[str, Any]


def exact(*entries: Json) -> list[tuple[str, Json]]:
    """Entries as the journal gives them: kind and body with exact numbers."""
    found: list[Json] = [loads(dumps(entry)) for entry in entries]
    return [(entry["kind"], entry) for entry in found]


def test_a_late_trade_waits_for_the_replay_of_its_market() -> None:
    """Sums stay as they were until every entry of the market is added again in order."""
    entries = exact(trade(1), trade(2, ticker="B"), trade(3, timestamp=999))
    ledger = AccountLedger()
    for kind, body in entries:
        ledger.apply(kind, body)
    assert ledger.unordered == {"A"}
    assert ledger.books["A"].quantity == 10
    ledger.replay("A", [entry for entry in entries if entry[1]["ticker"] == "A"])
    assert (ledger.unordered, ledger.books["A"].quantity, ledger.totals.trades) == (set(), 20, 3)


def test_a_trade_in_order_needs_no_replay() -> None:
    """A market whose entries come in order is never read again."""
    ledger = AccountLedger()
    for kind, body in exact(
        baseline(1, found_position("A", 3, 1)), trade(2), trade(3), settlement(4), trade(5, ticker="B")
    ):
        ledger.apply(kind, body)
    assert ledger.unordered == set()


def test_a_revenue_that_differs_from_the_payout_is_used_and_flagged() -> None:
    """The account was paid the revenue; the difference from contracts times payout stands beside it."""
    paid = settlement(2, result="scalar", value=0.82, yes_quantity=0, no_quantity=1, revenue=0.82, fee=0)
    book = fold(exact(trade(1, outcome="no", quantity=1, price=0.75, fee=0), paid)).books["A"]
    assert (book.realized, book.revenue_difference) == (Decimal("0.07"), Decimal("0.64"))


def test_a_payout_rounded_to_whole_cents_is_no_difference() -> None:
    """A scalar payout of 0.063 is paid as 0.06."""
    paid = settlement(2, result="scalar", value=0.45, yes_quantity=19, no_quantity=18.86, revenue=0.06, fee=0)
    assert fold(exact(paid)).books["A"].revenue_difference == 0


def test_contracts_that_only_the_settlement_knows_are_named() -> None:
    """The net count of the row less the position of the entries is what no entry explains."""
    book = fold(exact(trade(1, quantity=7), settlement(2))).books["A"]
    assert book.missed_quantity == 3


def test_a_second_settlement_of_a_market_is_counted_and_not_paid_again() -> None:
    """The first row stands; repetitions are named by ticker."""
    ledger = fold(exact(trade(1), settlement(2), settlement(3, revenue=11)))
    assert (ledger.flows.settlements, ledger.repeated_settlements) == (10, {"A": 1})


def test_entries_before_a_later_baseline_are_added_again() -> None:
    """Trades after the baseline's time count although their entries came before it."""
    ledger = fold(exact(trade(1, timestamp=1005), trade(2, timestamp=990), baseline(3, found_position("A", 10, 6))))
    assert (ledger.books["A"].quantity, ledger.flows.trades) == (20, -6)


def test_a_transfer_that_was_applied_before_the_baseline_and_returned_after_it() -> None:
    """The baseline's balance holds the deposit, so its return takes it away."""
    ledger = fold(exact(transfer(1, "d", 50, timestamp=900), baseline(2), transfer(3, "d", 50, status="returned")))
    assert ledger.flows.deposits == -50


class TaxExchange:
    """A toy exchange in whole units: it trades, charges and settles, and adds up its own cash."""

    def __init__(self) -> None:
        self.cash = 10_000_000_000  # 1e-6 dollars
        self.start = self.cash
        self.position = dict.fromkeys("ABC", 0)
        self.fees = dict.fromkeys("ABC", 0)
        self.settled: set[str] = set()

    def trade(self, ticker: str, signed: int, price: int, fee: int) -> None:
        """signed: hundredths of a contract, + YES; price: 1e-4 dollars of YES; fee: 1e-6 dollars."""
        before = max(0, -self.position[ticker])
        self.position[ticker] += signed
        pairs = before - max(0, -self.position[ticker])
        self.cash += pairs * 10_000 - signed * price - fee  # a NO contract is a dollar less one YES
        self.fees[ticker] += fee

    def settle(self, ticker: str, value: int) -> tuple[int, int]:
        """value: cents of one YES. Returns the net hundredths and the cents that were paid."""
        self.settled.add(ticker)
        net = self.position.pop(ticker)
        revenue = net * value // 100 if net >= 0 else -net * (100 - value) // 100
        self.cash += revenue * 10_000
        return net, revenue


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["trade"] * 12 + ["settle", "transfer", "wrong", "void"]),
        st.sampled_from("ABC"), st.sampled_from([1, -1]), st.integers(1, 2000), st.integers(1, 9999),
        st.integers(0, 30_000), st.booleans(), st.integers(0, 6),
    ),
    max_size=200,
)  # fmt: skip


def dollars(units: int, places: int) -> Decimal:
    """An exact amount from whole units of 10^-places."""
    return Decimal(units).scaleb(-places)


def reported_trade(seq: int, move: Any, mode: str = "demo") -> Json:
    """The entry of a trade as a bot reports it: in YES or in NO terms."""
    _, ticker, sign, quantity, price, fee, in_no, _ = move
    side = "BUY" if (sign > 0) != in_no else "SELL"
    amount = dollars(10_000 - price if in_no else price, 4)
    return trade(
        seq, timestamp=1_000_000 + seq, ticker=ticker, side=side, outcome="no" if in_no else "yes",
        quantity=dollars(quantity, 2), price=amount, fee=dollars(fee, 6), mode=mode,
    )  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(moves=MOVES, fees_reported=st.booleans(), order=st.randoms(use_true_random=False))
def test_cash_moves_by_named_causes_alone(moves: list[Any], fees_reported: bool, order: Any) -> None:
    """For any trades, settlements, corrections and transfers, however late, nothing is unexplained."""
    exchange, entries = TaxExchange(), [baseline(1, balance=10_000)]
    for number, move in enumerate(moves):
        entries += _happen(exchange, 10 * number + 10, move, fees_reported)
    first, rest = entries[:1], entries[1:]
    rest.sort(key=lambda entry: entry["seq"] + order.randint(0, 60))
    for ticker in "ABC":  # a bot that reports no fees leaves them to the settlement
        if not fees_reported and ticker not in exchange.settled:
            rest += _settled(exchange, 9_000 + ord(ticker), ticker, 100)
    arrived = _renumbered(first + rest)
    closed: list[ClosedLot] = []
    ledger = fold([(entry["kind"], entry) for entry in arrived], closed.append)
    reported = dollars(exchange.cash, 6)
    assert ledger.baseline is not None
    assert ledger.baseline.balance is not None
    assert reported - ledger.baseline.balance - ledger.flows.total == 0
    assert {name: each.quantity for name, each in ledger.books.items() if each.quantity} == {
        name: dollars(count, 2) for name, count in exchange.position.items() if count
    }
    open_fees = ledger.totals.fees - sum(lot.fees for lot in closed)
    assert sum(lot.proceeds - lot.cost for lot in closed) == ledger.totals.realized - _flat_revenue(ledger)
    assert open_fees >= 0


def _flat_revenue(ledger: AccountLedger) -> Decimal:
    return sum((each.revenue for each in ledger.books.values() if not each.settlement_position), Decimal(0))


def _happen(exchange: TaxExchange, seq: int, move: Any, fees_reported: bool) -> list[Json]:
    what, ticker, sign, quantity, price, fee, _, value = move
    if what == "transfer":
        exchange.cash += sign * quantity * 10_000
        direction = "deposit" if sign > 0 else "withdrawal"
        pending = transfer(seq, f"x{seq}", dollars(quantity, 2), direction=direction, status="pending", timestamp=seq)
        return [pending, pending | {"seq": seq + 1, "status": "applied", "timestamp": 1_000_000 + seq}]
    if ticker in exchange.settled:
        return []
    if what == "settle":
        return _settled(exchange, seq, ticker, [0, 100, 37, 50, 5, 99, 1][value])
    entry = reported_trade(seq, move)
    if what == "void":
        return [entry, entry | {"kind": "correction", "seq": seq + 1, "corrects": seq, "quantity": 0}]
    exchange.trade(ticker, sign * quantity, price, fee)
    if not fees_reported:
        entry["fee"] = None
    if what == "wrong":
        wrong = entry | {"price": Decimal("0.5"), "quantity": Decimal(3)}
        return [wrong, entry | {"kind": "correction", "seq": seq + 1, "corrects": seq}]
    return [entry]


def _settled(exchange: TaxExchange, seq: int, ticker: str, value: int) -> list[Json]:
    net, revenue = exchange.settle(ticker, value)
    result = {0: "no", 100: "yes"}.get(value, "scalar")
    return [settlement(
        seq, timestamp=2_000_000 + seq, ticker=ticker, result=result, value=dollars(value, 2),
        yes_quantity=dollars(max(net, 0) + 700, 2), no_quantity=dollars(max(-net, 0) + 700, 2),
        revenue=dollars(revenue, 2), fee=dollars(exchange.fees[ticker], 6), mode="demo",
    )]  # fmt: skip


def _renumbered(entries: list[Json]) -> list[Json]:
    """Seqs in the order of arrival, and corrections after what they correct."""
    places: dict[int, int] = {}
    waiting: list[Json] = []
    found: list[Json] = []
    for entry in [*entries]:
        if entry.get("corrects") is not None and entry["corrects"] not in places:
            waiting.append(entry)
            continue
        for each in [entry, *(late for late in waiting if late["corrects"] == entry["seq"])]:
            places[each["seq"]] = len(found) + 1
            found.append(each | {"seq": len(found) + 1} | (
                {"corrects": places[each["corrects"]]} if each.get("corrects") is not None else {}
            ))  # fmt: skip
    return found


def test_a_correction_of_a_correction_reaches_the_trade() -> None:
    """A correction may name the correction before it."""
    ledger = fold(exact(trade(1), correction(2, 1, price=0.5), correction(3, 2, price=0.4) | {"timestamp": 1001}))
    assert (ledger.books["A"].cost, ledger.totals.trades) == (4, 1)


def test_fees_of_closed_lots_add_up_where_a_lot_grows_after_a_sale() -> None:
    """Trades of one moment and one price have their own fees, also when a sale stands between them."""
    at = {"timestamp": 1000, "price": 0.5}
    closed: list[ClosedLot] = []
    entries = [
        trade(1, fee=0.1, **at), trade(2, side="SELL", quantity=5, fee=0, **at), trade(3, fee=0.3, **at),
        trade(4, side="SELL", quantity=15, fee=0, **at),
    ]  # fmt: skip
    ledger = fold(exact(*entries), closed.append)
    assert (sum(lot.fees for lot in closed), ledger.totals.fees) == (Decimal("0.4"), Decimal("0.4"))


def test_a_deposit_and_a_withdrawal_of_one_id_are_two_transfers() -> None:
    """The ids of deposits and withdrawals are given by two lists of the exchange."""
    ledger = fold(exact(transfer(1, "x", 50), transfer(2, "x", 20, direction="withdrawal")))
    assert (ledger.flows.deposits, ledger.flows.withdrawals) == (50, -20)
