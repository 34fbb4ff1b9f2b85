"""Everything that can be set, from flags and environment; every mistake is found before anything starts."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.errors import InvalidBotSettings
from bot.strategies import strategies
from kalshi.environments import is_simulated, mode_of

PRODUCTION = "https://external-api.kalshi.com/trade-api/v2"


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"a number was expected, not {text!r}") from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"more than zero was expected, not {text}")
    return number


def _seconds(text: str) -> float:
    return float(_number(text))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(f"a port was expected, not {text!r}")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("1", "true", "yes", "0", "false", "no", ""):
        raise ValueError(f"yes or no was expected, not {text!r}")
    return text.lower() in ("1", "true", "yes")


def _setting(name: str, default: Any, read: Callable[[str], Any], text: str, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"env": name, "read": read, "help": text})


@dataclass(frozen=True, slots=True)
class BotSettings:
    """The settings; each field knows its variable. Flags are the fields' names with dashes."""

    port: int = _setting("BOT_PORT", 9000, _port, "where to answer on 127.0.0.1; 0 takes a free one")
    live: bool = _setting("BOT_LIVE", False, _flag, "trade the account behind KALSHI_API_URL; else paper")
    api_url: str = _setting("KALSHI_API_URL", PRODUCTION, str, "the exchange, real or simulated")
    api_key: str = _setting("KALSHI_API_KEY", "", str, "key id; needed to trade live", secret=True)
    key_path: str = _setting("KALSHI_RSA_KEY_PATH", "", str, "private key, RSA or Ed25519 PEM; needed to trade live")
    subaccount: int = _setting("KALSHI_SUBACCOUNT", 0, int, "which subaccount trades")
    strategy: tuple[str, ...] = _setting(
        "BOT_STRATEGY", ("maker", "reversion"), _words, "strategies by name, with commas; markets take turns"
    )
    tickers: tuple[str, ...] = _setting("BOT_TICKERS", (), _words, "markets, with commas; none: the most traded ones")
    markets: int = _setting("BOT_MARKETS", 16, int, "how many markets to choose when no tickers are named")
    interval: float = _setting("BOT_INTERVAL", 1.0, _seconds, "seconds between two looks at the markets")
    seed: int | None = _setting("BOT_SEED", None, int, "makes the strategies' chance repeatable")
    order_size: Decimal = _setting("BOT_ORDER_SIZE", Decimal(5), _number, "contracts of an order, at most")
    max_position: Decimal = _setting("BOT_MAX_POSITION", Decimal(20), _number, "contracts a strategy may aim to hold")
    market_exposure: Decimal = _setting("BOT_MARKET_EXPOSURE", Decimal(25), _number, "dollars one market may lose")
    total_exposure: Decimal = _setting("BOT_TOTAL_EXPOSURE", Decimal(150), _number, "dollars all may lose together")
    daily_loss: Decimal = _setting("BOT_DAILY_LOSS", Decimal(50), _number, "dollars lost in a UTC day that halt")
    drawdown: Decimal = _setting("BOT_DRAWDOWN", Decimal(75), _number, "dollars below the best that halt")
    stale_after: float = _setting("BOT_STALE_AFTER", 10.0, _seconds, "seconds after which prices count for nothing")
    order_prefix: str = _setting("BOT_ORDER_PREFIX", "pi-bot-", str, "how client_order_ids begin; tells whose they are")
    clear: bool = _setting("BOT_CLEAR", False, _flag, "start by forgetting halts; losses are measured from here")
    state_file: str = _setting("BOT_STATE_FILE", "", str, "what a restart must know; default bot-<mode>….json here")
    token: str = _setting("BOT_TOKEN", "", str, "allows POST /pause /resume /halt /clear to who brings it", secret=True)
    log_level: str = _setting("LOG_LEVEL", "INFO", str, "DEBUG, INFO, WARNING or ERROR")

    @property
    def mode(self) -> str:
        """paper; live against a production host; demo against a demo host or a simulator."""
        return mode_of(self.api_url) if self.live else "paper"

    @property
    def simulated(self) -> bool:
        """The exchange runs on this machine."""
        return is_simulated(self.api_url)

    def problems(self) -> list[str]:
        """Every setting that contradicts another or the program, in words."""
        found: list[str] = []
        unknown = [name for name in self.strategy if name not in strategies()]
        if unknown or not self.strategy:
            found.append(f"BOT_STRATEGY: {', '.join(unknown) or 'none'} is not one of {', '.join(strategies())}")
        if urlsplit(self.api_url).scheme not in ("http", "https") or not urlsplit(self.api_url).hostname:
            found.append(f"KALSHI_API_URL: {self.api_url!r} is no http address")
        if self.live:
            needed = {"KALSHI_API_KEY": self.api_key, "KALSHI_RSA_KEY_PATH": self.key_path}
            found += [f"{name}: trading live needs it" for name, value in needed.items() if not value]
            if self.key_path and not Path(self.key_path).is_file():
                found.append(f"KALSHI_RSA_KEY_PATH: there is no file {self.key_path}")
        if self.order_size > self.max_position:
            found.append("BOT_ORDER_SIZE: one order would pass BOT_MAX_POSITION")
        if self.market_exposure > self.total_exposure:
            found.append("BOT_MARKET_EXPOSURE: one market could lose more than BOT_TOTAL_EXPOSURE")
        if self.stale_after <= 2 * self.interval:
            found.append("BOT_STALE_AFTER: prices would be stale between two looks; use more than two intervals")
        if self.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            found.append("LOG_LEVEL: DEBUG, INFO, WARNING or ERROR was expected")
        if not 1 <= self.markets <= 100:
            found.append("BOT_MARKETS: between 1 and 100 were expected")
        if not 1 <= len(self.order_prefix) <= 20 or not self.order_prefix.replace("-", "").isalnum():
            found.append("BOT_ORDER_PREFIX: 1 to 20 letters, digits and dashes were expected")
        if self.token and len(self.token) < 16:
            found.append("BOT_TOKEN: at least 16 characters were expected")
        return found


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> BotSettings:
    """Flags over environment over defaults. Raises InvalidBotSettings naming every mistake at once.

    A secret may stand in a file that NAME_FILE names; secrets have no flag, because everybody sees a process's flags.
    """
    given = _parser().parse_args(arguments)
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for item in fields(BotSettings):
        name = str(item.metadata["env"])
        try:
            text = getattr(given, item.name, None) or _environment(environ, name)
            if text is not None and (text.strip() or item.type is str):
                values[item.name] = item.metadata["read"](text.strip())
        except (ValueError, OSError) as error:
            mistakes.append(f"{name}: {error}")
    settings = BotSettings(**values)
    mistakes += settings.problems()
    if mistakes:
        raise InvalidBotSettings("\n".join(["the settings cannot work:", *(f"  {mistake}" for mistake in mistakes)]))
    return settings


def _environment(environ: Mapping[str, str], name: str) -> str | None:
    path = environ.get(f"{name}_FILE")
    if path and environ.get(name):
        raise ValueError(f"is set twice, here and by {name}_FILE; use one")
    return Path(path).read_text("utf-8") if path else environ.get(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bot", description="A trading bot for Kalshi; on paper unless --live.")
    for item in fields(BotSettings):
        if not item.repr:  # secrets
            continue
        text = f"{item.metadata['help']} [{item.metadata['env']}]"
        flag = f"--{item.name.replace('_', '-')}"
        if item.metadata["read"] is _flag:
            parser.add_argument(flag, action="store_const", const="yes", help=text)
        else:
            parser.add_argument(flag, help=text)
    return parser


def table() -> str:
    """The settings as rows of a table in Markdown, as docs/bot.md shows them."""
    rows = []
    for item in fields(BotSettings):
        flag = f"`--{item.name.replace('_', '-')}`" if item.repr else ""
        default = "" if item.default is False or item.default in (None, "", ()) else item.default
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
        rows.append(f"| `{item.metadata['env']}` | {flag} | {shown} | {item.metadata['help']} |")
    return "\n".join(rows)
