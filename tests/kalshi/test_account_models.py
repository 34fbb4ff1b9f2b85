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
    assert (fill.side, fill.yes_price, fill.no_price, order.side) == ("SELL", Decimal("0.52"), Decimal("0.48"), "SELL")
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
