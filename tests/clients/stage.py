"""A service behind a proxy that can cut its streams, and that answers for it with standby lines while it is away."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

from commands.ports import free_port
from tests.clients.install import FOLDER
from tests.support.eventually import eventually
from tests.support.fakebot import FakeBot
from tests.support.server import ROOT, clean_environment

STANDBY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    b'retry: 1000\n: the service is not there at the moment\nevent: bye\ndata: {"reason":"away"}\n\n'
)
TYPES = {".html": "text/html", ".js": "text/javascript"}
PAGES = Path(__file__).parent / "pages"
MODULES = FOLDER / "node" / "node_modules"


class Stage:
    """The service as a process that can be killed, stopped and started again, and the proxy in front of it."""

    def __init__(self, folder: Path, bot: FakeBot, report: Callable[[str, dict[str, Any]], None]) -> None:
        self.folder, self.bot, self.report = folder, bot, report
        self.port, self.service_port = 0, free_port()
        self.transcript: list[bytes] = []  # what the streams were sent
        self._process: subprocess.Popen[bytes] | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The trades, through the proxy."""
        return f"http://127.0.0.1:{self.port}/api/python/sse/trades"

    @property
    def open_streams(self) -> int:
        """The number of streams on which an event has come."""
        return len(self._streams)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Start service and proxy, and end them."""
        await self.start()
        proxy = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = proxy.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            proxy.close()
            self.cut()
            self.kill()

    async def start(self) -> None:
        """Start the service and wait until it listens."""
        settings = {
            "JOURNAL_URL": f"sqlite:///{self.folder}/journal.db", "BOT_POLL_INTERVAL": "0.2",
            "HEARTBEAT_INTERVAL": "1", **self.bot.settings,
        }  # fmt: skip
        command = [sys.executable, str(ROOT / "server.py"), "--port", str(self.service_port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  it returns at once
                command, env=clean_environment() | settings, cwd=self.folder, stderr=log, stdout=log
            )
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.service_port)
                writer.close()
                return
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Stop the service as a deploy does."""
        assert self._process is not None
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 20)

    def kill(self) -> None:
        """End the service with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def forget(self) -> None:
        """Remove the journal of the stopped service, as a restored backup of another one would."""
        for file in self.folder.glob("journal.db*"):
            file.unlink()

    def cut(self) -> None:
        """Break every open stream."""
        for writer in list(self._streams):
            writer.transport.abort()
        self._streams.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                if path.startswith("/client/"):
                    await self._local(path, head, reader, writer)
                else:
                    await self._forward(path, head, writer)
        finally:
            self._streams.discard(writer)
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def _local(self, path: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a report of a page, or send a file to it."""
        parts = path.partition("?")[0].split("/")[2:]
        body, kind = b"", "text/plain"
        if parts[0] == "report":
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self.report(parts[1], json.loads(await reader.readexactly(int(length.split(b":")[1]))))
        else:
            file = MODULES.joinpath(*parts[1:]) if parts[0] == "modules" else PAGES / parts[0]
            file = file if file.exists() else file.with_suffix(".js")
            body, kind = file.read_bytes(), TYPES.get(file.suffix, kind)
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (kind.encode(), len(body), body)
        )
        await writer.drain()

    async def _forward(self, path: str, head: bytes, writer: asyncio.StreamWriter) -> None:
        """Pass one request on and its response back."""
        stream = "/sse/" in path
        try:
            upstream, request = await asyncio.open_connection("127.0.0.1", self.service_port)
        except OSError:
            writer.write(STANDBY if stream else b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        request.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        try:
            while data := await upstream.read(65536):
                writer.write(data)
                await writer.drain()
                if stream:
                    self.transcript.append(data)
                    if b"\ndata: " in data and not writer.is_closing():
                        self._streams.add(writer)
        finally:
            request.transport.abort()


def browser(command: list[str], url: str, folder: Path) -> list[str]:
    """Return the command of a headless browser that opens a page with a profile of its own."""
    program = shutil.which(command[0]) or command[0]
    profile = folder / f"profile-{Path(program).name}-{abs(hash(url))}"
    profile.mkdir()
    if "firefox" in command[0]:
        return [program, "--headless", "--no-remote", "--profile", str(profile), url]
    return [
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}", url,
    ]  # fmt: skip


async def wait_for(fact: Callable[[], object], within: float) -> bool:
    """Return True once the fact holds, False when it does not in time."""
    try:
        await eventually(fact, within, every=0.1)
    except AssertionError:
        return False
    return True
