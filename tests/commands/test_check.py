"""`server.py check` against real neighbours: all well, and each of them wrong in its own way."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import COMMANDS
from commands.demo_process import OURS
from commands.ports import free_port
from server import main
from tests.support.fakebot import FakeBot
from tests.support.neighbours import RedisServer
from tests.support.simulator import Simulator, running_simulator

pytestmark = pytest.mark.redis
Check = Callable[[dict[str, str]], tuple[int, dict[str, str], str]]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """An exchange that checks signatures."""
    with running_simulator(tmp_path_factory.mktemp("exchange")) as simulator:
        yield simulator


@pytest.fixture
def well(tmp_path: Path, exchange: Simulator, redis_server: RedisServer) -> Iterator[dict[str, str]]:
    """Settings with which every neighbour is there."""
    exchange.clear()
    key = tmp_path / "key.pem"
    key.write_bytes(exchange.keys["demo-rsa"].read_bytes())
    key.chmod(0o600)
    with FakeBot() as bot:
        yield {
            "JOURNAL_URL": f"sqlite:///{tmp_path}/journal.db", "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis_server.port), "KALSHI_API_URL": exchange.url, "KALSHI_API_KEY": "demo-rsa",
            "KALSHI_RSA_KEY_PATH": str(key), **bot.settings,
        }  # fmt: skip


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs it: the exit code, the level of each neighbour by name, and everything that was printed."""

    def run(settings: dict[str, str]) -> tuple[int, dict[str, str], str]:
        monkeypatch.chdir(tmp_path)
        for name in list(os.environ):
            if name.startswith(OURS):
                monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code = main(["check"])
        printed = capsys.readouterr()
        lines = [line.partition(" ") for line in printed.out.splitlines() if ": " in line]
        return code, {rest.strip().partition(":")[0]: level for level, _, rest in lines}, printed.out + printed.err

    return run


def test_all_is_well(check: Check, well: dict[str, str]) -> None:
    """Exit 0, each with what it answered."""
    code, output, text = check(well)
    assert (code, output) == (0, dict.fromkeys(["journal", "redis", "exchange", "account", "bot"], "ok")), text
    assert "takes keys under python:" in text
    assert "RSA key accepted, balance " in text
    assert "warning" not in text


def test_a_neighbour_that_is_not_configured_is_no_mistake(check: Check, well: dict[str, str]) -> None:
    """Without Redis and keys there is nothing to try; the line describes the effect."""
    for name in ("REDIS_HOST", "REDIS_PORT", "KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH"):
        del well[name]
    code, output, text = check(well)
    assert (code, output["redis"], output["account"]) == (0, "-", "-")
    assert "the cache is in memory" in text


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "a journal that is none": ({"JOURNAL_URL": "sqlite:///{folder}/key.pem"}, "journal", "damaged or no journal"),
    "nobody at Redis": ({"REDIS_PORT": "{port}"}, "redis", "Connect call failed"),
    "a password that Redis does not know": (
        {"REDIS_USERNAME": "me", "REDIS_PASSWORD": "hunter2"},
        "redis",
        "invalid user",
    ),
    "nobody at the exchange": ({"KALSHI_API_URL": "http://127.0.0.1:{port}/trade-api/v2"}, "exchange", "exchange"),
    "a key that the exchange does not know": ({"KALSHI_API_KEY": "hunter2"}, "account", "HTTP 401"),
    "a key that is none": ({"KALSHI_RSA_KEY_PATH": "{folder}/none.pem"}, "account", "the private key cannot be read"),
    "no bot": ({"BOT_STATUS_ENDPOINT": "http://127.0.0.1:{port}/status"}, "bot", "no connection (Connection refused)"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_neighbour_that_cannot_be_used_is_wrong(
    check: Check, tmp_path: Path, well: dict[str, str], kind: str
) -> None:
    """Exit 1 and one line with the reason; the others are tried all the same; no traceback and no secret."""
    changes, name, why = WRONG[kind]
    (tmp_path / "none.pem").write_text("hunter2")
    (tmp_path / "none.pem").chmod(0o600)
    spoilt = {key: value.format(folder=tmp_path, port=free_port()) for key, value in changes.items()}
    code, output, text = check({**well, **spoilt})
    assert (code, output[name]) == (1, "wrong"), text
    assert why in text
    assert output.keys() == {"journal", "redis", "exchange", "account", "bot"}
    assert "Traceback" not in text
    assert "hunter2" not in text


def test_the_redis_of_the_logins_is_tried(check: Check, well: dict[str, str]) -> None:
    """With AUTH=spring-session the sessions must be readable, in the shared Redis or in one of their own."""
    well["AUTH"] = "spring-session"
    assert check(well)[1]["sessions"] == "ok"
    code, output, _ = check({**well, "SPRING_REDIS_HOST": "127.0.0.1", "SPRING_REDIS_PORT": str(free_port())})
    assert (code, output["redis"], output["sessions"]) == (1, "ok", "wrong")


def test_a_redis_that_hangs_is_wrong(check: Check, well: dict[str, str], redis_server: RedisServer) -> None:
    """It accepts the connection and sends nothing."""
    redis_server.hang()
    code, output, text = check(well)
    assert (code, output["redis"], output["bot"]) == (1, "wrong", "ok"), text


def test_an_open_port_or_a_readable_key_is_a_warning(check: Check, well: dict[str, str]) -> None:
    """A key that others can read, and an open port: warnings, no mistakes."""
    Path(well["KALSHI_RSA_KEY_PATH"]).chmod(0o644)
    code, _, text = check({**well, "HOST": "0.0.0.0"})
    assert code == 0
    key = well["KALSHI_RSA_KEY_PATH"]
    assert f"warning the private key {key} can be read by other users; run chmod 600 on it" in text
    assert "warning listening on 0.0.0.0 without access control" in text


def test_no_secret_of_a_url_is_shown(check: Check, well: dict[str, str]) -> None:
    """A token in the bot's URL is shown neither in the table nor in the result, whether the bot answers or not."""
    url = f"http://me:hunter@127.0.0.1:{free_port()}/status?token=hunter"
    _, _, text = check({**well, "BOT_STATUS_ENDPOINT": url})
    assert "hunter" not in text
    assert "token=***" in text


@pytest.mark.parametrize("words", [["nonsense"], ["--port", "0", "serve"]])
def test_an_unknown_command_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`server.py nonsense` names every command, with exit status 2."""
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    shown = capsys.readouterr().err
    assert all(command in shown for command in COMMANDS)
