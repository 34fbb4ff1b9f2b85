"""Settings of server, bot and simulator: values that are refused, conflicts, and the pages that list them."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from bot.strategies import strategies
from config import settings
from config.bot import BotSettings, read_bot_settings
from config.reader import Settings, SettingsError, read, table, variable
from config.settings import ServerSettings
from config.simulator import SimulatorSettings, read_simulator_settings
from simulator.rate_limits import TIERS

ROOT = Path(settings.__file__).parent.parent
KINDS = [ServerSettings, BotSettings, SimulatorSettings]
WRONG = [
    ("PORT", "70000", "an integer from 0 to 65535"),
    ("PORT", "80 80", "an integer"),
    ("PORT", "٣", "an integer"),
    ("BOT_POLL_INTERVAL", "0", "seconds from 0.05"),
    ("BOT_POLL_INTERVAL", "NaN", "seconds"),
    ("BOT_POLL_INTERVAL", "1e3", "seconds"),
    ("APP_ENV", "prod", "one of production, development"),
    ("LOG_LEVEL", "verbose", "one of DEBUG"),
    ("BOT_STATUS_ENDPOINT", "localhost:9000/status", "http://"),
    ("BOT_STATUS_ENDPOINT", "http://localhost:99999/status", "http://host:port/path"),
    ("BOT_TRADES_ENDPOINT", "http://[::1/trades", "http://host:port/path"),
    ("KALSHI_API_URL", "ftp://x", "such as https://host:port/path"),
    ("KALSHI_API_URL", "http://api.example.com/v2", "https:// for an exchange that is not on this machine"),
    ("KALSHI_API_URL", "http://localhost.evil.example/v2", "https://"),
    ("JOURNAL_URL", "postgres://x/y", "sqlite:///file"),
    ("CORS_ORIGINS", "*", "exact origins"),
    ("CORS_ORIGINS", "https://a.example/path", "no path"),
    ("CORS_ORIGINS", "https://a.example:443", "no :443 of https"),
    ("CORS_ORIGINS", "http://a.example,http://b.example:80", "no :80 of http"),
    ("ALLOWED_HOSTS", "https://a.example", "host names without port"),
    ("ALLOWED_HOSTS", "a.example:80", "host names without port"),
    ("ALLOWED_HOSTS", "*", "host names"),
    ("ALLOW_PUBLIC", "sure", "yes or no"),
    ("KALSHI_RSA_KEY_PATH", "/nowhere/key.pem", "a file that can be read"),
    ("KALSHI_SUBACCOUNT", "64", "from 0 to 63"),
    ("AUTH", "basic", "spring-session"),
    ("AUTH", "spring-session", "REDIS_HOST or SPRING_REDIS_HOST beside spring-session"),
    ("REDIS_KEY_PREFIX", "a b", "printable ASCII"),
]
WRONG_FOR_THE_BOT = [
    ("BOT_ORDER_SIZE", "ten", "a number above 0"),
    ("BOT_ORDER_SIZE", "0", "a number above 0"),
    ("BOT_INTERVAL", "inf", "seconds from"),
    ("BOT_LIVE", "maybe", "yes or no"),
    ("BOT_LIVE", "yes", "a value, because BOT_LIVE is set"),
    ("BOT_ORDER_SIZE", "1000", "at most BOT_MAX_POSITION"),
    ("BOT_MARKET_EXPOSURE", "500", "at most BOT_TOTAL_EXPOSURE"),
    ("BOT_STALE_AFTER", "1", "more than twice BOT_INTERVAL"),
    ("BOT_MARKETS", "0", "from 1 to 100"),
    ("BOT_MARKETS", "101", "from 1 to 100"),
    ("BOT_ORDER_PREFIX", "my bot", "1 to 20 letters"),
    ("BOT_ORDER_PREFIX", "b" * 21, "1 to 20 letters"),
    ("BOT_STRATEGY", ",", "maker, reversion or a .py file, got none"),
    ("BOT_STRATEGY", "martingale", "maker, reversion or a .py file, got martingale"),
    ("KALSHI_API_URL", "http://api.example.com/v2", "https://"),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG, ids=lambda text: str(text)[:24])
def test_a_wrong_value_of_the_server_is_named(name: str, value: str, expected: str, tmp_path: Path) -> None:
    """The error has the setting's name and the expected form."""
    with pytest.raises(SettingsError) as caught:
        read(ServerSettings, {name: value}, tmp_path)
    assert any(line.startswith(name) and expected in line for line in caught.value.mistakes), caught.value


