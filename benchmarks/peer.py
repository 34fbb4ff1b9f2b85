"""The servers that are measured side by side: how each is started, where it streams, how it is made to publish."""

import contextlib
import importlib.util
import json
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from string import Template
from urllib.parse import quote

from benchmarks.machine import CLIENT_CORE, HERE, Process, compiled, wait_for
from commands.ports import free_port

PEERS = HERE / "peers"
Publish = Callable[[int, int, float], None]  # port, events, gap in seconds (0: back to back)


def burst(port: int, events: int, gap: float) -> None:
    """Ask the server to publish by itself."""
    url = f"http://127.0.0.1:{port}/burst?events={events}&gap={gap}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=120) as answer:
        answer.read()


class Poster:
    """Publishes to a server that takes each event as an HTTP request: nchan, or with a channel Centrifugo."""

    def __init__(self, path: str = "/publish", channel: str = "") -> None:
        self._path, self._channel = path, channel
        self._seq = 0

    def __call__(self, port: int, events: int, gap: float) -> None:
        """As burst, from here."""
        server = HTTPConnection("127.0.0.1", port)
        due = time.monotonic()
        for _ in range(events):
            self._seq += 1
            trade = {
                "seq": self._seq, "timestamp": time.time(), "ticker": "PRES24-GOP", "side": "BUY", "quantity": 50,
                "price": 0.65, "trade_id": f"t{self._seq}", "outcome": "yes", "fee": 0.0175, "order_id": None,
                "origin": "bot", "mode": "live", "source": "bot_live",
            }  # fmt: skip
            event = {"trades": [trade], "count": 1, "source": "bot_live"}
            body = json.dumps({"channel": self._channel, "data": event} if self._channel else event)
            head = {"X-EventSource-Event": "new_trades", "Content-Type": "application/json"}
            server.request("POST", self._path, body, head)
            server.getresponse().read()
            due += gap
            time.sleep(max(due - time.monotonic(), 0) if gap else 0)


@dataclass(frozen=True)
class Peer:
    """One server. weight: how many fewer events it gets, when it is so slow that a round would take minutes."""

    name: str
    command: Callable[[int, Path], list[str]]
    path: str = "/events"
    publish: Publish = burst
    weight: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    bot: bool = False  # it polls a bot, which publishes for it
    missing: Callable[[], str | None] = lambda: None


def uvicorn(app: str) -> Callable[[int, Path], list[str]]:
    """The command that serves an app of the peers folder."""
    return lambda port, _: [
        sys.executable, "-m", "uvicorn", "--app-dir", str(PEERS), app, "--port", str(port), "--log-level", "error",
        "--no-access-log", "--backlog", "4096",
    ]  # fmt: skip


def ours(delivery: str) -> Peer:
    """Return our streams with one way to deliver: eager tasks, or every chunk through the queue."""
    return Peer(
        f"streams:{delivery}", uvicorn("ours_app:app"), "/api/python/sse/trading",
        environment={"DELIVERY": delivery, "PYTHONPATH": str(HERE.parent), "JOURNAL_FILE": ""},
    )  # fmt: skip


def server() -> Peer:
    """The whole server: it hears of each trade from a bot, keeps it in its journal, and tells it."""
    return Peer(
        "server", lambda port, _: [sys.executable, "server.py", "--port", str(port)], "/api/python/sse/trading",
        environment={"JOURNAL_FILE": "", "APP_ENV": "production", "MAX_STREAMS": "20000", "LOG_LEVEL": "ERROR"},
        bot=True,
    )  # fmt: skip


def centrifugo() -> Peer:
    """Return Centrifugo on one core with SSE, history and recovery (go install .../centrifugal/centrifugo/v6)."""
    connect = quote(json.dumps({"subs": {"trades": {}}}))
    return Peer(
        "centrifugo",
        lambda port, _: ["centrifugo", "--config", str(PEERS / "centrifugo.json"), "--http_server.port", str(port)],
        f"/connection/uni_sse?cf_connect={connect}", Poster("/api/publish", "trades"),
        environment={"GOMAXPROCS": "1"}, missing=_needs("centrifugo"),
    )  # fmt: skip


def nginx(port: int, folder: Path) -> list[str]:
    """nginx with a configuration of its own in folder."""
    text = Template((PEERS / "nginx.conf.template").read_text())
    (folder / "nginx.conf").write_text(text.substitute(port=port, folder=folder, module=_nchan()))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def _nchan() -> str:
    return next((str(path) for path in Path("/usr/lib/nginx/modules").glob("ngx_nchan_module.so")), "")


def _needs(*programs: str) -> Callable[[], str | None]:
    return lambda: next((f"{name} is not installed" for name in programs if shutil.which(name) is None), None)


def _needs_package(name: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(name) else f"{name} is not installed"


def all_peers() -> list[Peer]:
    """Everything that can be compared, ours first."""
    return [
        server(), ours("eager"), ours("queue"),
        Peer("fastapi+sse-starlette", uvicorn("fastapi_app:app"), weight=4, missing=_needs_package("sse_starlette")),
        Peer("bare asgi", uvicorn("bare_app:app")),
        Peer("node", lambda port, _: ["node", str(PEERS / "node_app.js"), str(port)], missing=_needs("node")),
        Peer("nchan", nginx, publish=Poster(), missing=lambda: None if _nchan() else "nginx's nchan is not installed"),
        centrifugo(),
        Peer("c loop", lambda port, folder: [str(compiled(PEERS / "loop.c", folder)), str(port)], missing=_needs("cc")),
    ]  # fmt: skip


def publishing(peer: Peer, port: int, events: int, gap: float) -> threading.Thread:
    """Publish beside what the caller does meanwhile. port: the server's, or its bot's."""
    thread = threading.Thread(target=peer.publish, args=(port, events, gap), daemon=True)
    thread.start()
    return thread


@contextlib.contextmanager
def running(peer: Peer, folder: Path) -> Iterator[tuple[Process, int, int]]:
    """The peer's process, its port, and the port that takes what is to be published."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        values = dict(peer.environment)
        publisher = port
        if "JOURNAL_FILE" in values:
            file = folder / "journal.db"
            values |= {"JOURNAL_FILE": str(file), "JOURNAL_URL": f"sqlite:///{file}"}
        if peer.bot:
            publisher = free_port()
            url = f"http://127.0.0.1:{publisher}"
            values |= {"BOT_STATUS_ENDPOINT": f"{url}/status", "BOT_TRADES_ENDPOINT": f"{url}/trades"}
            bot = [sys.executable, str(PEERS / "bench_bot.py"), str(publisher)]
            stack.enter_context(Process(bot, core=CLIENT_CORE))
            wait_for(publisher)
        process = stack.enter_context(Process(peer.command(port, folder), values))
        wait_for(port)
        time.sleep(1.0 if peer.bot else 0.5)
        yield process, port, publisher
