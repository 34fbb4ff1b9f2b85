"""Every way to run the service that docs/running.md names: streams, bye, resume, stop."""

import contextlib
import re
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.support.eventsource import Message, Parser
from tests.support.fakebot import FakeBot
from tests.support.server import ROOT, Server, running_server

PAGE = (ROOT / "docs" / "running.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
SERVING = [command for command in COMMANDS if "--limit-max-requests" not in command]


OPENED: list[requests.Response] = []  # of the test that runs


@pytest.fixture(autouse=True)
def closed_responses() -> Iterator[None]:
    """Close every response of a test at its end."""
    yield
    while OPENED:
        OPENED.pop().close()


def words(command: str) -> list[str]:
    """Return the arguments of Python for a command of the page, with {port} in place of its port."""
    program, *arguments = shlex.split(command.replace("8000", "{port}"))
    if program == "python":
        return [str(ROOT / arguments[0]), *arguments[1:]]
    return ["-m", program, *arguments]


@contextlib.contextmanager
def serving(folder: Path, command: str, bot: FakeBot, **settings: str) -> Iterator[Server]:
    """Run a command of the page beside the page's Python files, following a bot."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    settings = {"HEARTBEAT_INTERVAL": "0.5", **bot.settings, **settings}
    with running_server(folder, words(command), **settings) as server:
        yield server


class Stream:
    """A stream read with requests; it has a heartbeat every half second, so that no read waits for long."""

    def __init__(self, server: Server, cursor: str = "", name: str = "trades") -> None:
        self.parser, self.messages = Parser(), list[Message]()
        headers = {"Last-Event-ID": cursor} if cursor else {}
        self.response = requests.get(f"{server.base}/sse/{name}", headers=headers, stream=True, timeout=10)
        OPENED.append(self.response)
        assert self.response.status_code == 200
        self._pieces = self.response.iter_content(None)

    def until(self, fact: Callable[["Stream"], object], within: float = 20) -> "Stream":
        """Read until the fact holds."""
        deadline = time.monotonic() + within
        while not fact(self):
            assert time.monotonic() < deadline, self.messages
            self.messages += self.parser.feed(next(self._pieces))
        return self

    @property
    def ids(self) -> list[str]:
        """The ids of all trades, in the order in which they came."""
        found = [message.json()["trades"] for message in self.messages if message.name == "new_trades"]
        return [trade["trade_id"] for trades in found for trade in trades]

    @property
    def names(self) -> list[str]:
        """The names of all events."""
        return [message.name for message in self.messages]


@pytest.mark.slow
@pytest.mark.parametrize("command", SERVING)
def test_streams_resume_and_end_with_a_bye(tmp_path: Path, command: str) -> None:
    """Live trades come at once, a cursor brings what was missed, and a stop sends bye and ends the process."""
    with FakeBot() as bot, serving(tmp_path, command, bot) as server:
        stream = Stream(server).until(lambda one: one.names)
        assert (stream.names[0], bool(stream.parser.last_id)) == ("heartbeat", True)
        first = bot.trade(3)
        stream.until(lambda one: one.ids == first)
        stream.response.close()
        missed = bot.trade(2)
        back = Stream(server, stream.parser.last_id).until(lambda one: one.ids == missed)
        assert server.get("/sse/stats").status_code == 200
        server.process.terminate()
        back.until(lambda one: "bye" in one.names)
        assert back.messages[-1].json() == {"reason": "shutdown"}
        server.process.wait(10)


@pytest.mark.slow
def test_a_stop_without_a_signal_sends_bye(tmp_path: Path) -> None:
    """uvicorn ends by itself after so many requests: its streams get bye, and the process ends."""
    (command,) = set(COMMANDS) - set(SERVING)
    with FakeBot() as bot, serving(tmp_path, command, bot) as server:
        stream = Stream(server).until(lambda one: one.names)
        with contextlib.suppress(requests.ConnectionError):
            for _ in range(30):
                server.get("/health/live")
        stream.until(lambda one: "bye" in one.names)
        assert stream.messages[-1].json() == {"reason": "shutdown"}
        assert server.process.wait(10) == 0


@pytest.mark.slow
@pytest.mark.parametrize("command", ["daphne server:app --port 8000", "uvicorn server:app --port 8000 --lifespan off"])
def test_without_a_lifespan_every_url_is_503_with_a_sentence(tmp_path: Path, command: str) -> None:
    """REST and streams alike; the log has the sentence once."""
    with FakeBot() as bot, serving(tmp_path, command, bot) as server:
        for path in ("/health", "/sse/trading", "/portfolio/balance"):
            answer = server.get(path)
            assert answer.status_code == 503
            assert "its lifespan did not run" in answer.json()["detail"]
        assert server.log.read_text().count("its lifespan did not run") == 1
