"""The demo at a terminal: trades within seconds, URLs alive, every plug works both ways, nothing is left behind."""

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands.demo_process import ROOT
from commands.ports import free_port
from tests.support.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
POLL = 3.0  # seconds between two polls of the bot
ROUNDS = 2 * POLL + 3.0  # two polls, and what the machine needs


@dataclass
class Demo:
    """A demo with a terminal of its own; text is what it wrote there since the last key."""

    popen: subprocess.Popen[bytes]
    terminal: int
    port: int
    folder: Path
    written: bytearray = field(default_factory=bytearray)
    pressed_at: int = 0

    @property
    def text(self) -> str:
        return self.written[self.pressed_at :].decode(errors="replace")

    def listen(self) -> None:
        """Take what is written until the terminal is closed."""
        with suppress(OSError):
            while some := os.read(self.terminal, 4096):
                self.written += some

    def press(self, keys: str) -> None:
        self.pressed_at = len(self.written)
        os.write(self.terminal, keys.encode())

    async def wait_for(self, what: str, within: float) -> re.Match[str]:
        """Wait until the output matches what, and return the match."""
        found = await eventually(lambda: re.search(what, self.text, re.DOTALL), within=within)
        assert isinstance(found, re.Match)
        return found

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/python{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def part(self, name: str) -> Any:
        """Return a part of /health."""
        return self.get("/health")[1]["parts"][name]

    def family(self) -> list[int]:
        """Its processes."""
        return [int(pid) for pid in Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text().split()]

    async def ends(self, within: float) -> int:
        """Wait for the exit code; its child processes and its files are gone with it."""
        family, begun = self.family(), time.monotonic()
        code = await asyncio.to_thread(self.popen.wait, 30)
        assert time.monotonic() - begun < within
        assert _left(family, self.folder) == []
        return code


@contextmanager
def running(folder: Path, port: int) -> Iterator[Demo]:
    """A demo while the block runs."""
    master, slave = pty.openpty()
    popen = subprocess.Popen(
        [sys.executable, str(ROOT / "server.py"), "demo", "--port", str(port)], cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)}, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    demo = Demo(popen, master, port, folder)
    listening = threading.Thread(target=demo.listen, daemon=True)
    listening.start()
    try:
        yield demo
    finally:
        if popen.poll() is None:
            popen.send_signal(signal.SIGTERM)
            popen.wait(10)
        listening.join(2)
        os.close(master)


def _left(family: list[int], folder: Path) -> list[object]:
    return [pid for pid in family if Path(f"/proc/{pid}").exists()] + list(folder.iterdir())


async def test_the_demo_runs_degrades_and_recovers_by_its_keys(tmp_path: Path) -> None:
    """A trade within ten seconds, live data behind every URL, each fault on and off, and q."""
    with running(tmp_path, free_port()) as demo:
        first = await demo.wait_for(r"([\d.]+) s  #\d+ +(BUY|SELL)", within=60)
        assert float(first[1]) < 10
        await eventually(lambda: _alive(demo) == {}, within=60, every=0.5)
        await _bot_dies_and_comes_back(demo)
        await _bot_freezes_and_thaws(demo)
        await _exchange_fails(demo)
        await _field_is_renamed(demo)
        await _trading_pauses(demo)
        demo.press("q")
        assert await demo.ends(within=15) == 0


def _alive(demo: Demo) -> dict[str, Any]:
    """The URLs that do not answer with living data."""
    ticker = demo.get("/markets/?limit=1")[1]["markets"][0]["ticker"]
    filled = {"positions": "positions", "fills": "fills", "orders": "orders", "trades/live": "trades",
              "trades/history": "entries"}  # fmt: skip
    wants = {f"/portfolio/{path}": key for path, key in filled.items()}
    wants |= {"/portfolio/balance": "balance", "/markets/": "markets", f"/markets/{ticker}": "ticker",
              "/portfolio/summary": "positions", "/portfolio/settlements": "source", "/sse/stats": "opened",
              "/sse/clients": "clients", "/openapi.json": "paths", "/": "version"}  # fmt: skip
    answers = {path: demo.get(path) for path in wants}
    bad = {path: body for path, (status, body) in answers.items() if status != 200 or not body[wants[path]]}
    stale = {path: body for path, (_, body) in answers.items() if body.get("stale")}
    health = demo.get("/health")[1]
    return bad | stale | ({} if health["status"] == "ok" else {"/health": health})


