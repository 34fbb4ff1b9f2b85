"""Each record of the exchange: what is required, what may be missing, and which error names what."""

import re
from decimal import Decimal
from typing import Any

import pytest

from cache.decimal_json import loads
from kalshi.account_models import AccountSettlement, Balance, BankTransfer, Fill, Order, Position
from kalshi.errors import FieldError
from kalshi.market_models import Cutoff, ExchangeStatus, Level, Market, Orderbook
from kalshi.rate_limits import AccountLimits, EndpointCosts, pattern
from kalshi.records import RecordReader
from tests.support import payloads

WRONG: dict[str, tuple[Any, ...]] = {
    "text": (None, 5, [], {}, True, ""),
    "words": (None, 5, [], {}),
    "dollars": (None, 5, Decimal("0.52"), "", "abc", "1e2", "NaN", "Infinity", "0.1234567", " 0.5", "0,5", "٠.٥", []),
    "price": (None, Decimal("0.52"), "1.0001", "-0.1", "abc"),
    "count": (None, 10, Decimal("10.5"), "10.001", "ten", {}),
    "whole": (None, "1", True, Decimal("1.5"), []),
    "flag": (None, 1, "true", "", []),
    "moment": (None, 1781159370, "yesterday", "2026-06-11T06:29:30", "", []),
    "bit": (None, "maybe", "", 1, []),
    "list": (None, {}, "[]", 5),
    "object": (None, [], "{}", 5),
}
MODELS: dict[str, tuple[Any, dict[str, Any], dict[str, str]]] = {
    "balance": (Balance.from_api, payloads.BALANCE, {
        "balance_dollars": "dollars", "balance": "whole", "portfolio_value": "whole", "updated_ts": "whole",
    }),
    "position": (Position.from_api, payloads.POSITION, {
        "ticker": "text", "position_fp": "count", "market_exposure_dollars": "dollars",
        "realized_pnl_dollars": "dollars", "fees_paid_dollars": "dollars", "total_traded_dollars": "dollars",
        "last_updated_ts": "moment",
    }),
    "fill": (Fill.from_api, payloads.FILL, {
        "fill_id": "text", "order_id": "text", "ticker": "text", "book_side": "bit", "outcome_side": "bit",
        "count_fp": "count", "yes_price_dollars": "price", "no_price_dollars": "price", "fee_cost": "dollars",
        "is_taker": "flag",
    }),
    "pushed fill": (Fill.from_push, payloads.PUSHED, {
        "trade_id": "text", "order_id": "text", "market_ticker": "text", "ts_ms": "whole", "book_side": "bit",
        "outcome_side": "bit", "count_fp": "count", "yes_price_dollars": "price", "fee_cost": "dollars",
        "is_taker": "flag",
    }),
    "order": (Order.from_api, payloads.ORDER, {
        "order_id": "text", "client_order_id": "words", "ticker": "text", "book_side": "bit", "outcome_side": "bit",
        "status": "text", "yes_price_dollars": "price", "initial_count_fp": "count", "fill_count_fp": "count",
        "remaining_count_fp": "count", "taker_fill_cost_dollars": "dollars", "maker_fill_cost_dollars": "dollars",
        "taker_fees_dollars": "dollars", "maker_fees_dollars": "dollars",
    }),
    "settlement": (AccountSettlement.from_api, payloads.SETTLEMENT, {
        "ticker": "text", "event_ticker": "text", "market_result": "text", "yes_count_fp": "count",
        "yes_total_cost_dollars": "dollars", "no_count_fp": "count", "no_total_cost_dollars": "dollars",
        "revenue": "whole", "fee_cost": "dollars", "settled_time": "moment",
    }),
    "transfer": (lambda fields: BankTransfer.from_api(fields, direction="deposit"), payloads.DEPOSIT, {
        "id": "text", "status": "text", "amount_cents": "whole", "fee_cents": "whole", "created_ts": "whole",
    }),
    "market": (Market.from_api, payloads.MARKET, {
        "ticker": "text", "event_ticker": "text", "market_type": "text", "yes_sub_title": "words",
        "no_sub_title": "words", "status": "text", "result": "words", "yes_bid_dollars": "price",
        "yes_ask_dollars": "price", "no_bid_dollars": "price", "no_ask_dollars": "price",
        "last_price_dollars": "price", "yes_bid_size_fp": "count", "yes_ask_size_fp": "count", "volume_fp": "count",
        "volume_24h_fp": "count", "open_interest_fp": "count", "open_time": "moment", "close_time": "moment",
        "latest_expiration_time": "moment", "rules_primary": "words",
    }),
    "orderbook": (Orderbook.from_api, payloads.ORDERBOOK, {"orderbook_fp": "object"}),
    "status": (ExchangeStatus.from_api, payloads.STATUS, {"exchange_active": "flag", "trading_active": "flag"}),
    "cutoff": (Cutoff.from_api, payloads.CUTOFF, {"trades_created_ts": "moment", "orders_updated_ts": "moment"}),
    "limits": (AccountLimits.from_api, payloads.LIMITS, {"usage_tier": "text", "read": "object", "write": "object"}),
    "costs": (EndpointCosts.from_api, payloads.COSTS, {"default_cost": "whole", "endpoint_costs": "list"}),
}  # fmt: skip
REQUIRED = [
    pytest.param(read, payload, name, kind, id=f"{model} {name}")
    for model, (read, payload, fields) in MODELS.items()
    for name, kind in fields.items()
]


