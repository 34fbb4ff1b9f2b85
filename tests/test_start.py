"""Start of the server, and one line without a traceback where it cannot start."""

import asyncio
import gc
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from config.settings import ServerSettings
from runtime.server_application import ServerApplication
from server import main, refuse_public_access
from tests.support.neighbours import RedisServer
from tests.support.server import ROOT, clean_environment, running_server


def start(settings: ServerSettings | None) -> dict[str, Any]:
    """Return the message that the application sends its server at start."""

    async def lifespan() -> dict[str, Any]:
        words: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "lifespan.startup" if not words else "lifespan.shutdown"}

        async def send(message: Any) -> None:
            words.append(message)

        app = ServerApplication(settings)
        try:
            await app({"type": "lifespan", "state": {}, "app": app}, receive, send)
        except Exception:  # noqa: BLE001  the server hears of it in the message
            assert words
        return dict(words[0])

    return asyncio.run(lifespan())


def broken(folder: Path) -> dict[str, ServerSettings]:
    """Settings that pass and cannot be used, by what is wrong."""
    (folder / "foreign.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n")
    return {
        "foreign.db": ServerSettings(journal_url=f"sqlite:///{folder}/foreign.db"),
        "key.pem": ServerSettings(
            journal_url=f"sqlite:///{folder}/good.db", kalshi_api_key=_secret(), kalshi_rsa_key_path=folder / "key.pem"
        ),
        "a user": ServerSettings(journal_url="mysql://:hunter2@127.0.0.1/db"),
        "127.0.0.1:9": ServerSettings(journal_url="mysql://me:hunter2@127.0.0.1:9/db"),
    }


def _secret() -> Any:
    from starlette.datastructures import Secret

    return Secret("hunter2")


@pytest.mark.parametrize("wrong", ["foreign.db", "key.pem", "a user", "127.0.0.1:9"])
def test_a_mistake_of_the_settings_is_one_line(wrong: str, tmp_path: Path) -> None:
    """A journal or a key that cannot be used stops the start with one line that names it, and shows no secret."""
    words = start(broken(tmp_path)[wrong])
    assert words["type"] == "lifespan.startup.failed"
    assert words["message"].startswith("cannot start: ")
    assert wrong in words["message"]
    assert "\n" not in words["message"]
    assert "hunter2" not in words["message"]


