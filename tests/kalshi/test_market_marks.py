"""The mark of a market as the exchange sends it: quotes, last trade, result, floor."""

from decimal import Decimal
from typing import Any

import pytest

from kalshi.errors import FieldError
from kalshi.market_models import Market
from kalshi.records import RecordReader
from tests.support import payloads

NO_BID, NO_ASK, NO_LAST = {"yes_bid_dollars": "0.0000"}, {"yes_ask_dollars": "1.0000"}, {"last_price_dollars": "0.0000"}


def market(**changes: Any) -> Market:
    """A market with quotes 0.52 / 0.54, and NO quotes that fit the YES quotes."""
    record = payloads.MARKET | changes
    for ours, theirs in (("yes_bid_dollars", "no_ask_dollars"), ("yes_ask_dollars", "no_bid_dollars")):
        record |= {theirs: str(1 - Decimal(record[ours]))}
    return Market.from_api(RecordReader(record, "GET /markets"))


@pytest.mark.parametrize(
    ("changes", "yes"),
    [
        ({}, "0.53"),
        ({"result": "yes"}, "1"),
        ({"result": "no"}, "0"),
        ({"result": "scalar", "settlement_value_dollars": "0.3000"}, "0.3"),
        ({"yes_bid_dollars": "0.1000", "last_price_dollars": "0.2000"}, "0.2"),
        ({"yes_bid_dollars": "0.1000", "last_price_dollars": "0.9000"}, "0.54"),
        ({"yes_bid_dollars": "0.1000", "last_price_dollars": "0.0500"}, "0.1"),
        ({"yes_bid_dollars": "0.1000"} | NO_LAST, "0.1"),
        (NO_ASK, "0.53"),
        (NO_ASK | {"last_price_dollars": "0.4000"}, "0.52"),
        (NO_ASK | NO_LAST, "0.52"),
        (NO_BID, "0.53"),
        (NO_BID | {"last_price_dollars": "0.9000"}, "0.54"),
        (NO_BID | NO_LAST, None),
        (NO_BID | NO_ASK, None),
        ({"yes_bid_dollars": "0.0000", "yes_ask_dollars": "0.0000"} | NO_LAST, None),
    ],
    ids=[
        "both sides", "result yes", "result no", "scalar result", "wide, last between", "wide, last above",
        "wide, last below", "wide, no trade", "bid only", "bid only, last below", "bid only, no trade", "ask only",
        "ask only, last above", "ask only, no trade", "nobody quotes", "never quoted",
    ],
)  # fmt: skip
def test_the_mark_of_yes(changes: Any, yes: Any) -> None:
    """Quotes 0.52 / 0.54 and a last trade at 0.53, unless changed."""
    assert market(**changes).mark == (Decimal(yes) if yes is not None else None)


def test_a_floor_is_the_least_that_a_market_is_worth() -> None:
    """A market that pays at least 0.60 for YES is never marked below it."""
    assert market(settlement_floor_dollars="0.6000").mark == Decimal("0.60")
    assert market(settlement_floor_dollars=None).mark == Decimal("0.53")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settlement_value_dollars": "12.3400"}, "settlement_value_dollars"),
        ({"settlement_value_dollars": "-0.1000"}, "settlement_value_dollars"),
        ({"result": "yes", "settlement_value_dollars": "0.0000"}, "settlement_value_dollars"),
        ({"result": "no", "settlement_value_dollars": "1.0000"}, "settlement_value_dollars"),
        ({"settlement_floor_dollars": "1.5000"}, "settlement_floor_dollars"),
        ({"settlement_floor_dollars": 0.5}, "settlement_floor_dollars"),
        ({"no_ask_dollars": "0.5000"}, "no_ask_dollars"),
        ({"no_bid_dollars": "0.5000"}, "yes_ask_dollars"),
        ({"yes_bid_size_fp": "-1.00"}, "yes_bid_size_fp"),
        ({"volume_fp": "-1.00"}, "volume_fp"),
    ],
)
def test_a_market_that_contradicts_itself_is_a_named_error(changes: Any, field: Any) -> None:
    """A payout lies in 0..1 and agrees with the result; YES and NO quotes are complements; counts are not negative."""
    with pytest.raises(FieldError) as caught:
        Market.from_api(RecordReader(payloads.MARKET | changes, "GET /markets"))
    assert caught.value.field == field