@pytest.mark.parametrize(("read", "payload", "name", "kind"), REQUIRED)
def test_a_required_field_that_is_missing_renamed_or_mistyped_is_named(
    read: Any, payload: Any, name: Any, kind: Any
) -> None:
    """Never a default: the error holds the endpoint and the field."""
    less = {key: value for key, value in payload.items() if key != name}
    bad = [less, less | {f"{name}_v2": payload[name]}]
    bad += [payload | {name: value} for value in WRONG[kind]]
    for record in bad:
        with pytest.raises(FieldError, match=re.escape("GET /somewhere: field ")) as caught:
            read(RecordReader(record, "GET /somewhere"))
        assert caught.value.field == name


@pytest.mark.parametrize(("read", "payload", "_"), MODELS.values(), ids=MODELS)
def test_new_fields_and_nulls_in_optional_ones_are_taken(read: Any, payload: Any, _: Any) -> None:
    """The exchange adds fields any Thursday; what it may leave out may be null."""
    more = payload | {"brand_new": {"x": 1}, "service": None}
    assert read(RecordReader(more, "e")) == read(RecordReader(payload, "e"))


def test_unknown_words_are_passed_through() -> None:
    """A status, a result or a market type that is not known is returned unchanged."""
    assert Order.from_api(RecordReader(payloads.ORDER | {"status": "asleep"}, "e")).status == "asleep"
    assert (
        Market.from_api(RecordReader(payloads.MARKET | {"status": "odd", "market_type": "ternary"}, "e")).status
        == "odd"
    )
    assert (
        AccountSettlement.from_api(RecordReader(payloads.SETTLEMENT | {"market_result": "void"}, "e")).result == "void"
    )


def test_sides_are_of_the_yes_book() -> None:
    """A bid buys YES; an ask sells it, whose price for NO is the complement."""
    ask = {"book_side": "ask", "outcome_side": "no"}
    fill, order = (
        Fill.from_api(RecordReader(payloads.FILL | ask, "e")),
        Order.from_api(RecordReader(payloads.ORDER | ask, "e")),
    )
    assert (fill.side, fill.yes_price, order.side) == ("SELL", Decimal("0.52"), "SELL")
    assert Fill.from_api(RecordReader(payloads.FILL, "e")).side == "BUY"


