"""Reading settings: precedence, mistakes, secrets, .env files. The same for server, bot and simulator."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.bot import BotSettings
from config.reader import SettingError, Settings, SettingsError, env_file, masked, parsed, read, variable
from config.settings import ServerSettings
from config.simulator import SimulatorSettings

KINDS = [ServerSettings, BotSettings, SimulatorSettings]
TOKEN = "0123456789abcdef"
PORTS = {ServerSettings: "PORT", BotSettings: "BOT_PORT", SimulatorSettings: "SIMULATOR_PORT"}


def values(settings: Any) -> Any:
    """Return the settings without their static type, for lookups by name."""
    return settings


@pytest.mark.parametrize("kind", KINDS)
def test_flag_beats_environment_beats_env_file_beats_parent(
    kind: type[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest source counts, in each of the three programs."""
    name, folder = PORTS[kind], tmp_path / "app"
    folder.mkdir()
    (tmp_path / ".env").write_text(f"{name}=1\n")
    assert values(read(kind, {}, folder)).port == 1
    (folder / ".env").write_text(f"{name}=2\n")
    assert values(read(kind, {}, folder)).port == 2
    monkeypatch.setenv(name, "3")
    assert values(read(kind, {}, folder)).port == 3
    assert values(read(kind, {name: "4"}, folder)).port == 4


def test_an_empty_value_unsets_a_farther_source(tmp_path: Path) -> None:
    """REDIS_HOST= in .env wins over a host in the parent's .env."""
    folder = tmp_path / "app"
    folder.mkdir()
    (tmp_path / ".env").write_text("REDIS_HOST=parent\n")
    (folder / ".env").write_text("REDIS_HOST=\n")
    assert read(ServerSettings, {}, folder).redis_host is None


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    """Values that cannot be read and values that contradict each other stand in one error."""
    with pytest.raises(SettingsError) as caught:
        read(ServerSettings, {"PORT": "x", "APP_ENV": "y", "KALSHI_API_KEY": "k", "API_TOKEN": "a"}, tmp_path)
    assert [line.split(":")[0].split(" ")[0] for line in caught.value.mistakes] == [
        "PORT", "APP_ENV", "API_TOKEN", "KALSHI_API_KEY",
    ]  # fmt: skip
    assert caught.value.mistakes[0] == "PORT: expected an integer from 0 to 65535, got 'x'"


SECRETS = [(ServerSettings, "API_TOKEN", "api_token"), (BotSettings, "BOT_TOKEN", "token")]