@pytest.mark.parametrize(("name", "value", "expected"), WRONG_FOR_THE_BOT)
def test_a_wrong_value_of_the_bot_is_named(
    name: str, value: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the setting's name and the expected form."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_bot_settings([], strategies(), tmp_path)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("App.example.com", ("app.example.com",)),
        ("a.example, *.b.example", ("a.example", "*.b.example")),
        ("127.0.0.1,[::1]", ("127.0.0.1", "::1")),
        ("", ()),
    ],
)
def test_allowed_hosts_are_names_between_commas(text: str, hosts: tuple[str, ...], tmp_path: Path) -> None:
    """Names are compared in lower case; an IPv6 address may stand in brackets."""
    assert read(ServerSettings, {"ALLOWED_HOSTS": text}, tmp_path).allowed_hosts == hosts


def test_origins_stand_between_commas(tmp_path: Path) -> None:
    """Spaces around an origin and its case do not count."""
    found = read(ServerSettings, {"CORS_ORIGINS": "HTTPS://A.example , http://b.example:8080"}, tmp_path)
    assert found.cors_origins == ("https://a.example", "http://b.example:8080")


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        pytest.param("https://external-api.kalshi.com/trade-api/v2", "live", id="production"),
        pytest.param("https://api.elections.kalshi.com/trade-api/v2", "live", id="older production"),
        pytest.param("https://external-api.demo.kalshi.co/trade-api/v2", "demo", id="demo"),
        pytest.param("https://demo-api.kalshi.co/trade-api/v2", "demo", id="older demo"),
        pytest.param("http://127.0.0.1:9500/trade-api/v2", "demo", id="simulator"),
        pytest.param("http://localhost:9500/trade-api/v2", "demo", id="simulator by name"),
        pytest.param("https://demo.kalshi.com.evil.example/", "live", id="a name that only looks like demo"),
    ],
)
def test_the_mode_follows_from_the_address(url: str, mode: str) -> None:
    """An exchange that is not known to use demo money is live."""
    assert BotSettings(live=True, api_url=url).mode == mode
    assert BotSettings(live=False, api_url=url).mode == "paper"


def test_flags_of_the_bot_win_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag, a variable and a default."""
    monkeypatch.setenv("BOT_PORT", "9002")
    monkeypatch.setenv("BOT_INTERVAL", "0.5")
    found = read_bot_settings(["--port", "9001", "--order-size", "2"], strategies(), tmp_path)
    assert (found.port, found.order_size, found.interval, found.mode) == (9001, Decimal(2), 0.5, "paper")


def test_the_simulator_reads_flags_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same places as the server's settings."""
    monkeypatch.setenv("SIMULATOR_SEED", "7")
    found = read_simulator_settings(["--port", "0", "--quiet-markets"], tmp_path)
    assert (found.port, found.seed, found.quiet_markets, found.speed) == (0, 7, True, 1.0)


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_of_the_simulator_can_be_set(tier: str, tmp_path: Path) -> None:
    """The words in the settings are those of the simulator's table."""
    assert read_simulator_settings(["--tier", tier], tmp_path).tier == tier


@pytest.mark.parametrize("kind", [BotSettings, SimulatorSettings])
def test_help_shows_defaults_and_no_secret_has_a_flag(kind: type[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    """--help names each variable with its default; secrets cannot be given as flags."""
    with pytest.raises(SystemExit):
        read_bot_settings(["--help"], strategies()) if kind is BotSettings else read_simulator_settings(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(kind):
        secret = field.name in ("api_key", "watch_key", "token")
        assert (f"[{variable(field)}; default" in shown) != secret


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_page_is_the_code(kind: type[Settings]) -> None:
    """docs/settings.md has each variable with flag, default and meaning."""
    assert table(kind) in (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_the_example_file_names_every_setting(tmp_path: Path) -> None:
    """.env.example has every variable of the three programs once, in order, and loads as it stands."""
    example = (ROOT / ".env.example").read_text()
    names = [line.lstrip("# ").split("=")[0] for line in example.splitlines() if "=" in line]
    fields = [field for kind in KINDS for field in dataclasses.fields(kind)]
    assert names == list(dict.fromkeys(variable(field) for field in fields))
    (tmp_path / ".env").write_text(example)
    assert read(ServerSettings, {}, tmp_path).app_env == "development"
    assert read_bot_settings([], strategies(), tmp_path) == BotSettings()
    assert read_simulator_settings([], tmp_path) == SimulatorSettings()
    defaults = [line[2:] for line in example.splitlines() if line.startswith("# ") and "=" in line]
    (tmp_path / ".env").write_text("\n".join(defaults))
    assert read(ServerSettings, {}, tmp_path) == ServerSettings()
    assert read_bot_settings([], strategies(), tmp_path) == BotSettings()
    assert read_simulator_settings([], tmp_path) == SimulatorSettings()
