"""The deployment of compose.yaml, started as a person starts it, from a copy of the checkout."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from commands.ports import free_port
from tests.support.eventsource import EventSource
from tests.support.eventually import until
from tests.world.engine import Engine, base_name, make_base
from tests.world.kept import ROOT

PARTS = ("network", "server", "bot", "apache", "redis", "mysql")
EXCHANGE = "http://127.0.0.1:9500/trade-api/v2"


class Deployment:
    """A project folder with compose.yaml in it, and the engine that runs it."""

    def __init__(self, engine: Engine, folder: Path, settings: Mapping[str, str]) -> None:
        self.engine, self.folder = engine, folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        lines = {"HTTP_PORT": str(self.port), "KALSHI_API_URL": EXCHANGE} | dict(settings)
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def up(self) -> str:
        """Start it by the one command that docs/deploying.md names; return what that prints."""
        return self.engine.run(self.folder / "scripts" / "up", timeout=1200).stdout

    def compose(self, *words: str) -> str:
        """Return what docker-compose prints in the project's folder."""
        file = self.folder / "compose.yaml"
        return self.engine.run("docker-compose", "-f", file, "--project-directory", self.folder, *words).stdout.strip()

    def container(self, part: str) -> str:
        """Return the id of a part's container."""
        return self.compose("ps", "--quiet", part)

    def execute(self, part: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a part's container."""
        return self.engine.run("docker", "exec", self.container(part), *command, check=False)

    def is_healthy(self) -> bool:
        """Return whether every part runs and is healthy, as far as it has a check."""
        states = [self.engine.inspect(self.container(part))["State"] for part in PARTS]
        return all(
            state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy" for state in states
        )

    def wait_until_healthy(self) -> None:
        """Wait for it, minutes if need be."""
        until(self.is_healthy, within=240, what="every part is healthy", every=1)

    def start_exchange(self) -> None:
        """Start the simulated exchange in the network of server and bot: the real one is not used in tests."""
        self.engine.docker(
            "run", "--detach", "--network", f"container:{self.container('network')}", "--workdir", "/tmp",
            "prediction-investor", "python3", "-m", "simulator", "--port", "9500",
        )  # fmt: skip

    def stop(self, part: str) -> int:
        """Stop a part; return its exit status, 137 when it had to be killed."""
        name = self.container(part)
        self.compose("stop", part)
        return int(self.engine.inspect(name)["State"]["ExitCode"])


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client for a person's browser."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


async def document(session: aiohttp.ClientSession, url: str) -> Any:
    """Return the JSON of a URL that answers 200."""
    async with session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def seqs(page: EventSource) -> list[int]:
    """Return the places in the journal of the trades that a reader received, in its order."""
    assert "reset" not in {message.name for message in page.messages}
    return [trade["seq"] for message in page.named("new_trades") for trade in message.json()["trades"]]


def checkout(folder: Path) -> None:
    """Copy the files of this checkout into a folder, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


@contextmanager
def deployment(engine: Engine, **settings: str) -> Iterator[Deployment]:
    """A project that is not started yet; removed with all its data at the end."""
    with tempfile.TemporaryDirectory(prefix="pideploy") as name:
        folder = Path(name)
        folder.chmod(0o755)
        checkout(folder)
        make_base(engine, base_name())
        project = Deployment(engine, folder, settings)
        try:
            yield project
        finally:
            project.compose("logs", "--no-color")
            project.compose("down", "--volumes", "--timeout", "20")