@pytest.mark.parametrize(("kind", "name", "field"), SECRETS)
def test_a_secret_may_stand_in_a_file(kind: type[Settings], name: str, field: str, tmp_path: Path) -> None:
    """NAME_FILE gives the secret; neither repr() nor the masked table shows it."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    settings = read(kind, {f"{name}_FILE": str(tmp_path / "token")}, tmp_path)
    assert str(getattr(settings, field)) == TOKEN
    assert TOKEN not in repr(settings) + repr(masked(settings))


@pytest.mark.parametrize(("kind", "name", "field"), SECRETS)
@pytest.mark.parametrize("content", ["", "\n", "a", "0123456789abcde", "0123456789 abcdef", "0123456789abcdeé"])
def test_an_empty_or_short_secret_is_a_mistake(
    kind: type[Settings], name: str, field: str, content: str, tmp_path: Path
) -> None:
    """An empty file, a token under 16 characters or with spaces stops the start, and is not shown."""
    (tmp_path / "token").write_text(content)
    with pytest.raises(SettingsError, match=name) as caught:
        read(kind, {f"{name}_FILE": str(tmp_path / "token")}, tmp_path)
    assert not content.strip() or repr(content.strip()) not in str(caught.value)


@pytest.mark.parametrize(("kind", "name", "field"), SECRETS)
def test_a_secret_set_twice_is_a_mistake(
    kind: type[Settings], name: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NAME beside NAME_FILE is refused, in one source or in two."""
    (tmp_path / "token").write_text(TOKEN)
    both = {name: TOKEN, f"{name}_FILE": str(tmp_path / "token")}
    with pytest.raises(SettingsError, match="got both"):
        read(kind, both, tmp_path)
    (tmp_path / ".env").write_text(f"{name}={TOKEN}\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "token"))
    with pytest.raises(SettingsError, match="got both"):
        read(kind, {}, tmp_path)


@pytest.mark.parametrize(("kind", "name", "field"), SECRETS)
@pytest.mark.parametrize("path", ["", "/nowhere", "/", "a\0b"])
def test_a_secret_file_that_cannot_be_read_is_a_mistake(
    kind: type[Settings], name: str, field: str, path: str, tmp_path: Path
) -> None:
    """An empty NAME_FILE, a missing file and a folder are named."""
    with pytest.raises(SettingsError, match=f"{name}_FILE: expected"):
        read(kind, {f"{name}_FILE": path}, tmp_path)


def test_both_keys_may_stand_in_env_alone(tmp_path: Path) -> None:
    """The bot trades live with keys that only .env names, as the server does."""
    (tmp_path / "key.pem").write_text("x")
    (tmp_path / ".env").write_text(f"KALSHI_API_KEY=id\nKALSHI_RSA_KEY_PATH={tmp_path}/key.pem\nBOT_LIVE=yes\n")
    assert read(BotSettings, {}, tmp_path).live
    assert str(read(ServerSettings, {}, tmp_path).kalshi_api_key) == "id"


URLS = [
    ("JOURNAL_URL", "mysql://me:hun@ter@db/pi"),
    ("JOURNAL_URL", "mysql://me:hun:ter@db/pi"),
    ("JOURNAL_URL", "mysql://me:hun/ter@db/pi"),
    ("JOURNAL_URL", "mysql:/me:hunter@db/pi"),
    ("JOURNAL_URL", "mysql:me:hunter"),
    ("JOURNAL_URL", "mysql//me:hunter@db"),
    ("JOURNAL_URL", "me:hunter@db/pi"),
    ("JOURNAL_URL", "postgres://me:hunter@db/pi"),
    ("BOT_STATUS_ENDPOINT", "http://me:hunter@localhost:9000/status"),
    ("BOT_STATUS_ENDPOINT", "http://localhost:9000/status?token=hunter"),
    ("BOT_STATUS_ENDPOINT", "http://localhost:99999/status?token=hunter&a=hunter"),
    ("BOT_STATUS_ENDPOINT", "http://me:hunter@[::1/status"),
    ("BOT_TRADES_ENDPOINT", "http://hunter@localhost:9000/trades"),
    ("BOT_TRADES_ENDPOINT", "http:/me:hunter@localhost:9000/trades"),
    ("KALSHI_API_URL", "https://me:hunter@proxy/trade-api/v2"),
    ("KALSHI_API_URL", "http://me:hunter@proxy/trade-api/v2"),
    ("REDIS_HOST", "redis://:hunter@redis:6379/0"),
    ("SPRING_REDIS_HOST", "me:hunter@redis"),
    ("REDIS_PORT", "redis://:hunter@redis:6379"),
    ("KALSHI_RSA_KEY_PATH", "-----BEGIN RSA PRIVATE KEY-----\nhunterhunter"),
    ("KALSHI_RSA_KEY_PATH", r"-----BEGIN PRIVATE KEY-----\nhunterhunter"),
    ("JOURNAL_URL_FILE", "mysql://me:hunter@db/pi"),
    ("KALSHI_API_KEY_FILE", "hunter00-1111-2222-3333-444444444444"),
    ("API_TOKEN_FILE", "hunterhunterhunterhunter"),
]


@pytest.mark.parametrize("path", ["secrets/api_token", "/run/secrets/no-such-file-of-ours", "token", "key.pem", "../a"])
def test_the_path_of_a_secret_is_named(path: str, tmp_path: Path) -> None:
    """A file that cannot be read is named, so that the mistake can be found."""
    with pytest.raises(SettingsError, match=re.escape(repr(path))):
        read(ServerSettings, {"API_TOKEN_FILE": path}, tmp_path)


@pytest.mark.parametrize(("name", "url"), URLS)
def test_a_password_in_a_url_is_never_shown(name: str, url: str, tmp_path: Path) -> None:
    """Neither a good nor a malformed URL shows its password, in the table or in the error."""
    try:
        settings = read(ServerSettings, {name: url}, tmp_path)
        shown = repr(settings) + repr(masked(settings))
    except SettingsError as error:
        shown = str(error)
    assert "hun" not in shown
    assert "ter@" not in shown
    assert name in shown


@pytest.mark.parametrize(
    "text",
    [b"\xef\xbb\xbfPORT=9001\n", b"export PORT=9001\n", b"LOG_LEVEL=DEBUG\r\nPORT=9001\r\n", b'words\nPORT = "9001"\n'],
    ids=["mark", "export", "CRLF", "spaces"],
)
def test_an_env_file_of_any_editor_is_read(text: bytes, tmp_path: Path) -> None:
    """A byte order mark, export, other line ends, spaces and quotes change nothing."""
    (tmp_path / ".env").write_bytes(text)
    assert read(ServerSettings, {}, tmp_path).port == 9001


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("pi:", "pi:"),
        ("pi:  # ours", "pi:"),
        ("pi:\t# ours", "pi:"),
        ("pi:#1", "pi:#1"),
        ("#1", "#1"),
        (" # ours", "python:"),
        ("'pi:#1'", "pi:#1"),
        ('"pi:#1" # ours', "pi:#1"),
        ('"it\'s"', "it's"),
        ("'a' # don't", "a"),
        ("it's # ours", "it's"),
        ("a=b", "a=b"),
    ],
)
def test_a_comment_ends_an_unquoted_value(line: str, prefix: str, tmp_path: Path) -> None:
    """A comment begins with a # after a space, as in Docker Compose and python-dotenv; quotes hold none."""
    (tmp_path / ".env").write_text(f"REDIS_KEY_PREFIX={line}\n")
    assert read(ServerSettings, {}, tmp_path).redis_key_prefix == prefix


@pytest.mark.parametrize("content", ["PORT=1".encode("utf-16"), b"PORT=1\n" + b"#" * 70000])
def test_an_env_file_that_is_no_text_is_a_mistake(content: bytes, tmp_path: Path) -> None:
    """UTF-16 and a file that is too large are named with the file."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"\.env: expected a text file"):
        read(ServerSettings, {}, tmp_path)


@given(st.binary(max_size=200))
def test_an_env_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content of an .env file raises anything but SettingError."""
    path = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}.env"
    path.write_bytes(content)
    try:
        env_file(path)
    except SettingError:
        return


FIELDS = [field for kind in KINDS for field in dataclasses.fields(kind)]


@given(st.sampled_from(FIELDS), st.text(max_size=40))
def test_a_value_is_read_or_refused(field: dataclasses.Field[Any], text: str) -> None:
    """No value raises anything but SettingError, which names the setting on one line."""
    message = f"{variable(field)}: expected "
    try:
        parsed(field, text)
    except SettingError as error:
        message = str(error)
    assert message.startswith(f"{variable(field)}: expected ")
    assert "\n" not in message
