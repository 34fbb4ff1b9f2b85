"""The command line: python -m bot [cancel | watch | backtest] [flags]."""

import asyncio
import logging
import sys
from collections.abc import Sequence

from bot.application import run
from bot.backtest.command import main as backtest_main
from bot.cancel import main as cancel_main
from bot.errors import TradingError
from bot.strategies import strategies
from bot.watch import main as watch_main
from config.bot import read_bot_settings
from config.reader import SettingsError
from kalshi.errors import KeyUnusable

COMMANDS = {"backtest": backtest_main, "cancel": cancel_main, "watch": watch_main}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot or one of its commands. Returns the exit code: 2 for settings and files that cannot work."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in COMMANDS:
            return COMMANDS[given[0]](given[1:])
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
