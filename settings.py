"""Every setting, once: read from the environment, then .env, then the parent folder's .env; all mistakes at once."""

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.config import Config
from starlette.datastructures import Secret

VERSION = "0.1.0"


class SettingsError(Exception):
    """One or more settings are wrong; mistakes holds a line for each: name, value, what is allowed."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("wrong settings:\n" + "\n".join(f"  {line}" for line in mistakes))
        self.mistakes = mistakes


def _text(value: str) -> str:
    return value


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value) or not low <= float(value) <= high:
            raise ValueError(f"seconds from {low:g} to {high:g}")
        return float(value)

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and parts.hostname and parts.port != 0
        except ValueError:  # a port over 65535, half an IPv6 address
            good = False
        if not good:
            raise ValueError(f"a URL such as {schemes[0]}://host:port/path ({' or '.join(schemes)})")
        return value.rstrip("/")

    return parse


def _journal(value: str) -> str:
    scheme, colon, rest = value.partition("://")
    if not colon or scheme not in ("sqlite", "mysql") or not rest.strip("/"):
        raise ValueError("sqlite:///file, sqlite:////absolute/file or mysql://user@host:port/database")
    return value


def _file(value: str) -> Path:
    path = Path(value).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"a file that can be read ({error.strerror})") from None


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(item.strip() for item in value.split(",") if item.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise ValueError("exact origins such as https://app.example.com, comma between; no * and no path")
    return origins


def _stars(value: object) -> str:
    return "***"


def _without_password(url: object) -> str:
    # Up to the last @ that can be its end: a password that was not quoted may hold @, : and / itself.
    return re.sub(r"(?<=://)([^:@/]*):.*@", r"\1:***@", str(url))


def _setting(default: Any, parse: Callable[[str], Any], help: str, mask: Callable[[object], str] | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"parse": parse, "help": help, "mask": mask}, repr=not mask)


def _secret(help: str) -> Any:
    return _setting(None, Secret, help, mask=_stars)


@dataclass(frozen=True)
class Settings:
    """What the program is told from outside. Times are seconds. A field's variable is its name in capitals."""

    host: str = _setting("127.0.0.1", _text, "address to listen on")
    port: int = _setting(8000, _whole(0, 65535), "port to listen on; 0 takes a free one")
    app_env: str = _setting(
        "production", _choice("production", "development"), "`development` reloads on change and logs for people"
    )
    log_level: str = _setting(
        "INFO", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "`DEBUG` shows each cache and exchange call"
    )
    redis_host: str | None = _setting(None, _text, "Redis shared with Spring Boot; unset: the cache is in memory")
    redis_port: int = _setting(6379, _whole(1, 65535), "its port")
    redis_username: str | None = _setting(None, _text, "its ACL user")
    redis_password: Secret | None = _secret("its password")
    redis_db: int = _setting(0, _whole(0, 999), "its database number")
    redis_key_prefix: str = _setting("python:", _text, "every key that we touch begins with this")
    bot_status_endpoint: str = _setting(
        "http://localhost:9000/status",
        _url("http", "https"),
        "the bot's status; falls to `/health` on 404",
        mask=_without_password,
    )
    bot_trades_endpoint: str = _setting(
        "http://localhost:9000/trades", _url("http", "https"), "the bot's trades", mask=_without_password
    )
    bot_poll_interval: float = _setting(3.0, _seconds(0.05, 3600), "seconds between two polls of the bot")
    heartbeat_interval: float = _setting(30.0, _seconds(0.05, 3600), "seconds between two `heartbeat` events")
    kalshi_api_key: Secret | None = _secret("key id; unset: portfolio URLs answer 503, markets work")
    kalshi_rsa_key_path: Path | None = _setting(None, _file, "the private key, an RSA or Ed25519 PEM file")
    kalshi_api_url: str = _setting(
        "https://external-api.kalshi.com/trade-api/v2",
        _url("http", "https"),
        "the exchange's REST base",
        mask=_without_password,
    )
    kalshi_subaccount: int = _setting(0, _whole(0, 63), "used alike for balance, positions, fills and orders")
    cache_ttl_short: float = _setting(300.0, _seconds(1, 86400), "upper bound for market data")
    cache_ttl_medium: float = _setting(3600.0, _seconds(1, 86400), "upper bound for balance and positions")
    cache_ttl_long: float = _setting(86400.0, _seconds(1, 604800), "upper bound for fills, orders, settlements")
    marks_ttl: float = _setting(15.0, _seconds(1, 3600), "upper bound for the prices of held markets")
    journal_url: str = _setting(
        "sqlite:///prediction-investor.db",
        _journal,
        "`sqlite:///file` or `mysql://user:password@host/db`",
        mask=_without_password,
    )
    max_streams: int = _setting(5000, _whole(1, 100000), "open streams at once, each worker")
    max_stream_age: float | None = _setting(None, _seconds(1, 604800), "end a stream after this long; unset: never")
    client_queue_size: int = _setting(256, _whole(1, 100000), "events that may wait for one slow reader")
    cors_origins: tuple[str, ...] = _setting((), _origins, "exact origins that browsers may call from; unset: none")
    api_token: Secret | None = _secret("when set, everything but `/health/live` and `/health/ready` asks for it")
    auth: str | None = _setting(
        None, _choice("spring-session"), "`spring-session`: ask for a live Spring session in the shared Redis"
    )
    rate_limit: int = _setting(
        0, _whole(0, 1000000), "requests a minute for each client network; 0: no limit (the proxy's job)"
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
    here = folder or Path.cwd()
    sources = [flags or {}, os.environ, _env_file(here / ".env"), _env_file(here.parent / ".env")]
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for field in dataclasses.fields(Settings):
        name = field.name.upper()
        try:
            text = _find(name, sources, field.metadata["mask"] is not None)
            if text:
                values[field.name] = field.metadata["parse"](text)
        except ValueError as error:
            given = _shown(field, _find(name, sources, False))
            mistakes.append(f"{name}={given!r}: allowed is {error}")
    settings = Settings(**values)
    mistakes += _conflicts(settings)
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _env_file(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    try:
        values = Config(path, encoding="utf-8-sig").file_values  # some editors put a mark before the first line
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError([f"{path}: allowed is a text file that can be read ({why})"]) from None
    return {name.removeprefix("export ").strip(): value for name, value in values.items()}


def _find(name: str, sources: list[Mapping[str, str]], secret: bool) -> str:
    for source in sources:
        if name in source:  # an empty value counts: it unsets what a file further down says
            return source[name].strip()
        path = source.get(f"{name}_FILE", "").strip() if secret else ""
        if path:
            try:
                return Path(path).expanduser().read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{name}_FILE={path!r}, a text file that can be read ({error})") from None
    return ""


def _conflicts(settings: Settings) -> list[str]:
    mistakes = []
    if (settings.kalshi_api_key is None) != (settings.kalshi_rsa_key_path is None):
        mistakes.append("KALSHI_API_KEY and KALSHI_RSA_KEY_PATH: allowed is both or neither")
    if settings.auth == "spring-session" and settings.redis_host is None:
        mistakes.append("AUTH='spring-session': allowed is this with REDIS_HOST, where the sessions live")
    return mistakes
