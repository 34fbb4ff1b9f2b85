"""Tests of strategies: pure, on the price grid, within their position limit; loading by name and file."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidBotSettings
from bot.fees import FeeRule
from bot.strategies import (
    Decide,
    load_strategies,
    load_strategy,
    maker,
    read_parameters,
    reversion,
    strategies,
)
from bot.strategy_types import CancelOrder, MarketView, PlaceOrder, PriceBand, RestingOrder, Side
from tests.support.trading import D, order, quote, view

TAPERED = (
    PriceBand(D(0), D("0.1"), D("0.001")),
    PriceBand(D("0.1"), D("0.9"), D("0.01")),
    PriceBand(D("0.9"), D(1), D("0.001")),
)
SIDES: st.SearchStrategy[Side] = st.sampled_from(["BUY", "SELL"])
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
        for i, side in enumerate(draw(st.lists(SIDES, max_size=3)))
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


def placed(decide: Decide, seen: MarketView) -> Mapping[str, tuple[str, object]]:
    """Return the wanted orders: side to price and quantity."""
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
    """A good order keeps its place in the queue; one that is too far away is replaced a turn later."""
    good, bad = order("BUY", "5", "0.49", name="good"), order("SELL", "5", "0.55", name="bad")
    intents = maker.decide(view(resting=[good, bad]))
    assert cancelled(intents) == ["bad"]
    assert not any(isinstance(intent, PlaceOrder) for intent in intents)


def test_the_maker_withdraws_without_a_market() -> None:
    """With a side missing or the market closed, its orders are cancelled."""
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
def test_the_reversion_trades_when_the_price_strays_and_returns(
    bid: str, ask: str, position: str, wants: dict[str, tuple[str, Decimal]]
) -> None:
    """Orders against a mean of 0.50."""
    seen = view(quote(bid, ask), position, mids=(D("0.5"),) * 20)
    assert placed(reversion.decide, seen) == wants


def test_an_unknown_strategy_is_named_with_those_that_exist() -> None:
    """A mistyped name is an error at the start."""
    with pytest.raises(InvalidBotSettings, match="maker, reversion"):
        load_strategy("martingale")


@pytest.mark.parametrize("cents", ["0.50", "0.30"])
def test_the_maker_quotes_around_equal_bid_and_ask(cents: str) -> None:
    """With bid and ask at one price, also 50 cents, it quotes a cent on each side and never touches the other."""
    got = placed(maker.decide, view(quote(cents, cents)))
    assert got["BUY"][0] == str(D(cents) - D("0.01"))
    assert got["SELL"][0] == str(D(cents) + D("0.01"))


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_the_maker_keeps_one_order_on_each_side(side: Side) -> None:
    """Of two good orders on a side the first stays, and no third is placed there."""
    price = "0.49" if side == "BUY" else "0.51"
    two = [order(side, "5", price, name="first"), order(side, "5", price, name="second")]
    intents = maker.decide(view(resting=two))
    assert cancelled(intents) == ["second"]
    assert [intent.side for intent in intents if isinstance(intent, PlaceOrder)] == ["SELL" if side == "BUY" else "BUY"]


@settings(max_examples=100, deadline=None)
@given(seen=views())
def test_the_maker_places_nothing_on_a_side_where_an_order_rests(seen: MarketView) -> None:
    """At most one order a side, whatever rests."""
    sides = [intent.side for intent in maker.decide(seen) if isinstance(intent, PlaceOrder)]
    assert len(sides) == len(set(sides))
    assert not set(sides) & {resting.side for resting in seen.resting}


def test_a_mean_reversion_pays_the_fees_of_the_market() -> None:
    """A taker that pays no fee: a smaller stray is worth an order."""
    seen = view(quote("0.44", "0.46"), mids=(D("0.5"),) * 20)
    assert placed(reversion.decide, seen) == {}
    free = view(quote("0.44", "0.46"), mids=(D("0.5"),) * 20, fees=FeeRule(D(0), D(0)))
    assert placed(reversion.decide, free) == {"BUY": ("0.46", 5)}


FILE = """
from dataclasses import dataclass
from decimal import Decimal

NEEDS_DEPTH = True

@dataclass(frozen=True)
class Defaults:
    size: Decimal = Decimal(3)
    seconds: float = 1.5
    count: int = 2
    name: str = "x"

