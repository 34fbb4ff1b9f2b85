"""The interface of a strategy, and how one is found: bot/strategies/<name>.py with a function decide."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.errors import InvalidBotSettings
from bot.strategy_types import Intent, MarketView

Decide = Callable[[MarketView], Sequence[Intent]]
"""A pure function of what is seen of one market. What it asks for is a wish: risk has the last word."""


def strategies() -> list[str]:
    """The names that can be chosen."""
    names = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(names)


def strategy(name: str) -> Decide:
    """The strategy of that name. Raises InvalidBotSettings naming those that exist."""
    if name not in strategies():
        raise InvalidBotSettings(f"strategy {name!r} does not exist; there are {', '.join(strategies())}")
    decide: Decide = importlib.import_module(f"bot.strategies.{name}").decide
    return decide
