"""Tests of what a strategy may return: anything else is a named fault, and no part of it is carried out."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.errors import StrategyError
from bot.intents import intents_of
from bot.strategies import Strategy
from bot.strategy_types import CancelOrder, PlaceOrder
from tests.support.in_process_bot import InProcessBot
from tests.support.trading import D, order, view, wish

GOOD: dict[str, Any] = {
    "ticker": "KXA", "side": "BUY", "price": D("0.46"), "quantity": D(5), "rest": True, "why": "test",
}  # fmt: skip


def raising(error: BaseException) -> Callable[[Any], Any]:
    """A decision that ends with this error."""

    def decide(seen: Any) -> Any:
        raise error

    return decide


def endless(seen: Any) -> Iterator[PlaceOrder]:
    """A decision without an end."""
    while True:
        yield PlaceOrder(**GOOD)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("side", "buy", "side: expected BUY or SELL, got 'buy'"),
        ("side", "bid", "side: expected BUY or SELL, got 'bid'"),
        ("side", "YES", "side: expected BUY or SELL, got 'YES'"),
        ("side", None, "side: expected BUY or SELL, got None"),
        ("ticker", "KXB", "ticker: expected KXA, got 'KXB'"),
        ("ticker", None, "ticker: expected KXA, got None"),
        ("price", 0.46, "price: expected a finite Decimal, got 0.46"),
        ("price", "0.46", "price: expected a finite Decimal, got '0.46'"),
        ("price", D("NaN"), "price: expected a finite Decimal, got Decimal('NaN')"),
        ("price", None, "price: expected a finite Decimal, got None"),
        ("quantity", D("sNaN"), "quantity: expected a finite Decimal, got Decimal('sNaN')"),
        ("quantity", D("Infinity"), "quantity: expected a finite Decimal, got Decimal('Infinity')"),
        ("quantity", True, "quantity: expected a finite Decimal, got True"),
        ("rest", "no", "rest: expected True or False, got 'no'"),
        ("rest", 1, "rest: expected True or False, got 1"),
        ("why", object, "why: expected printable text, got <class 'object'>"),
        ("why", "\ud800", "why: expected printable text"),
    ],
)
def test_an_order_with_a_wrong_field_is_a_fault(field: str, value: Any, words: str) -> None:
    """The error names the strategy, the field, what was expected and what came."""
    intents = [PlaceOrder(**GOOD), PlaceOrder(**(GOOD | {field: value}))]
    with pytest.raises(StrategyError) as caught:
        intents_of(Strategy("mine", lambda seen: intents), view())
    assert f"strategy mine: {words}" in str(caught.value)


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        pytest.param(raising(ZeroDivisionError("by zero")), "ZeroDivisionError: by zero", id="an exception"),
        pytest.param(raising(SystemExit(0)), "SystemExit: 0", id="an exit"),
        pytest.param(raising(asyncio.CancelledError()), "CancelledError", id="a cancellation"),
        pytest.param(raising(KeyError("a\nb\x1b[31m")), "KeyError: 'a", id="an exception with control characters"),
        pytest.param(lambda seen: None, "TypeError: 'NoneType' object is not iterable", id="nothing"),
        pytest.param(lambda seen: 0.5, "TypeError: 'float' object is not iterable", id="a number"),
        pytest.param(lambda seen: "BUY", "expected PlaceOrder or CancelOrder, got 'B'", id="text"),
        pytest.param(lambda seen: [GOOD], "expected PlaceOrder or CancelOrder, got {", id="a dict"),
        pytest.param(lambda seen: PlaceOrder(**GOOD), "TypeError", id="an order without a list"),
        pytest.param(lambda seen: [CancelOrder(None, "x")], "order: expected an order of view.resting", id="no order"),  # type: ignore[arg-type]
        pytest.param(endless, "expected at most 100 intents for one market", id="without an end"),
    ],
)
def test_a_decision_that_is_no_list_of_intents_is_a_fault(decide: Any, words: str) -> None:
    """Exits and cancellations too: a strategy must not end the bot while orders rest."""
    with pytest.raises(StrategyError) as caught:
        intents_of(Strategy("mine", decide), view())
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_whole_numbers_and_any_iterable_are_taken() -> None:
    """A generator is as good as a list, and 5 is as good as Decimal(5)."""
    rests = order("BUY", "5", "0.40")
    wanted: Any = [PlaceOrder(**(GOOD | {"quantity": 5})), CancelOrder(rests, "moved")]
    assert intents_of(Strategy("mine", lambda seen: iter(wanted)), view()) == [wish("BUY", "5", "0.46"), wanted[1]]


async def test_a_wrong_word_for_a_side_sends_no_order_past_the_limits() -> None:
    """Taken for a SELL, it would count as nothing in the limits: the bot halts, names the mistake and sends nothing."""
    bot = InProcessBot()
    ticker = bot.market()
    await bot.check.begin()
    wrong: Any = PlaceOrder(**(GOOD | {"ticker": ticker, "side": "bid", "quantity": D(900)}))
    bot = InProcessBot((ticker,), exchange=bot.exchange, decide=lambda seen: [wrong])
    with pytest.raises(StrategyError, match="expected BUY or SELL, got 'bid'"):
        await bot.turns(1)
    assert bot.resting() == []