def test_optional_fields() -> None:
    """Deprecated, nullable and optional fields."""
    fill = {name: value for name, value in payloads.FILL.items() if name not in ("created_time", "trade_id")}
    assert Fill.from_api(RecordReader(fill, "e")).timestamp == 1781159370
    assert Balance.from_api(RecordReader(payloads.BALANCE | {"balance_breakdown": None}, "e")).by_exchange_index == {}
    assert AccountSettlement.from_api(RecordReader(payloads.SETTLEMENT | {"value": None}, "e")).value is None
    order = {name: value for name, value in payloads.ORDER.items() if not name.endswith("_time")}
    assert Order.from_api(RecordReader(order, "e")).created is None


CONTRADICTIONS = [
    ("balance", {"balance": 9800}, "balance"),
    ("balance", {"balance_dollars": "-98.0186"}, "balance"),
    ("balance", {"portfolio_value": -1}, "portfolio_value"),
    ("balance", {"balance_breakdown": [{"exchange_index": 0, "balance": "98.0185"}]}, "balance_breakdown"),
    ("balance", {"balance_breakdown": [{"exchange_index": 0, "balance": "49.0093"}] * 2}, "balance_breakdown"),
    ("position", {"market_exposure_dollars": "3.000001"}, "market_exposure_dollars"),
    ("position", {"market_exposure_dollars": "-1.000000"}, "market_exposure_dollars"),
    ("position", {"position_fp": "0.00"}, "market_exposure_dollars"),
    ("position", {"fees_paid_dollars": "-0.010000"}, "fees_paid_dollars"),
    ("position", {"total_traded_dollars": "-0.010000"}, "total_traded_dollars"),
    ("fill", {"outcome_side": "no"}, "outcome_side"),
    ("fill", {"book_side": "ask"}, "outcome_side"),
    ("fill", {"fee_cost": "-0.010000"}, "fee_cost"),
    ("pushed fill", {"outcome_side": "no"}, "outcome_side"),
    ("pushed fill", {"book_side": "ask"}, "outcome_side"),
    ("pushed fill", {"fee_cost": "-0.010000"}, "fee_cost"),
    ("order", {"outcome_side": "no"}, "outcome_side"),
    ("order", {"no_price_dollars": "0.5200"}, "no_price_dollars"),
    ("order", {"fill_count_fp": "11.00"}, "initial_count_fp"),
    ("order", {"remaining_count_fp": "-1.00"}, "remaining_count_fp"),
    ("order", {"taker_fees_dollars": "-0.010000"}, "taker_fees_dollars"),
    ("settlement", {"value": 0}, "value"),
    ("settlement", {"value": 500}, "value"),
    ("settlement", {"value": -1}, "value"),
    ("settlement", {"value": "100"}, "value"),
    ("settlement", {"market_result": "no", "value": 100}, "value"),
    ("settlement", {"revenue": -300}, "revenue"),
    ("settlement", {"yes_count_fp": "-3.00"}, "yes_count_fp"),
    ("settlement", {"no_total_cost_dollars": "-1.000000"}, "no_total_cost_dollars"),
    ("settlement", {"fee_cost": "-0.010000"}, "fee_cost"),
    ("transfer", {"amount_cents": -1}, "amount_cents"),
    ("transfer", {"fee_cents": -1}, "fee_cents"),
    ("transfer", {"finalized_ts": "now"}, "finalized_ts"),
    ("transfer", {"finalized_ts": 1781150000000}, "finalized_ts"),
    ("transfer", {"created_ts": 10**30}, "created_ts"),
    ("transfer", {"amount_cents": 10**40}, "amount_cents"),
    ("settlement", {"revenue": 10**40}, "revenue"),
    ("pushed fill", {"ts_ms": 10**30}, "ts_ms"),
    ("pushed fill", {"ts_ms": 1781150000}, "ts_ms"),
]


@pytest.mark.parametrize(("model", "changes", "field"), CONTRADICTIONS)
def test_a_record_that_contradicts_itself_is_a_named_error(model: Any, changes: Any, field: Any) -> None:
    """Two fields that cannot both be true, and amounts that cannot be negative, are never shown as fact."""
    read, payload, _ = MODELS[model]
    with pytest.raises(FieldError) as caught:
        read(RecordReader(payload | changes, "e"))
    assert caught.value.field == field


