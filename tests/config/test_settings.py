"""Settings: read once, from three places, every mistake at once, no secret shown."""

import dataclasses
from pathlib import Path

import pytest

from config import settings
from config.settings import Settings, SettingsError, load

WRONG = [
    ("PORT", "70000", "a whole number from 0 to 65535"),
    ("PORT", "80 80", "a whole number"),
    ("BOT_POLL_INTERVAL", "0", "seconds from 0.05"),
    ("BOT_POLL_INTERVAL", "NaN", "seconds"),
    ("APP_ENV", "prod", "one of production, development"),
    ("LOG_LEVEL", "verbose", "one of DEBUG"),
    ("BOT_STATUS_ENDPOINT", "localhost:9000/status", "http://"),
    ("BOT_STATUS_ENDPOINT", "http://localhost:99999/status", "http://host:port/path"),
    ("BOT_TRADES_ENDPOINT", "http://[::1/trades", "http://host:port/path"),
    ("KALSHI_API_URL", "ftp://x", "https"),
    ("JOURNAL_URL", "postgres://x/y", "sqlite:///file"),
    ("CORS_ORIGINS", "*", "exact origins"),
    ("CORS_ORIGINS", "https://a.example/path", "no path"),
    ("KALSHI_RSA_KEY_PATH", "/nowhere/key.pem", "a file that can be read"),
    ("KALSHI_SUBACCOUNT", "64", "from 0 to 63"),
    ("AUTH", "basic", "spring-session"),
    ("AUTH", "spring-session", "this with REDIS_HOST"),
]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine leaks into a test."""
    for field in dataclasses.fields(Settings):
        monkeypatch.delenv(field.name.upper(), raising=False)
        monkeypatch.delenv(f"{field.name.upper()}_FILE", raising=False)


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG, ids=lambda text: str(text)[:24])
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str, tmp_path: Path) -> None:
    """A mistake says the setting's name, the value given and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        load({name: value}, tmp_path)
    line = next(line for line in caught.value.mistakes if line.startswith(name))
    assert repr(value) in line
    assert allowed in line


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    """Three wrong settings make one error with three lines."""
    with pytest.raises(SettingsError) as caught:
        load({"PORT": "x", "APP_ENV": "y", "KALSHI_API_KEY": "k"}, tmp_path)
    assert [line.split("=")[0].split(" ")[0] for line in caught.value.mistakes] == ["PORT", "APP_ENV", "KALSHI_API_KEY"]


def test_flags_win_over_environment_over_env_over_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest source wins, and an empty value unsets what a farther one says."""
    folder = tmp_path / "app"
    folder.mkdir()
    (tmp_path / ".env").write_text('PORT=1\nLOG_LEVEL=DEBUG\nREDIS_HOST=parent\nREDIS_KEY_PREFIX="p:"\n')
    (folder / ".env").write_text("# mine\nPORT=2\nBOT_POLL_INTERVAL=1.5\nREDIS_HOST=\n")
    monkeypatch.setenv("PORT", "3")
    found = load({"HOST": "0.0.0.0"}, folder)
    assert (found.host, found.port, found.bot_poll_interval, found.log_level) == ("0.0.0.0", 3, 1.5, "DEBUG")
    assert found.redis_host is None
    assert found.redis_key_prefix == "p:"
    assert load({"PORT": "4"}, folder).port == 4


def test_a_secret_may_come_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    """NAME_FILE fills every secret; neither repr nor the masked table tells it."""
    (tmp_path / "token").write_text("hunter2\n")
    found = load({"API_TOKEN_FILE": str(tmp_path / "token"), "JOURNAL_URL": "mysql://me:hunter2@db/pi"}, tmp_path)
    assert str(found.api_token) == "hunter2"
    assert "hunter2" not in repr(found) + repr(found.masked())
    assert found.masked()["JOURNAL_URL"] == "mysql://me:***@db/pi"


def test_a_missing_secret_file_is_a_mistake(tmp_path: Path) -> None:
    """A NAME_FILE that cannot be read is named, with its path."""
    with pytest.raises(SettingsError, match="API_TOKEN_FILE='/nowhere'"):
        load({"API_TOKEN_FILE": "/nowhere"}, tmp_path)


def test_the_example_file_names_every_setting(tmp_path: Path) -> None:
    """.env.example and the table agree: the same names, in the same order, and it loads as it stands."""
    example = Path(settings.__file__).parent.parent / ".env.example"
    names = [line.lstrip("# ").split("=")[0] for line in example.read_text().splitlines() if "=" in line]
    assert names == [field.name.upper() for field in dataclasses.fields(Settings)]
    (tmp_path / ".env").write_text(example.read_text())
    assert load({}, tmp_path).app_env == "development"


@pytest.mark.parametrize(
    "text",
    [b"\xef\xbb\xbfPORT=9001\n", b"export PORT=9001\n", b"LOG_LEVEL=DEBUG\r\nPORT=9001\r\n", b'words\nPORT = "9001"\n'],
    ids=["mark", "export", "CRLF", "spaces"],
)
def test_an_env_file_from_any_editor_is_read(text: bytes, tmp_path: Path) -> None:
    """A byte order mark, export, other line ends, spaces and quotes change nothing."""
    (tmp_path / ".env").write_bytes(text)
    assert load({}, tmp_path).port == 9001


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("pi:", "pi:"),
        ("pi:  # ours", "pi:"),
        ("pi:\t# ours", "pi:"),
        ("pi:#1", "pi:#1"),
        ("#1", "#1"),
        (" # ours", "python:"),
        ("'pi: # 1'", "pi: # 1"),
        ('"pi: # 1" # ours', "pi: # 1"),
        ('"it\'s"', "it's"),
        ("'a' # don't", "a"),
        ("it's # ours", "it's"),
        ("a=b", "a=b"),
    ],
)
def test_a_comment_ends_an_unquoted_value(line: str, prefix: str, tmp_path: Path) -> None:
    """It begins with a # behind a space, as with Docker Compose and python-dotenv; in quotes there is none."""
    (tmp_path / ".env").write_text(f"REDIS_KEY_PREFIX={line}\n")
    assert load({}, tmp_path).redis_key_prefix == prefix


def test_an_env_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    """UTF-16 is named with the file; it is no traceback."""
    (tmp_path / ".env").write_bytes("PORT=9001".encode("utf-16"))
    with pytest.raises(SettingsError, match=r"\.env: allowed is .*not UTF-8"):
        load({}, tmp_path)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("JOURNAL_URL", "mysql://me:hun@ter@db/pi"),
        ("JOURNAL_URL", "mysql://me:hun:ter@db/pi"),
        ("JOURNAL_URL", "mysql://me:hun/ter@db/pi"),
        ("BOT_STATUS_ENDPOINT", "http://me:hunter@localhost:9000/status"),
        ("BOT_TRADES_ENDPOINT", "http://me:hunter@localhost:9000/trades"),
        ("KALSHI_API_URL", "https://me:hunter@proxy/trade-api/v2"),
    ],
)
def test_a_password_in_a_url_is_never_shown(name: str, url: str, tmp_path: Path) -> None:
    """Not even a part of one whose @, : or / was not quoted; the host is still told."""
    found = load({name: url}, tmp_path)
    told = repr(found) + repr(found.masked())
    assert "hun" not in told
    assert "ter@" not in told
    assert "***@" in found.masked()[name]
