"""Calls a strategy and checks what it returned before risk limits see it."""

from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any, get_args

from bot.errors import StrategyError
from bot.strategies import Strategy
from bot.strategy_types import CancelOrder, Intent, MarketView, PlaceOrder, RestingOrder, Side
from kalshi.errors import printable

_MOST = 100  # intents for one market in one turn
_SIDES = get_args(Side)


def intents_of(strategy: Strategy, view: MarketView) -> list[Intent]:
    """Return the intents of a strategy for one market. Raises StrategyError for an exception and for anything else.

    SystemExit and its like included: a strategy cannot end the bot while orders rest.
    """
    try:
        intents = list(islice(strategy.decide(view), _MOST + 1))
    except BaseException as error:
        raise StrategyError(printable(f"strategy {strategy.name}: {type(error).__name__}: {error}")) from error
    if len(intents) > _MOST:
        raise StrategyError(f"strategy {strategy.name}: expected at most {_MOST} intents for one market, got more")
    return [_checked(strategy.name, intent, view) for intent in intents]


def _checked(name: str, intent: Any, view: MarketView) -> Intent:
    """Return the intent, numbers as Decimal. Raises StrategyError for one that has another meaning or none."""
    if isinstance(intent, CancelOrder):
        _expect(name, "order", intent.order, isinstance(intent.order, RestingOrder), "an order of view.resting")
    elif isinstance(intent, PlaceOrder):
        _expect(name, "ticker", intent.ticker, intent.ticker == view.quote.ticker, view.quote.ticker)
        _expect(name, "side", intent.side, intent.side in _SIDES, " or ".join(_SIDES))
        _expect(name, "rest", intent.rest, isinstance(intent.rest, bool), "True or False")
        intent = replace(
            intent, price=_number(name, "price", intent.price), quantity=_number(name, "quantity", intent.quantity)
        )
    else:
        _expect(name, "decide", intent, False, "PlaceOrder or CancelOrder")
    _expect(name, "why", intent.why, isinstance(intent.why, str) and intent.why.isprintable(), "printable text")
    checked: Intent = intent
    return checked


def _number(name: str, field: str, value: Any) -> Decimal:
    whole = isinstance(value, int) and not isinstance(value, bool)
    _expect(name, field, value, whole or (isinstance(value, Decimal) and value.is_finite()), "a finite Decimal")
    return Decimal(value)


def _expect(name: str, field: str, value: object, is_right: bool, expected: str) -> None:
    if not is_right:
        raise StrategyError(printable(f"strategy {name}: {field}: expected {expected}, got {value!r:.80}"))
