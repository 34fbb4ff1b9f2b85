"""The command line: python -m bot [cancel | watch | backtest] [flags]."""

import asyncio
import importlib
import logging
import sys
from collections.abc import Sequence

from bot.application import run
from bot.errors import TradingError
from bot.strategies import strategies
from config.bot import read_bot_settings
from config.reader import SettingsError
from kalshi.errors import KeyUnusable

# modules with a function main(arguments); imported only when asked for, so that the bot starts without the simulator
COMMANDS = {"backtest": "bot.backtest.command", "cancel": "bot.cancel", "watch": "bot.watch"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot or one of its commands. Returns the exit code: 2 for settings and files that cannot work."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in COMMANDS:
            return int(importlib.import_module(COMMANDS[given[0]]).main(given[1:]))
        settings = read_bot_settings(given, strategies())
        configure_logging(settings.log_level)
        asyncio.run(run(settings))
    except asyncio.CancelledError:
        return 1
    except (SettingsError, TradingError, KeyUnusable) as error:
        print(f"bot: {error}", file=sys.stderr)
        return 2
    return 0


def configure_logging(level: str) -> None:
    """Log to stderr with times."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    sys.exit(main())
