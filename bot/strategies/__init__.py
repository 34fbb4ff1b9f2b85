"""Strategies: pure functions from the view of one market to the orders they want; risk limits may reduce them.

A strategy is a module with `decide(view)`, one of this package by its name or any file by its path. One that has
parameters is `decide(view, parameters=Defaults())`, where Defaults is a frozen dataclass with a default for each field.
With `NEEDS_DEPTH = True` the view contains the order book.
"""

import importlib
import importlib.util
import inspect
import logging
import math
import pkgutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.errors import InvalidBotSettings
from bot.strategy_types import Intent, MarketView

log = logging.getLogger(__name__)

Decide = Callable[[MarketView], Sequence[Intent]]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy that is ready to be called."""

    name: str
    decide: Decide
    needs_depth: bool = False


def strategies() -> list[str]:
    """Return the names of the strategies that are part of the bot."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))


def load_strategies(names: Sequence[str], parameters: str) -> list[Strategy]:
    """Return the strategies with the parameters of a TOML file ("": none). Raises InvalidBotSettings."""
    if not names:
        raise InvalidBotSettings(f"BOT_STRATEGY: expected at least one name of {', '.join(strategies())} or a .py file")
    tables = read_parameters(parameters)
    titles = [title_of(name) for name in names]
    if doubled := sorted({title for title in titles if titles.count(title) > 1}):
        raise InvalidBotSettings(f"BOT_STRATEGY: expected names that differ, got {', '.join(doubled)} more than once")
    if unknown := sorted(tables.keys() - set(titles)):
        log.warning("BOT_PARAMETERS: no strategy is named %s; these parameters are not used", ", ".join(unknown))
    return [load_strategy(name, tables.get(title)) for name, title in zip(names, titles, strict=True)]


def load_strategy(name: str, parameters: Mapping[str, Any] | None = None) -> Strategy:
    """Return the strategy of a name or of the path of a Python file. Raises InvalidBotSettings.

    parameters: values for the fields of its Parameters.
    """
    module = _module(name)
    title = title_of(name)
    decide = getattr(module, "decide", None)
    if decide is None or not _is_decide(decide):
        raise InvalidBotSettings(f"strategy {name}: expected a function decide(view), found none")
    default = _default_parameters(decide)
    if default is not None:
        decide = partial(decide, parameters=_parameters(title, default, parameters or {}))
    elif parameters:
        raise InvalidBotSettings(f"strategy {name}: takes no parameters, got {', '.join(parameters)}")
    return Strategy(title, decide, bool(getattr(module, "NEEDS_DEPTH", False)))


def read_parameters(path: str) -> dict[str, dict[str, Any]]:
    """Return the tables of a TOML file by the name of their strategy; numbers are Decimal. "": no file.

    Raises InvalidBotSettings.
    """
    if not path:
        return {}
    try:
        tables = tomllib.loads(Path(path).read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InvalidBotSettings(f"BOT_PARAMETERS: {path}: {error}") from None
    wrong = [name for name, table in tables.items() if not isinstance(table, dict)]
    if wrong:
        raise InvalidBotSettings(f"BOT_PARAMETERS: {path}: expected a table [strategy], got {', '.join(wrong)}")
    return tables


def title_of(name: str) -> str:
    """Return the short name of a strategy: its own, or that of its file."""
    return Path(name).stem if is_path(name) else name


def is_path(name: str) -> bool:
    """Return True if a strategy is named by the path of its file."""
    return name.endswith(".py")


def _module(name: str) -> ModuleType:
    if not is_path(name):
        if name not in strategies():
            raise InvalidBotSettings(f"strategy {name!r} does not exist; there are {', '.join(strategies())}")
        return importlib.import_module(f"bot.strategies.{name}")
    path = Path(name)
    spec = importlib.util.spec_from_file_location(f"strategy_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InvalidBotSettings(f"strategy {name}: expected a Python file, found none of this name")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the file does wrong is a mistake of the settings
        raise InvalidBotSettings(f"strategy {name}: {type(error).__name__}: {error}") from error
    return module


def _is_decide(value: Any) -> bool:
    """Return True for a function that can be called with a view alone and does not have to be awaited."""
    if not callable(value) or inspect.iscoroutinefunction(value):
        return False
    try:
        inspect.signature(value).bind("view")
    except (TypeError, ValueError):
        return False
    return True


def _default_parameters(decide: Callable[..., Any]) -> Any:
    """Return the default of the argument `parameters`; None unless there is one and it is a dataclass object."""
    argument = inspect.signature(decide).parameters.get("parameters")
    default = None if argument is None else argument.default
    return default if is_dataclass(default) and not isinstance(default, type) else None


def _parameters(title: str, default: Any, values: Mapping[str, Any]) -> Any:
    """Return the default with these values in place of its own. Raises InvalidBotSettings."""
    known = {item.name: getattr(default, item.name) for item in fields(default)}
    if unknown := sorted(values.keys() - known.keys()):
        raise InvalidBotSettings(
            f"strategy {title}: unknown parameters {', '.join(unknown)}; there are {', '.join(known)}"
        )
    converted = {name: _converted(title, name, value, known[name]) for name, value in values.items()}
    try:
        return replace(default, **converted)
    except Exception as error:  # the dataclass may check its values
        raise InvalidBotSettings(f"strategy {title}: {type(error).__name__}: {error}") from error


def _converted(title: str, name: str, value: Any, default: Any) -> Any:
    """Return the value in the type of the default. Raises InvalidBotSettings."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite()
    if number and isinstance(default, Decimal):
        return Decimal(value)
    if number and isinstance(default, float) and math.isfinite(float(value)):
        return float(value)
    if type(value) is type(default) and not isinstance(default, Decimal | float):
        return value
    raise InvalidBotSettings(f"strategy {title}: {name}: expected {type(default).__name__}, got {value!r:.40}")