def test_a_transfer_has_the_time_of_its_present_state() -> None:
    """finalized_ts once it is applied, failed or returned; created_ts before."""
    pending = payloads.DEPOSIT | {"status": "pending", "finalized_ts": None}
    assert BankTransfer.from_api(RecordReader(pending, "e"), direction="withdrawal").timestamp == 1781150000
    applied = BankTransfer.from_api(RecordReader(payloads.DEPOSIT, "e"), direction="deposit")
    assert (applied.timestamp, applied.amount, applied.fee) == (1781160000, 25, Decimal("0.5"))


def test_a_fill_without_any_time_is_refused() -> None:
    """created_time and ts are both optional in the docs, but one must be there."""
    fill = {name: value for name, value in payloads.FILL.items() if name not in ("created_time", "ts")}
    with pytest.raises(FieldError, match="'ts' is missing"):
        Fill.from_api(RecordReader(fill, "e"))


@pytest.mark.parametrize("count", ["0.00", "-1.00"])
def test_a_fill_of_nothing_is_refused(count: int) -> None:
    """An execution has contracts."""
    with pytest.raises(FieldError, match="more than zero"):
        Fill.from_api(RecordReader(payloads.FILL | {"count_fp": count}, "e"))


def test_prices_that_do_not_add_up_are_refused() -> None:
    """YES and NO of one fill are one dollar, or one of them means something new."""
    with pytest.raises(FieldError, match="add up to 1"):
        Fill.from_api(RecordReader(payloads.FILL | {"no_price_dollars": "0.5200"}, "e"))


@pytest.mark.parametrize("record", [None, [], "x", 5])
def test_a_record_must_be_an_object(record: Any) -> None:
    """The error names the endpoint."""
    with pytest.raises(FieldError, match="GET /x: field 'reply' should be an object"):
        RecordReader(record, "GET /x")


def test_a_bad_row_is_named_by_its_place() -> None:
    """In a list of a thousand the place helps."""
    with pytest.raises(FieldError, match=r"rows\[1\]"):
        RecordReader({"rows": [{}, 5]}, "GET /x").many("rows")


def test_moments_are_exact() -> None:
    """Microseconds survive; offsets are understood."""
    fields = RecordReader({"a": "2026-06-11T06:29:30.164956Z", "b": "2026-06-11T08:29:30+02:00"}, "e")
    assert (fields.moment("a"), fields.moment("b")) == (Decimal("1781159370.164956"), 1781159370)


def test_the_best_bid_comes_first() -> None:
    """The exchange sends it last; a side that is left out is empty."""
    book = Orderbook.from_api(RecordReader(payloads.ORDERBOOK, "e"))
    assert book.yes == (Level(Decimal("0.52"), Decimal(12)), Level(Decimal("0.47"), Decimal(3)))
    assert Orderbook.from_api(RecordReader({"orderbook_fp": {}}, "e")) == Orderbook((), ())


@pytest.mark.parametrize("row", [["0.5"], "0.5", [0.5, "1"], ["0.5", None], ["0.5", "1", "2"], None])
def test_a_level_that_is_no_pair_is_refused(row: Any) -> None:
    """[price, count], both texts."""
    with pytest.raises(FieldError, match="yes_dollars"):
        Orderbook.from_api(RecordReader({"orderbook_fp": {"yes_dollars": [row]}}, "e"))


@pytest.mark.parametrize(
    ("path", "known_as"),
    [
        ("/portfolio/orders/0af1", "/portfolio/orders/{}"),
        ("/trade-api/v2/portfolio/orders/{order_id}", "/portfolio/orders/{}"),
        ("/portfolio/events/orders/abc/amend", "/portfolio/events/orders/{}/amend"),
        ("/portfolio/events/orders/batched", "/portfolio/events/orders/batched"),
        ("/portfolio/events/orders", "/portfolio/events/orders"),
        ("/markets/A-B/orderbook", "/markets/{}/orderbook"),
        ("/markets/orderbooks", "/markets/orderbooks"),
        ("/events/E-1", "/events/{}"),
        ("/series/S", "/series/{}"),
        ("/markets", "/markets"),
    ],
)
def test_paths_are_counted_by_pattern(path: str, known_as: Any) -> None:
    """Ids out, words in: so that counters and costs have few names."""
    assert pattern(path) == known_as


