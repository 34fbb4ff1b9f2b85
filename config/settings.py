"""Every setting, once: read from the environment, then .env, then the parent folder's .env; all mistakes at once."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.datastructures import Secret

from config import parsers, sources

VERSION = "0.1.0"


class SettingsError(Exception):
    """One or more settings are wrong; mistakes holds a line for each: name, value, what is allowed."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("wrong settings:\n" + "\n".join(f"  {line}" for line in mistakes))
        self.mistakes = mistakes


def _setting(default: Any, parse: Callable[[str], Any], help: str, mask: Callable[[object], str] | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"parse": parse, "help": help, "mask": mask}, repr=not mask)


def _secret(help: str) -> Any:
    return _setting(None, Secret, help, mask=parsers.stars)


@dataclass(frozen=True)
class Settings:
    """What the program is told from outside. Times are seconds. A field's variable is its name in capitals."""

    host: str = _setting("127.0.0.1", parsers.text, "address to listen on")
    port: int = _setting(8000, parsers.whole(0, 65535), "port to listen on; 0 takes a free one")
    app_env: str = _setting(
        "production", parsers.choice("production", "development"), "`development` reloads on change and logs for people"
    )
    log_level: str = _setting(
        "INFO", parsers.choice("DEBUG", "INFO", "WARNING", "ERROR"), "`DEBUG` shows each cache and exchange call"
    )
    redis_host: str | None = _setting(
        None, parsers.text, "Redis shared with Spring Boot; unset: the cache is in memory"
    )
    redis_port: int = _setting(6379, parsers.whole(1, 65535), "its port")
    redis_username: str | None = _setting(None, parsers.text, "its ACL user")
    redis_password: Secret | None = _secret("its password")
    redis_db: int = _setting(0, parsers.whole(0, 999), "its database number")
    redis_key_prefix: str = _setting("python:", parsers.text, "every key that we touch begins with this")
    bot_status_endpoint: str = _setting(
        "http://localhost:9000/status",
        parsers.url("http", "https"),
        "the bot's status; falls to `/health` on 404",
        mask=parsers.without_password,
    )
    bot_trades_endpoint: str = _setting(
        "http://localhost:9000/trades", parsers.url("http", "https"), "the bot's trades", mask=parsers.without_password
    )
    bot_poll_interval: float = _setting(3.0, parsers.seconds(0.05, 3600), "seconds between two polls of the bot")
    heartbeat_interval: float = _setting(30.0, parsers.seconds(0.05, 3600), "seconds between two `heartbeat` events")
    kalshi_api_key: Secret | None = _secret("key id; unset: portfolio URLs answer 503, markets work")
    kalshi_rsa_key_path: Path | None = _setting(None, parsers.file, "the private key, an RSA or Ed25519 PEM file")
    kalshi_api_url: str = _setting(
        "https://external-api.kalshi.com/trade-api/v2",
        parsers.url("http", "https"),
        "the exchange's REST base",
        mask=parsers.without_password,
    )
    kalshi_subaccount: int = _setting(0, parsers.whole(0, 63), "used alike for balance, positions, fills and orders")
    cache_ttl_short: float = _setting(300.0, parsers.seconds(1, 86400), "upper bound for market data")
    cache_ttl_medium: float = _setting(3600.0, parsers.seconds(1, 86400), "upper bound for balance and positions")
    cache_ttl_long: float = _setting(86400.0, parsers.seconds(1, 604800), "upper bound for fills, orders, settlements")
    marks_ttl: float = _setting(15.0, parsers.seconds(1, 3600), "upper bound for the prices of held markets")
    journal_url: str = _setting(
        "sqlite:///prediction-investor.db",
        parsers.journal,
        "`sqlite:///file` or `mysql://user:password@host/db`",
        mask=parsers.without_password,
    )
    max_streams: int = _setting(5000, parsers.whole(1, 100000), "open streams at once, each worker")
    max_stream_age: float | None = _setting(
        None, parsers.seconds(1, 604800), "end a stream after this long; unset: never"
    )
    client_queue_size: int = _setting(256, parsers.whole(1, 100000), "events that may wait for one slow reader")
    cors_origins: tuple[str, ...] = _setting(
        (), parsers.origins, "exact origins that browsers may call from; unset: none"
    )
    api_token: Secret | None = _secret("when set, everything but `/health/live` and `/health/ready` asks for it")
    auth: str | None = _setting(
        None, parsers.choice("spring-session"), "`spring-session`: ask for a live Spring session in the shared Redis"
    )
    rate_limit: int = _setting(
        0, parsers.whole(0, 1000000), "requests a minute for each client network; 0: no limit (the proxy's job)"
    )

    def masked(self) -> dict[str, str]:
        """Every setting as text for people, in the table's order, secrets as stars."""
        return {field.name.upper(): _shown(field, getattr(self, field.name)) for field in dataclasses.fields(self)}


def _shown(field: dataclasses.Field[Any], value: Any) -> str:
    if value is None or value == ():
        return ""
    if field.metadata["mask"]:
        return str(field.metadata["mask"](value))
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def default_text(field: dataclasses.Field[Any]) -> str:
    """A field's default as one would write it in .env; empty for none."""
    return "" if field.default is None else _shown(field, field.default)


def load(flags: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """The settings in force. Flags win over the environment, that over .env, that over the parent's .env.

    Raises SettingsError, which names every mistake and not only the first.
    """
    try:
        said = sources.sources(flags or {}, folder or Path.cwd())
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    for field in dataclasses.fields(Settings):
        name = field.name.upper()
        try:
            text = sources.find(name, said, field.metadata["mask"] is not None)
            if text:
                found[field.name] = field.metadata["parse"](text)
        except ValueError as error:
            given = _shown(field, sources.find(name, said, False))
            mistakes.append(f"{name}={given!r}: allowed is {error}")
    settings = Settings(**found)
    mistakes += _conflicts(settings)
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _conflicts(settings: Settings) -> list[str]:
    mistakes = []
    if (settings.kalshi_api_key is None) != (settings.kalshi_rsa_key_path is None):
        mistakes.append("KALSHI_API_KEY and KALSHI_RSA_KEY_PATH: allowed is both or neither")
    if settings.auth == "spring-session" and settings.redis_host is None:
        mistakes.append("AUTH='spring-session': allowed is this with REDIS_HOST, where the sessions live")
    return mistakes