def decide(view, parameters=Defaults()):
    return [parameters]
"""


CHECKED = FILE.replace(
    "\ndef decide",
    """
    def __post_init__(self):
        if self.size > 5:
            raise ValueError("size: expected at most 5")

def decide""",
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, (D(3), 1.5, 2, "x"), id="defaults"),
        pytest.param(
            {"size": D("0.5"), "seconds": D("2.5"), "count": 7, "name": "y"}, (D("0.5"), 2.5, 7, "y"), id="all"
        ),
        pytest.param({"size": 4, "seconds": 2}, (D(4), 2.0, 2, "x"), id="whole numbers"),
    ],
)
def test_a_strategy_file_gets_its_parameters(tmp_path: Path, values: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Values are converted to the types of the defaults."""
    (tmp_path / "mine.py").write_text(FILE)
    loaded = load_strategy(str(tmp_path / "mine.py"), values)
    [got] = loaded.decide(view())
    assert (loaded.name, loaded.needs_depth) == ("mine", True)
    assert (got.size, got.seconds, got.count, got.name) == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        pytest.param(FILE, {"sise": 1}, "unknown parameters sise; there are size, seconds, count, name", id="mistyped"),
        pytest.param(FILE, {"size": "four"}, "size: expected Decimal, got 'four'", id="text for a number"),
        pytest.param(FILE, {"count": True}, "count: expected int, got True", id="true for a number"),
        pytest.param(FILE, {"size": D("NaN")}, "size: expected Decimal", id="not a number"),
        pytest.param("def decide(view):\n    return []\n", {"a": 1}, "takes no parameters, got a", id="no parameters"),
        pytest.param("x = 1\n", {}, "expected a function decide", id="no decide"),
        pytest.param("def decide(:\n", {}, "SyntaxError", id="a syntax error"),
        pytest.param("1 / 0\n", {}, "ZeroDivisionError", id="an error while loading"),
        pytest.param("import sys\nsys.exit()\n", {}, "SystemExit", id="an exit while loading"),
        pytest.param("async def decide(view):\n    return []\n", {}, "expected a function decide", id="async"),
        pytest.param("def decide():\n    return []\n", {}, "expected a function decide", id="without a view"),
        pytest.param("def decide(view, books):\n    return []\n", {}, "expected a function decide", id="two views"),
        pytest.param("decide = 5\n", {}, "expected a function decide", id="a number for a function"),
        pytest.param(FILE.replace("Defaults()", "Defaults"), {"size": 1}, "takes no parameters", id="a class"),
        pytest.param(CHECKED, {"size": 9}, "ValueError: size: expected at most 5", id="refused by its check"),
        pytest.param(FILE, {"seconds": D("1e400")}, "seconds: expected float", id="too large for a float"),
        pytest.param(FILE, {"size": [1]}, "size: expected Decimal, got [1]", id="a list for a number"),
    ],
)
def test_a_mistake_in_a_strategy_file_is_named(tmp_path: Path, text: str, values: dict[str, Any], words: str) -> None:
    """The error has the file and the mistake, before anything is traded."""
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InvalidBotSettings, match="mine") as caught:
        load_strategy(str(tmp_path / "mine.py"), values)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["maker", "reversion", "maker"], "got maker more than once"),
        (["a/mine.py", "b/mine.py"], "got mine more than once"),
        ([], "expected at least one name"),
    ],
)
def test_strategies_have_names_of_their_own(tmp_path: Path, names: list[str], words: str) -> None:
    """Two strategies of one name are refused: they would share parameters, and one would never be called."""
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(FILE)
    paths = [str(tmp_path / name) if name.endswith(".py") else name for name in names]
    with pytest.raises(InvalidBotSettings) as caught:
        load_strategies(paths, "")
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["a = 1\n", "[a\n", "[a]\nb = nan\n"], ids=["no table", "no TOML", "not a number"])
def test_a_parameter_file_needs_tables(tmp_path: Path, text: str) -> None:
    """One table for each strategy; a missing or damaged file is named too."""
    path = tmp_path / "parameters.toml"
    path.write_text(text)
    if "nan" in text:
        assert not read_parameters(str(path))["a"]["b"].is_finite()
        return
    for name in (str(path), str(tmp_path / "missing.toml")):
        with pytest.raises(InvalidBotSettings, match="BOT_PARAMETERS"):
            read_parameters(name)
