"""Settings of the trading bot, from flags, environment and .env."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from config import parsers as text
from config import reader
from config.reader import Settings, add_flags, given, read
from kalshi.environments import is_simulated, mode_of

setting = partial(reader.setting, prefix="BOT_")
dollars, contracts = text.positive(1_000_000_000), text.positive(1_000_000)


@dataclass(frozen=True, slots=True)
class BotSettings(Settings):
    """Settings of the bot. Money is dollars, sizes are contracts, times are seconds."""

    port: int = setting(9000, text.integer(0, 65535), "port on 127.0.0.1 to listen on; 0 takes a free one")
    live: bool = setting(False, text.yes_no, "trade the account behind `KALSHI_API_URL`; else on paper")
    api_url: str = setting(text.PRODUCTION, text.exchange_url, "the exchange, real or simulated", "KALSHI_API_URL")
    api_key: str = setting("", text.secret_text, "key id; needed to trade live", "KALSHI_API_KEY")
    key_path: str = setting("", text.readable_file_name, "private key; needed to trade live", "KALSHI_RSA_KEY_PATH")
    subaccount: int = setting(0, text.integer(0, 63), "subaccount to trade with", "KALSHI_SUBACCOUNT")
    strategy: tuple[str, ...] = setting(("maker", "reversion"), text.names, "names or Python files, comma between")
    parameters: str = setting("", text.readable_file_name, "TOML file with a table of parameters for each strategy")
    tickers: tuple[str, ...] = setting((), text.names, "markets, comma between; none: the most traded ones")
    markets: int = setting(16, text.integer(1, 100), "number of markets to choose when no tickers are named")
    interval: float = setting(1.0, text.seconds(0.01, 3600), "seconds between two decisions")
    seed: int | None = setting(None, text.integer(0, 999_999_999), "seed of the strategies' random numbers")
    order_size: Decimal = setting(Decimal(5), contracts, "contracts of an order, at most")
    max_position: Decimal = setting(Decimal(20), contracts, "contracts a strategy may hold")
    market_exposure: Decimal = setting(Decimal(25), dollars, "dollars one market may lose")
    event_exposure: Decimal = setting(Decimal(50), dollars, "dollars one event may lose over its outcomes")
    total_exposure: Decimal = setting(Decimal(150), dollars, "dollars all markets may lose together")
    daily_loss: Decimal = setting(Decimal(50), dollars, "dollars lost in a UTC day that halt trading")
    drawdown: Decimal = setting(Decimal(75), dollars, "dollars below the highest profit that halt trading")
    stale_after: float = setting(10.0, text.seconds(0.02, 86400), "seconds after which prices are too old to use")
    stop_before: float = setting(60.0, text.seconds(0, 86400), "seconds before a close in which no order rests")
    order_lifetime: float = setting(30.0, text.seconds(4, 86400), "seconds until an order expires that is not renewed")
    group_limit: int = setting(200, text.integer(0, 1_000_000), "contracts in 15 s that cancel all orders; 0: no limit")
    flatten: bool = setting(False, text.yes_no, "a halt by a person or a loss also closes positions at the best price")
    order_prefix: str = setting(
        "pi-bot-",
        text.matching(r"(?=.{1,20}$)[A-Za-z0-9\-]*[A-Za-z0-9][A-Za-z0-9\-]*", "1 to 20 letters, digits and dashes"),
        "start of each client_order_id, by which the bot knows its orders",
    )
    clear: bool = setting(False, text.yes_no, "clear halts at the start; losses are measured from now")
    state_file: str = setting("", str, "state to keep over a restart; unset: `bot-<mode>….json` in the working folder")
    status_url: str = setting(
        "http://localhost:9000/status", text.http_url, "`python -m bot watch`: the bot's status", "BOT_STATUS_ENDPOINT"
    )
    watch_after: float = setting(
        15.0,
        text.seconds(1, 86400),
        "`python -m bot watch`: seconds of silence before its orders are cancelled",
    )
    watch_key: str = setting("", text.secret_text, "`bot watch`: own key id; else KALSHI_API_KEY", "BOT_WATCH_API_KEY")
    watch_key_path: str = setting(
        "", text.readable_file_name, "`bot watch`: own private key; else KALSHI_RSA_KEY_PATH", "BOT_WATCH_RSA_KEY_PATH"
    )
    token: str = setting(
        "",
        text.token_text,
        "16 characters or more for POST `/pause`, `/resume`, `/halt`, `/clear`; unset: no such URL",
    )
    log_level: str = setting("INFO", text.log_level_name, "`DEBUG` shows each exchange call", "LOG_LEVEL")

    @property
    def mode(self) -> str:
        """Return paper; live for a production host; demo for a demo host or a simulator."""
        return mode_of(self.api_url) if self.live else "paper"

    @property
    def simulated(self) -> bool:
        """Return True if the exchange runs on this machine."""
        return is_simulated(self.api_url)

    def conflicts(self) -> list[str]:
        """Return a line for each setting that contradicts another one."""
        needed = {"KALSHI_API_KEY": self.api_key, "KALSHI_RSA_KEY_PATH": self.key_path} if self.live else {}
        missing = [f"{name}: expected a value, because BOT_LIVE is set" for name, value in needed.items() if not value]
        rules = [
            (self.order_size > self.max_position, "BOT_ORDER_SIZE: expected at most BOT_MAX_POSITION"),
            (self.market_exposure > self.total_exposure, "BOT_MARKET_EXPOSURE: expected at most BOT_TOTAL_EXPOSURE"),
            (self.order_lifetime < 4 * self.interval, "BOT_ORDER_LIFETIME: expected at least four times BOT_INTERVAL"),
            (self.stale_after <= 2 * self.interval, "BOT_STALE_AFTER: expected more than twice BOT_INTERVAL"),
        ]
        return missing + [line for is_broken, line in rules if is_broken]


def read_bot_settings(arguments: Sequence[str], strategies: Sequence[str], folder: Path | None = None) -> BotSettings:
    """Return the bot's settings. strategies: the names that exist. Raises SettingsError with every mistake."""
    parser = argparse.ArgumentParser("python -m bot", description="A trading bot for Kalshi; on paper unless --live.")
    add_flags(parser, BotSettings)

    def known(settings: BotSettings) -> list[str]:
        unknown = [name for name in settings.strategy if name not in strategies and not name.endswith(".py")]
        if settings.strategy and not unknown:
            return []
        return [f"BOT_STRATEGY: expected {', '.join(strategies)} or a .py file, got {', '.join(unknown) or 'none'}"]

    return read(BotSettings, given(parser.parse_args(arguments)), folder, known)
