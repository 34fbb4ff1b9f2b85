"""The price of a contract, case by case."""

from decimal import Decimal

import pytest

from kalshi.market_models import Market
from kalshi.marks import mark
from kalshi.record_reader import RecordReader
from tests.support import payloads

NO_BID, NO_ASK, NO_LAST = {"yes_bid_dollars": "0.0000"}, {"yes_ask_dollars": "1.0000"}, {"last_price_dollars": "0.0000"}


def market(**changes) -> Market:
    return Market.from_api(RecordReader(payloads.MARKET | changes, "GET /markets"))


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
def test_the_mark_of_yes(changes, yes):
    """Quotes 0.52 / 0.54 and a last trade at 0.53, unless changed."""
    assert mark(market(**changes)).yes == (Decimal(yes) if yes is not None else None)


def test_a_no_position_has_the_complement():
    """And an unknown price has none."""
    assert mark(market()).of(Decimal(-1)) == Decimal("0.47")
    assert mark(market(**NO_BID, **NO_ASK)).of(Decimal(-1)) is None


@pytest.mark.parametrize(
    ("changes", "title"),
    [({}, "Who wins?"), ({"title": None}, "GOP"), ({"title": "", "yes_sub_title": ""}, None)],
    ids=["title", "only the name of YES", "none"],
)
def test_the_title(changes, title):
    """Many markets have only a name for their YES side."""
    assert mark(market(**changes)).title == title
