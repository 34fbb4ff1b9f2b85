"""The interface of a strategy, and how one is found: bot/strategy_<name>.py with a function decide."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.errors import SettingsWrong
from bot.view import Intent, View

Decide = Callable[[View], Sequence[Intent]]
"""A pure function of what is seen of one market. What it asks for is a wish: risk has the last word."""

_PREFIX = "strategy_"


def strategies() -> list[str]:
    """The names that can be chosen."""
    names = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))


def strategy(name: str) -> Decide:
    """The strategy of that name. Raises SettingsWrong naming those that exist."""
    if name not in strategies():
        raise SettingsWrong(f"strategy {name!r} does not exist; there are {', '.join(strategies())}")
    decide: Decide = importlib.import_module(f"bot.{_PREFIX}{name}").decide
    return decide
