"""Settings: flags over environment, every mistake at once, secrets never shown, and which mode an address means."""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.errors import InvalidBotSettings
from bot.settings import BotSettings, read_settings


def test_paper_by_default() -> None:
    """Without a word it trades nobody's money."""
    settings = read_settings([], {})
    assert (settings.mode, settings.port, settings.live) == ("paper", 9000, False)


def test_flags_win_over_the_environment() -> None:
    """And both over the default."""
    settings = read_settings(["--port", "9001", "--order-size", "2"], {"BOT_PORT": "9002", "BOT_INTERVAL": "0.5"})
    assert (settings.port, settings.order_size, settings.interval) == (9001, Decimal(2), 0.5)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    """What cannot be read and what contradicts, in one message."""
    environ = {
        "BOT_PORT": "x", "BOT_ORDER_SIZE": "-1", "BOT_STRATEGY": "martingale", "BOT_MARKET_EXPOSURE": "500",
        "BOT_STALE_AFTER": "1", "BOT_TOKEN": "short", "BOT_LIVE": "yes",
        "KALSHI_RSA_KEY_PATH": str(tmp_path / "no.pem"), "LOG_LEVEL": "LOUD", "KALSHI_API_URL": "exchange",
    }  # fmt: skip
    with pytest.raises(InvalidBotSettings) as caught:
        read_settings([], environ)
    told = str(caught.value)
    for name in (*(set(environ) - {"BOT_LIVE"}), "KALSHI_API_KEY"):
        assert name in told
    assert "short" not in told.replace("BOT_TOKEN", "")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BOT_ORDER_SIZE", "ten", "a number was expected, not 'ten'"), ("BOT_INTERVAL", "inf", "more than zero"),
        ("BOT_LIVE", "maybe", "yes or no was expected"), ("BOT_ORDER_SIZE", "1000", "one order would pass"),
        ("BOT_MARKETS", "0", "between 1 and 100"), ("BOT_MARKETS", "101", "between 1 and 100"),
        ("BOT_ORDER_PREFIX", "my bot", "1 to 20 letters"),
        ("BOT_STRATEGY", ",", "none is not one of"),
    ],
)  # fmt: skip
def test_a_mistake_says_what_is_allowed(name: str, value: str, said: str) -> None:
    """By the name of the setting."""
    with pytest.raises(InvalidBotSettings) as caught:
        read_settings([], {name: value})
    assert name in str(caught.value)
    assert said in str(caught.value)


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
def test_the_mode_is_read_from_the_address(url: str, mode: str) -> None:
    """Anything that is not known to be mock money is real money."""
    assert BotSettings(live=True, api_url=url).mode == mode
    assert BotSettings(live=False, api_url=url).mode == "paper"


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    """NAME_FILE for every one of them; both at once is a contradiction."""
    (tmp_path / "token").write_text("0123456789abcdef\n")
    settings = read_settings([], {"BOT_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.token == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(settings)
    with pytest.raises(InvalidBotSettings, match="set twice"):
        read_settings([], {"BOT_TOKEN_FILE": str(tmp_path / "token"), "BOT_TOKEN": "0123456789abcdef"})