def test_costs_are_found_by_pattern() -> None:
    """The default for what is not listed."""
    costs = EndpointCosts.from_api(RecordReader(loads(str(payloads.COSTS).replace("'", '"')), "e"))
    assert (costs.of("GET", "/portfolio/orders/x"), costs.of("GET", "/portfolio/orders")) == (2, 10)


@pytest.mark.parametrize(
    ("found", "payout"),
    [
        ({"market_result": "scalar", "value": 40}, "0.4"),
        ({"market_result": "no"}, "0"),
        ({"market_result": "scalar", "yes_count_fp": "4.00", "no_count_fp": "1.00", "revenue": 90}, "0.3"),
        ({"market_result": "scalar", "yes_count_fp": "1.00", "no_count_fp": "4.00", "revenue": 90}, "0.7"),
        ({"market_result": "scalar", "yes_count_fp": "2.00", "no_count_fp": "2.00", "revenue": 200}, None),
    ],
    ids=["as told", "by the result", "by what YES brought", "by what NO brought", "nobody says"],
)
def test_payout_of_one_yes_contract(found: dict[str, object], payout: str | None) -> None:
    """The exchange's word first, then what can be worked out, and never a guess."""
    paid = AccountSettlement.from_api(RecordReader(payloads.SETTLEMENT | {"value": None} | found, "e"))
    assert paid.payout == (None if payout is None else Decimal(payout))


FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "balance": (
        {"balance_breakdown": [{"exchange_index": 0, "balance": "90.0"}, {"exchange_index": 1, "balance": "8.0186"}]},
        {"balance": "98.0186", "portfolio_value_reported": "1.98", "currency": "USD",
         "by_exchange_index": {"0": "90.0", "1": "8.0186"}},
    ),
    "position": (
        {"position_fp": "-4.00", "realized_pnl_dollars": "-0.5"},
        {"ticker": "PRES24-GOP", "quantity": "-4", "outcome": "no", "cost": "2.5", "average_price": "0.625",
         "realized_pnl": "-0.5", "fees": "0.0189"},
    ),
    "fill": (
        {"book_side": "ask", "outcome_side": "no"},
        {"fill_id": "f-1", "order_id": "o-1", "timestamp": "1781159370.164956", "ticker": "PRES24-GOP",
         "side": "SELL", "outcome": "yes", "quantity": "10", "price": "0.52", "fee": "0.0175", "is_taker": True},
    ),
    "order": (
        {"client_order_id": "", "maker_fill_cost_dollars": "1.5", "maker_fees_dollars": "0.01",
         "remaining_count_fp": "6.00", "expiration_time": "2026-06-11T06:29:31Z"},
        {"order_id": "o-1", "client_order_id": None, "ticker": "PRES24-GOP", "side": "BUY", "outcome": "yes",
         "status": "canceled", "price": "0.52", "quantity": "10", "filled": "4", "remaining": "6", "cost": "3.58",
         "fees": "0.08", "created": "1781159370.164956", "updated": None, "expires": "1781159371"},
    ),
    "settlement": (
        {"no_count_fp": "2.00", "no_total_cost_dollars": "0.9"},
        {"timestamp": "1781222400", "ticker": "PRES24-GOP", "event_ticker": "PRES24", "result": "yes", "value": "1",
         "yes_quantity": "3", "yes_cost": "2.5", "no_quantity": "2", "no_cost": "0.9", "revenue": "3",
         "fee": "0.0189"},
    ),
    "market": (
        {"result": "", "last_price_dollars": "0.0000", "title": None},
        {"ticker": "PRES24-GOP", "event_ticker": "PRES24", "title": None, "yes_title": "GOP", "no_title": "not GOP",
         "type": "binary", "status": "active", "result": None, "settlement_value": None, "yes_bid": "0.52",
         "yes_ask": "0.54", "no_bid": "0.46", "no_ask": "0.48", "yes_bid_size": "12", "yes_ask_size": "7",
         "last_price": None, "volume": "1000", "volume_24h": "10", "open_interest": "500", "open_time": "1767225600",
         "close_time": "1798675200", "expires": "1801353600"},
    ),
}  # fmt: skip