async def _bot_dies_and_comes_back(demo: Demo) -> None:
    demo.press("b")
    await demo.wait_for("the bot is killed", within=15)
    await eventually(lambda: demo.part("bot")["status"] == "offline", within=ROUNDS, every=0.2)
    demo.press("b")
    await demo.wait_for("the bot is started", within=15)
    await eventually(lambda: demo.part("bot")["status"] == "online", within=60, every=0.2)


async def _bot_freezes_and_thaws(demo: Demo) -> None:
    demo.press("f")
    await demo.wait_for("the bot is frozen", within=15)
    await eventually(lambda: demo.part("bot")["status"] != "online", within=60, every=0.2)
    demo.press("f")
    await demo.wait_for("the bot continues", within=15)
    await eventually(lambda: demo.part("bot")["status"] == "online", within=60, every=0.2)


async def _exchange_fails(demo: Demo) -> None:
    demo.press("e")
    await demo.wait_for("the exchange answers 500", within=15)
    assert demo.get("/markets/?limit=7")[0] in (502, 503), "never asked before, so there is nothing to fall back to"
    demo.press("e")
    await demo.wait_for("ended: the exchange answers 500", within=15)
    await eventually(lambda: demo.get("/markets/?limit=7")[0] == 200, within=60, every=0.5)


async def _field_is_renamed(demo: Demo) -> None:
    await eventually(lambda: not demo.get("/portfolio/balance")[1]["stale"], within=60, every=0.5)
    demo.press("r")
    await demo.wait_for("balance_dollars is renamed", within=15)
    await eventually(lambda: demo.get("/portfolio/balance")[1]["stale"], within=90, every=0.5)
    demo.press("r")
    await demo.wait_for("ended: balance_dollars is renamed", within=15)
    await eventually(lambda: not demo.get("/portfolio/balance")[1]["stale"], within=90, every=0.5)


async def _trading_pauses(demo: Demo) -> None:
    """Resting orders are cancelled and no trade comes; two keys pressed at once are two keys."""
    demo.press("p")
    await demo.wait_for("trading is paused", within=15)
    await eventually(lambda: _quiet(demo), within=60)
    demo.press("ppp")
    await demo.wait_for(r"ended: trading is paused\s.*\* trading is paused\s.*ended: trading is paused", within=15)
    head = demo.get("/health")[1]["journal"]["seq"]
    await eventually(lambda: demo.get("/health")[1]["journal"]["seq"] > head, within=90, every=0.5)


async def _quiet(demo: Demo) -> bool:
    head = demo.get("/health")[1]["journal"]["seq"]
    await asyncio.sleep(4)
    return bool(demo.get("/health")[1]["journal"]["seq"] == head)


@pytest.mark.parametrize("up", [True, False], ids=["while it runs", "while it starts"])
async def test_ctrl_c_ends_it(tmp_path: Path, up: bool) -> None:
    """In about a second, with all that it started; its port is given to another program meanwhile."""
    with running(tmp_path, free_port()) as demo:
        await eventually(lambda: len(demo.family()) >= (3 if up else 1), within=15)
        if up:
            await demo.wait_for("serving after", within=60)
            other = await asyncio.to_thread(
                subprocess.run, [sys.executable, "server.py", "demo", "--port", str(demo.port)], cwd=ROOT,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20, text=True,
            )  # fmt: skip
            assert other.returncode == 1
            assert f"port {demo.port} cannot be used: it is taken; choose another with --port" in other.stdout
        demo.press("\x03")
        assert await demo.ends(within=15) == 0
        await demo.wait_for("stopping", within=10)


async def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    """Without a terminal nobody can press Ctrl-C."""
    with running(tmp_path, free_port()) as demo:
        await demo.wait_for("serving after", within=60)
        demo.popen.send_signal(signal.SIGHUP)
        assert await demo.ends(within=15) == 0


async def test_nothing_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    """kill -9 leaves no time to stop the others: each ends by itself, and all ports are free again."""
    with running(tmp_path, free_port()) as demo:
        await demo.wait_for("serving after", within=60)
        ports = listening(demo.family())
        assert len(ports) == 4, "the server's, the bot's, the exchange's and its control's"
        assert demo.port in ports
        demo.popen.kill()
        await eventually(lambda: not any(_is_open(port) for port in ports), within=5)


def listening(family: list[int]) -> set[int]:
    """The ports on which these processes listen."""
    holds = [os.readlink(link) for pid in family for link in Path(f"/proc/{pid}/fd").iterdir()]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in holds}


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_an_invalid_port_is_reported(port: str) -> None:
    """With a plain line, and at once."""
    done = subprocess.run(
        [sys.executable, "server.py", "demo", "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    assert "expected a port from 1 to 65535" in done.stderr
