"""Settings of the trading bot, from flags, environment and .env."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from config import parsers
from config.reader import Settings, add_flags, given, read, setting
from kalshi.environments import is_simulated, mode_of

PRODUCTION = "https://external-api.kalshi.com/trade-api/v2"


@dataclass(frozen=True, slots=True)
class BotSettings(Settings):
    """Settings of the bot. Money is dollars, sizes are contracts, times are seconds."""

    port: int = setting(
        9000, parsers.integer(0, 65535), "port on 127.0.0.1 to listen on; 0 takes a free one", "BOT_PORT"
    )
    live: bool = setting(False, parsers.yes_no, "trade the account behind `KALSHI_API_URL`; else on paper", "BOT_LIVE")
    api_url: str = setting(
        PRODUCTION, parsers.exchange_url, "the exchange, real or simulated", "KALSHI_API_URL", parsers.without_password
    )
    api_key: str = setting("", parsers.text, "key id; needed to trade live", "KALSHI_API_KEY", parsers.stars)
    key_path: str = setting(
        "", parsers.readable_file_name, "private key, RSA or Ed25519 PEM; needed to trade live", "KALSHI_RSA_KEY_PATH"
    )
    subaccount: int = setting(0, parsers.integer(0, 63), "subaccount to trade with", "KALSHI_SUBACCOUNT")
    strategy: tuple[str, ...] = setting(
        ("maker", "reversion"),
        parsers.names,
        "strategies by name or Python file, comma between; markets take turns",
        "BOT_STRATEGY",
    )
    parameters: str = setting(
        "", parsers.readable_file_name, "TOML file with a table of parameters for each strategy", "BOT_PARAMETERS"
    )
    tickers: tuple[str, ...] = setting(
        (), parsers.names, "markets, comma between; none: the most traded ones", "BOT_TICKERS"
    )
    markets: int = setting(
        16, parsers.integer(1, 100), "number of markets to choose when no tickers are named", "BOT_MARKETS"
    )
    interval: float = setting(1.0, parsers.seconds(0.01, 3600), "seconds between two decisions", "BOT_INTERVAL")
    seed: int | None = setting(
        None, parsers.integer(0, 999_999_999), "seed of the strategies' random numbers", "BOT_SEED"
    )
    order_size: Decimal = setting(
        Decimal(5), parsers.positive(1_000_000), "contracts of an order, at most", "BOT_ORDER_SIZE"
    )
    max_position: Decimal = setting(
        Decimal(20), parsers.positive(1_000_000), "contracts a strategy may hold", "BOT_MAX_POSITION"
    )
    market_exposure: Decimal = setting(
        Decimal(25), parsers.positive(1_000_000_000), "dollars one market may lose", "BOT_MARKET_EXPOSURE"
    )
    event_exposure: Decimal = setting(
        Decimal(50),
        parsers.positive(1_000_000_000),
        "dollars one event may lose over its outcomes",
        "BOT_EVENT_EXPOSURE",
    )
    total_exposure: Decimal = setting(
        Decimal(150), parsers.positive(1_000_000_000), "dollars all markets may lose together", "BOT_TOTAL_EXPOSURE"
    )
    daily_loss: Decimal = setting(
        Decimal(50), parsers.positive(1_000_000_000), "dollars lost in a UTC day that halt trading", "BOT_DAILY_LOSS"
    )
    drawdown: Decimal = setting(
        Decimal(75),
        parsers.positive(1_000_000_000),
        "dollars below the highest profit that halt trading",
        "BOT_DRAWDOWN",
    )
    stale_after: float = setting(
        10.0, parsers.seconds(0.02, 86400), "seconds after which prices are too old to use", "BOT_STALE_AFTER"
    )
    stop_before: float = setting(
        60.0,
        parsers.seconds(0, 86400),
        "seconds before a market closes in which no order rests there",
        "BOT_STOP_BEFORE",
    )
    order_lifetime: float = setting(
        30.0,
        parsers.seconds(4, 86400),
        "seconds after which a resting order expires unless the bot renews it",
        "BOT_ORDER_LIFETIME",
    )
    group_limit: int = setting(
        200,
        parsers.integer(0, 1_000_000),
        "contracts matched within 15 s after which the exchange cancels all orders; 0: no limit",
        "BOT_GROUP_LIMIT",
    )
    flatten: bool = setting(
        False,
        parsers.yes_no,
        "a halt by a person or a loss also closes the positions at the best price",
        "BOT_FLATTEN",
    )
    order_prefix: str = setting(
        "pi-bot-",
        parsers.matching(r"[A-Za-z0-9\-]*[A-Za-z0-9][A-Za-z0-9\-]*", "1 to 20 letters, digits and dashes"),
        "start of each client_order_id, by which the bot knows its orders",
        "BOT_ORDER_PREFIX",
    )
    clear: bool = setting(False, parsers.yes_no, "clear halts at the start; losses are measured from now", "BOT_CLEAR")
    state_file: str = setting(
        "",
        parsers.text,
        "state to keep over a restart; unset: `bot-<mode>….json` in the working folder",
        "BOT_STATE_FILE",
    )
    status_url: str = setting(
        "http://localhost:9000/status",
        parsers.url("http", "https"),
        "`python -m bot watch`: status of the bot that it watches",
        "BOT_STATUS_ENDPOINT",
        parsers.without_password,
    )
    watch_after: float = setting(
        15.0,
        parsers.seconds(1, 86400),
        "`python -m bot watch`: seconds without a sign of the bot after which its orders are cancelled",
        "BOT_WATCH_AFTER",
    )
    watch_key: str = setting(
        "",
        parsers.text,
        "`python -m bot watch`: its own key id; else KALSHI_API_KEY",
        "BOT_WATCH_API_KEY",
        parsers.stars,
    )
    watch_key_path: str = setting(
        "",
        parsers.readable_file_name,
        "`python -m bot watch`: its own private key; else KALSHI_RSA_KEY_PATH",
        "BOT_WATCH_RSA_KEY_PATH",
    )
    token: str = setting(
        "",
        parsers.token,
        "token of at least 16 characters for `POST /pause`, `/resume`, `/halt`, `/clear`; unset: no such URLs",
        "BOT_TOKEN",
        parsers.stars,
    )
    log_level: str = setting(
        "INFO", parsers.choice("DEBUG", "INFO", "WARNING", "ERROR"), "`DEBUG` shows each exchange call", "LOG_LEVEL"
    )

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
        found: list[str] = []
        if self.live:
            needed = {"KALSHI_API_KEY": self.api_key, "KALSHI_RSA_KEY_PATH": self.key_path}
            found += [
                f"{name}: expected a value, because BOT_LIVE is set" for name, value in needed.items() if not value
            ]
        if len(self.order_prefix) > 20:
            found.append("BOT_ORDER_PREFIX: expected at most 20 characters")
        if self.order_size > self.max_position:
            found.append("BOT_ORDER_SIZE: expected at most BOT_MAX_POSITION")
        if self.market_exposure > self.total_exposure:
            found.append("BOT_MARKET_EXPOSURE: expected at most BOT_TOTAL_EXPOSURE")
        if self.order_lifetime < 4 * self.interval:
            found.append("BOT_ORDER_LIFETIME: expected at least four times BOT_INTERVAL")
        if self.stale_after <= 2 * self.interval:
            found.append("BOT_STALE_AFTER: expected more than twice BOT_INTERVAL")
        return found


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