def _exact(value: Any) -> Any:
    """Return the texts of numbers in a JSON form as numbers."""
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    return Decimal(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9.]+", value) else value


@pytest.mark.parametrize("model", FORMS)
def test_the_json_of_a_record_has_our_names_and_units(model: str) -> None:
    """Dollars, contracts and Unix seconds; sides and prices of YES; null for what is not known or empty."""
    changes, form = FORMS[model]
    read, payload, _ = MODELS[model]
    found = read(RecordReader(payload | changes, "e")).as_json()
    assert (list(found), found) == (list(form), _exact(form))


@pytest.mark.parametrize(
    ("quantity", "outcome", "average"), [("3.00", "yes", "0.5"), ("-3.00", "no", "0.5"), ("0.00", None, None)]
)
def test_a_position_is_held_in_one_outcome(quantity: str, outcome: str | None, average: str | None) -> None:
    """+ is YES and - is NO; a flat position has neither outcome nor price."""
    cost = "0.000000" if outcome is None else "1.500000"
    found = Position.from_api(
        RecordReader(payloads.POSITION | {"position_fp": quantity, "market_exposure_dollars": cost}, "e")
    )
    assert (found.outcome, found.average_price) == (outcome, None if average is None else Decimal(average))


@pytest.mark.parametrize(("cents", "holds"), [(9801, True), (9802, True), (9803, False), (9800, False)])
def test_cents_of_a_balance_are_its_dollars_within_a_cent(cents: int, holds: bool) -> None:
    """Rounded either way, and by less than one cent."""
    fields = RecordReader(payloads.BALANCE | {"balance": cents}, "e")
    if holds:
        assert Balance.from_api(fields).balance == Decimal("98.0186")
    else:
        with pytest.raises(FieldError, match=r"balance_dollars 98\.0186 in whole cents"):
            Balance.from_api(fields)
    with pytest.raises(FieldError, match="balance_dollars"):
        Balance.from_api(RecordReader(payloads.balance("98.0000") | {"balance": 9801}, "e"))


def test_a_pushed_fill_has_the_names_of_a_fill_of_rest() -> None:
    """Its time is exact to the millisecond; the client's own id comes with it."""
    fill = Fill.from_push(RecordReader(payloads.PUSHED | {"subaccount": 3}, "e"))
    assert (fill.fill_id, fill.ticker, fill.timestamp) == ("f-1", "PRES24-GOP", Decimal("1781159370.164"))
    assert (fill.subaccount, fill.client_order_id) == (3, "c-1")
    bare = Fill.from_push(RecordReader(payloads.PUSHED | {"client_order_id": ""}, "e"))
    assert (bare.subaccount, bare.client_order_id) == (None, None)


@pytest.mark.parametrize(
    ("result", "value", "holds"),
    [("yes", 100, True), ("yes", 99, False), ("no", 0, True), ("no", 99, True), ("no", 100, False),
     ("scalar", 0, True), ("scalar", 100, True), ("scalar", 101, False), ("scalar", -1, False)],
)  # fmt: skip
def test_a_payout_fits_its_result(result: str, value: int, holds: bool) -> None:
    """yes pays a dollar, no pays less than one, and nothing pays more than one or less than none."""
    fields = RecordReader(payloads.SETTLEMENT | {"market_result": result, "value": value}, "e")
    if holds:
        assert AccountSettlement.from_api(fields).payout == Decimal(value) / 100
    else:
        with pytest.raises(FieldError, match="value"):
            AccountSettlement.from_api(fields)