def test_another_thread_may_run_it(tmp_path: Path) -> None:
    """Signals belong to the main thread; a program that embeds it elsewhere ends it in another way."""
    with ThreadPoolExecutor(1) as pool:
        words = pool.submit(start, ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db")).result(10)
    assert words["type"] == "lifespan.startup.complete"


def test_the_garbage_collector_is_left_as_it_is(tmp_path: Path) -> None:
    """The application sets no thresholds, so a program that embeds it keeps its own."""
    before, seen = gc.get_threshold(), list[tuple[int, ...]]()

    async def serve() -> None:
        app = ServerApplication(ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db"))
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(messages)}

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                seen.append(gc.get_threshold())

        await app({"type": "lifespan", "state": {}}, receive, send)

    asyncio.run(serve())
    assert (seen, gc.get_threshold()) == ([before], before)


def test_public_access_is_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address for everybody, without access control and for any Host."""
    start(ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db", host="0.0.0.0"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    first, second = [line["message"] for line in lines if line["level"] == "warning"]
    assert first.startswith("listening on 0.0.0.0 without access control")
    assert second.startswith("listening on 0.0.0.0 for any Host")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", ""])
def test_an_address_beyond_loopback_needs_access_control(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python server.py` refuses it, and names the settings that allow it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"HOST={host or '0.0.0.0'}\n")
    assert main(["--port", "0"]) == 2
    shown = capsys.readouterr().err
    assert "HOST: expected a loopback address" in shown
    assert "ALLOW_PUBLIC=yes" in shown


@pytest.mark.parametrize(
    "settings",
    [
        ServerSettings(host="0.0.0.0", allow_public=True),
        ServerSettings(host="0.0.0.0", api_token=_secret()),
        ServerSettings(host="0.0.0.0", auth="spring-session"),
        ServerSettings(host="127.0.0.1"),
        ServerSettings(host="localhost"),
        ServerSettings(host="::1"),
    ],
)
def test_an_address_is_allowed_on_loopback_with_control_or_by_name(settings: ServerSettings) -> None:
    """Access control, ALLOW_PUBLIC=yes or loopback: no refusal."""
    refuse_public_access(settings)


def test_a_wrong_setting_under_uvicorn_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`uvicorn server:app` reads the settings in its lifespan and stops with the mistake, without a traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_POLL_INTERVAL", "soon")
    words = start(None)
    assert words["type"] == "lifespan.startup.failed"
    assert words["message"].startswith("cannot start: BOT_POLL_INTERVAL: expected")


MISTAKE = """
import sys, server
from routes import health

live_json = health.live_json

def broken(value):
    return live_json(value) if "parts" in value else 1 / 0

health.live_json = broken
sys.exit(server.main(["--port", "{port}"]))
"""


def test_a_mistake_of_ours_is_a_500_that_the_log_explains(tmp_path: Path) -> None:
    """The visitor gets a problem with an id and nothing of the inside; under the id the log has it; others go on."""
    with running_server(tmp_path, ["-c", MISTAKE]) as running:
        answer = running.get("/health/live")
        problem = answer.json()
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
        assert problem["type"] == "/api/python/docs#internal-server-error"
        assert "Zero" not in answer.text
        assert running.get("/health/live", headers={"X-Request-ID": "mine"}).json()["request_id"] == "mine"
        assert running.get("/health").status_code == 200
        lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert [line for line in lines if line.get("request_id") == problem["request_id"]]
    traces = [line["traceback"] for line in lines if "traceback" in line]
    assert len(traces) == 3, "one for each, the first of them by who waited for the start"
    assert all("ZeroDivisionError" in trace for trace in traces)


def test_without_the_extra_metrics_name_the_package(tmp_path: Path) -> None:
    """501 as a problem, and everything else is there."""
    command = "import sys; sys.modules['prometheus_client'] = None; import server; server.main(['--port', '{port}'])"
    with running_server(tmp_path, ["-c", command]) as running:
        answer = running.get("/metrics")
        assert (answer.status_code, answer.headers["Content-Type"]) == (501, "application/problem+json")
        assert "pip install 'prediction-investor[metrics]'" in answer.json()["detail"]
        assert running.get("/health").status_code == 200


@pytest.mark.redis
def test_two_journals_under_one_prefix_are_one_line(tmp_path: Path, redis_server: RedisServer) -> None:
    """A Redis prefix that another journal uses stops the start, saying which setting to change."""
    redis_server.command("SET", "python:journal", "otherone", "EX", "60")
    words = start(
        ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db", redis_host="127.0.0.1", redis_port=redis_server.port)
    )
    assert words["type"] == "lifespan.startup.failed"
    assert "REDIS_KEY_PREFIX" in words["message"]
    assert "Traceback" not in words["message"]


def test_a_port_that_is_taken_is_a_wrong_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The port that another holds: status 2 and a line with host and port."""
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    output = capsys.readouterr().err
    assert f"HOST='127.0.0.1', PORT={port}" in output
    assert "in use" in output


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "x" * 70])
def test_a_host_that_is_not_ours_is_a_wrong_setting(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An address of another machine and unusable names: status 2 and a line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALLOW_PUBLIC", "yes")
    assert main(["--host", host, "--port", "0"]) == 2
    assert f"HOST={host!r}" in capsys.readouterr().err


def test_the_log_has_the_url(tmp_path: Path) -> None:
    """The port is the real one also when 0 was given."""
    with running_server(tmp_path) as server:
        words = [json.loads(line)["message"] for line in server.log.read_text().splitlines()]
    assert f"serving {server.base}/" in words


@pytest.mark.slow
@pytest.mark.parametrize("command", [["server.py", "--port", "0"], ["-m", "uvicorn", "server:app", "--port", "0"]])
def test_a_start_that_fails_ends_with_a_status_and_no_traceback(command: list[str], tmp_path: Path) -> None:
    """Both ways to start it: not zero, the reason on stderr, nothing else that frightens."""
    environment = {**clean_environment(), "JOURNAL_URL": f"sqlite:///{tmp_path}/foreign.db", "PYTHONPATH": str(ROOT)}
    broken(tmp_path)
    ended = subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode not in (0, None)
    assert "cannot start: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_are_opened(closed: tuple[int, ...], tmp_path: Path) -> None:
    """A daemon may be started without them: no socket and no journal gets their numbers, and the service serves."""
    shell = " ".join(
        ["exec", sys.executable, str(ROOT / "server.py"), "--port", "{port}", *(f"{n}>&-" for n in closed)]
    )
    starter = f"import os, sys; os.execv('/bin/sh', ['sh', '-c', {shell!r}])"
    with running_server(tmp_path, ["-c", starter]) as server:
        assert server.get("/health/ready").status_code == 200
        opened = [Path(f"/proc/{server.process.pid}/fd/{number}").readlink() for number in closed]
        assert opened == [Path("/dev/null")] * len(closed)


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """A deleted working folder is named in one line, since paths from it name nothing."""
    gone = tmp_path / "gone"
    gone.mkdir()
    shell = f"cd {gone}; rmdir {gone}; exec {sys.executable} {ROOT / 'server.py'} --port 0"
    done = subprocess.run(["sh", "-c", shell], env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 2)
    assert "the working folder was deleted" in done.stderr
