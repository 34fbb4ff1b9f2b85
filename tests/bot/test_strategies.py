"""Strategies: pure, on the grid, never past what they may hold, and they do what their captions say."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidBotSettings
from bot.strategies import Decide, load_strategy, maker, reversion, strategies
from bot.strategy_types import CancelOrder, MarketView, PlaceOrder, PriceBand, RestingOrder
from tests.support.trading import D, order, quote, view

TAPERED = (
    PriceBand(D(0), D("0.1"), D("0.001")),
    PriceBand(D("0.1"), D("0.9"), D("0.01")),
    PriceBand(D("0.9"), D(1), D("0.001")),
)
CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)


@st.composite
def views(draw: st.DrawFn) -> MarketView:
    """Any market, any position within the most, anything resting."""
    bid, ask = sorted((draw(CENTS), draw(CENTS)))
    sides = draw(st.sampled_from([(True, True), (True, True), (True, False), (False, True), (False, False)]))
    market = quote(
        str(bid) if sides[0] else None, str(ask) if sides[1] and ask > bid else None,
        bands=draw(st.sampled_from([TAPERED, quote().bands])), active=draw(st.booleans()),
    )  # fmt: skip
    rests = [
        RestingOrder(str(i), str(i), "KXA", side, draw(CENTS), Decimal(draw(st.integers(1, 20))))
        for i, side in enumerate(draw(st.lists(st.sampled_from(["BUY", "SELL"]), max_size=3)))
    ]
    return view(
        market, str(draw(st.integers(-20, 20))), mids=tuple(draw(st.lists(CENTS, max_size=30))), resting=rests,
        draw=draw(st.floats(0, 0.999)),
    )  # fmt: skip


@pytest.mark.parametrize("name", strategies())
@settings(max_examples=200, deadline=None)
@given(seen=views())
def test_never_past_the_most_never_off_the_grid(name: str, seen: MarketView) -> None:
    """Every order is on the grid, at most the size, and could not take the position past the most."""
    decide = load_strategy(name).decide
    intents = decide(seen)
    assert list(intents) == list(decide(seen)), "the same view must give the same wishes"
    for intent in intents:
        if isinstance(intent, PlaceOrder):
            assert seen.quote.active
            assert seen.quote.down(intent.price) == intent.price
            assert 0 < intent.quantity <= seen.size
            after = seen.position + (intent.quantity if intent.side == "BUY" else -intent.quantity)
            assert abs(after) <= max(seen.most, abs(seen.position))
            if intent.rest:
                best = seen.quote.ask if intent.side == "BUY" else seen.quote.bid
                assert best is not None
                assert intent.price < best if intent.side == "BUY" else intent.price > best
        else:
            assert intent.order in seen.resting


def placed(decide: Decide, seen: MarketView) -> dict[str, tuple[str, Decimal]]:
    """The orders asked for: side to price and quantity."""
    return {i.side: (str(i.price), i.quantity) for i in decide(seen) if isinstance(i, PlaceOrder)}


def cancelled(intents: Sequence[object]) -> list[str]:
    """The client ids that are to be cancelled."""
    return [intent.order.client_order_id for intent in intents if isinstance(intent, CancelOrder)]


def test_the_maker_quotes_both_sides() -> None:
    """Flat, it quotes around the mid, half to all of its size."""
    assert placed(maker.decide, view(draw=0.999)) == {"BUY": ("0.49", 5), "SELL": ("0.51", 5)}
    assert placed(maker.decide, view(draw=0.0))["BUY"][1] == 2


@pytest.mark.parametrize(
    ("position", "bid", "ask"),
    [
        pytest.param("0", "0.47", "0.53", id="flat"),
        pytest.param("10", "0.45", "0.52", id="long leans down"),
        pytest.param("-10", "0.48", "0.55", id="short leans up"),
    ],
)
def test_the_maker_leans_against_what_it_holds(position: str, bid: str, ask: str) -> None:
    """The fair price moves away from the mid as the position grows."""
    got = placed(maker.decide, view(quote("0.47", "0.53"), position))
    assert (got["BUY"][0], got["SELL"][0]) == (bid, ask)


def test_the_maker_leaves_a_good_order_alone_and_moves_a_bad_one() -> None:
    """A place in the queue is kept; an order that is a step too far away goes, and its successor waits a turn."""
    good, bad = order("BUY", "5", "0.49", name="good"), order("SELL", "5", "0.55", name="bad")
    intents = maker.decide(view(resting=[good, bad]))
    assert cancelled(intents) == ["bad"]
    assert not any(isinstance(intent, PlaceOrder) for intent in intents)


def test_the_maker_withdraws_without_a_market() -> None:
    """One side gone, or the market closed: nothing of ours stays."""
    rests = [order("BUY", "5", "0.49", name="a"), order("SELL", "5", "0.51", name="b")]
    assert cancelled(maker.decide(view(quote(None), resting=rests))) == ["a", "b"]
    assert cancelled(maker.decide(view(quote(active=False), resting=rests))) == ["a", "b"]


@pytest.mark.parametrize(
    ("bid", "ask", "position", "wants"),
    [
        pytest.param("0.49", "0.51", "0", {}, id="at the mean: nothing"),
        pytest.param("0.42", "0.44", "0", {"BUY": ("0.44", 5)}, id="strayed below: buy"),
        pytest.param("0.56", "0.58", "0", {"SELL": ("0.56", 5)}, id="strayed above: sell"),
        pytest.param("0.50", "0.52", "3", {"SELL": ("0.50", 3)}, id="returned: close the long"),
        pytest.param("0.48", "0.50", "-3", {"BUY": ("0.50", 3)}, id="returned: close the short"),
        pytest.param("0.44", "0.46", "0", {}, id="strayed, but not far enough to pay for the trip"),
        pytest.param("0.42", "0.44", "5", {}, id="one position at a time"),
        pytest.param("0.50", "0.52", "0.4", {"SELL": ("0.50", D("0.4"))}, id="a rest is closed too"),
    ],
)
def test_reversion(bid: str, ask: str, position: str, wants: dict[str, tuple[str, Decimal]]) -> None:
    """Against a mean of 0.50."""
    seen = view(quote(bid, ask), position, mids=(D("0.5"),) * 20)
    assert placed(reversion.decide, seen) == wants


def test_an_unknown_strategy_is_named_with_those_that_exist() -> None:
    """A typo is found at the start."""
    with pytest.raises(InvalidBotSettings, match="maker, reversion"):
        load_strategy("martingale")