@pytest.mark.parametrize(
    ("yes", "no", "revenue", "payout"),
    [("3.00", "0.00", 100, "0.3333"), ("0.00", "3.00", 100, "0.6667"), ("1.00", "0.00", 150, "1")],
)
def test_a_payout_by_revenue_has_four_decimals(yes: str, no: str, revenue: int, payout: str) -> None:
    """It is at most a dollar, whatever the account was paid."""
    found = {"market_result": "scalar", "value": None, "yes_count_fp": yes, "no_count_fp": no, "revenue": revenue}
    assert AccountSettlement.from_api(RecordReader(payloads.SETTLEMENT | found, "e")).payout == Decimal(payout)


def test_an_order_may_be_filled_in_part() -> None:
    """Filled and remaining contracts are at most those ordered."""
    fields = RecordReader(payloads.ORDER | {"fill_count_fp": "4.00", "remaining_count_fp": "6.00"}, "e")
    assert Order.from_api(fields).remaining == 6
    with pytest.raises(FieldError, match=r"at least the 10\.01 filled and remaining"):
        Order.from_api(RecordReader(payloads.ORDER | {"remaining_count_fp": "6.01"}, "e"))


@pytest.mark.parametrize(
    ("name", "found", "text"),
    [("a", {}, "field 'a' is missing; whole cents was expected"),
     ("a", {"a": "x" * 99}, "field 'a' should be whole cents, not '" + "x" * 59)],
)  # fmt: skip
def test_the_error_of_a_field_contains_its_value(name: str, found: dict[str, Any], text: str) -> None:
    """Its first 60 characters, or that it is missing."""
    with pytest.raises(FieldError) as caught:
        RecordReader(found, "GET /x").cents(name)
    assert str(caught.value) == f"GET /x: {text}"


@pytest.mark.parametrize(
    ("method", "allowed", "refused"),
    [("price", ["0", "1", "0.000001"], ["-0.000001", "1.000001"]), ("amount", ["0", "5"], ["-0.000001"]),
     ("contracts", ["0", "0.01"], ["-0.01", "0.001"]), ("cents_from_0", [0, 1, 10**17 - 1], [-1, 10**17]),
     ("flag", [True, False], [0]), ("number", [0, Decimal("0.5")], [True, "0"]), ("any_text", ["", "a"], [5]),
     ("seconds", [10**9, 10**11 - 1], ["1781150000", True, 0, -1, 10**9 - 1, 10**11, 10**30])],
)  # fmt: skip
def test_bounds_of_a_field(method: str, allowed: list[Any], refused: list[Any]) -> None:
    """The bounds themselves are allowed, the next value beyond them is refused."""
    for value in allowed:
        found = getattr(RecordReader({"a": value}, "e"), method)("a")
        assert found == (
            Decimal(value) / 100 if method == "cents_from_0" else value if value in ("", "a") else _exact(value)
        )
    for value in refused:
        with pytest.raises(FieldError):
            getattr(RecordReader({"a": value}, "e"), method)("a")


@pytest.mark.parametrize(("last", "bid", "ask"), [("0.0000", "0.0000", "1.0000"), ("0.5", "0.0001", "0.9999")])
def test_an_empty_side_of_a_market_has_no_quote(last: str, bid: str, ask: str) -> None:
    """The exchange sends 0 or 1 for it; 0.0001 and 0.9999 are quotes."""
    quotes = {"yes_bid_dollars": bid, "yes_ask_dollars": ask, "last_price_dollars": last,
              "no_bid_dollars": str(1 - Decimal(ask)), "no_ask_dollars": str(1 - Decimal(bid))}  # fmt: skip
    found = Market.from_api(RecordReader(payloads.MARKET | quotes, "e"))
    expected = (None,) * 5 if last == "0.0000" else tuple(Decimal(text) for text in ("0.0001", "0.9999", "0.5"))
    assert (found.yes_bid, found.yes_ask, found.last_price) == expected[:3]
    assert (found.no_bid, found.no_ask) == (expected[:2] if last != "0.0000" else (None, None))
