"""The ASGI application that opens its services in its lifespan, and notices that the server stops before it waits."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from cluster.component_health import cancel_and_wait
from cluster.workers import PrefixInUse
from config.reader import SettingsError, read
from config.settings import VERSION, ServerSettings
from journal.errors import JournalError
from kalshi.errors import KeyUnusable
from routes.application import Application, Durations
from routes.context import Services
from routes.problems import Problem, render
from runtime import logs
from runtime.bootstrap import open_services
from runtime.systemd import notifying

log = logging.getLogger(__name__)

# Reasons for a failed start that a person can act on.
OBSTACLES: Final = (SettingsError, JournalError, PrefixInUse, KeyUnusable)
NOT_STARTED: Final = (
    "the service is not started, because its lifespan did not run: serve it with a server that supports lifespan "
    "(uvicorn or hypercorn, not daphne), or pass lifespan=server.app.lifespan to the application that mounts it"
)
WATCH_INTERVAL: Final = 0.25  # seconds between two looks at the listening sockets
OPEN_FILES: Final = "/dev/fd"  # one name for each open descriptor of this process; Linux, macOS, BSD


class ServerApplication:
    """The service as one ASGI application, which reads its settings, unless given, when its lifespan begins."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self._settings = settings
        self._application: Application | None = None  # while the lifespan runs, as the two below
        self._services: Services | None = None
        self._address: asyncio.Future[tuple[str, int | None]] | None = None  # where the server listens
        self._warned = False  # about a lifespan that did not run
        self._obstacle = ""  # reason for a failed start, in one line
        self._lifespan = Starlette(lifespan=self._standalone)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, self._in_one_line(send))
        elif self._application is None:
            await self._refuse(scope, receive, send)
        else:
            if self._address is not None and (server := scope.get("server")):  # the first request
                self._address.set_result(server)
                self._address = None
            scope.setdefault("state", {})["services"] = self._services
            await self._application(scope, receive, send)

    @contextlib.asynccontextmanager
    async def lifespan(self, host: object = None) -> AsyncIterator[dict[str, Services]]:
        """Open the services and close them; pass it as lifespan to the application that mounts this one."""
        settings = self._settings or read(ServerSettings)
        durations = Durations()
        async with contextlib.AsyncExitStack() as stack:
            services = await open_services(settings, durations, stack)
            for warning in services.warnings:
                log.warning("%s", warning)
            stack.enter_context(call_on_signal(services.hub.close))
            self._address = asyncio.get_running_loop().create_future()
            watch = asyncio.create_task(call_when_closed(self._address, services.hub.close))
            stack.push_async_callback(cancel_and_wait, watch)
            self._services = services
            self._application = Application(durations, VERSION, settings.allowed_hosts, settings.cors_origins)
            try:
                yield {"services": services}
            finally:
                self._application = self._services = self._address = None

    @contextlib.asynccontextmanager
    async def _standalone(self, _: Starlette) -> AsyncIterator[dict[str, Services]]:
        """Open the services in a process that is ours alone: with our logging, and systemd notified."""
        try:
            settings = self._settings or read(ServerSettings)
            logs.set_up_logging(settings.log_level, settings.app_env == "development")
            async with self.lifespan() as state, notifying():
                yield state
        except OBSTACLES as error:
            reason = "; ".join(error.mistakes) if isinstance(error, SettingsError) else str(error)
            self._obstacle = f"cannot start: {reason}"
            raise

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 with the sentence that names the missing setting, which is logged once."""
        if scope["type"] == "http":
            level = logging.DEBUG if self._warned else logging.ERROR
            self._warned = True
            await render(Problem(503, NOT_STARTED), scope, level)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1011, "reason": ""})

    def _in_one_line(self, send: Send) -> Send:
        """Return a send that replaces the traceback of a failed start by its reason, if a person can act on it."""

        async def send_lifespan(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and self._obstacle:
                message = {**message, "message": self._obstacle}
            await send(message)

        return send_lifespan


@contextlib.contextmanager
def call_on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Call stop at SIGTERM or SIGINT, before the server's own handler.

    A server ends the lifespan only after the last response, and a stream has no end of its own. The server's handler
    is installed when the lifespan begins. Only the main thread may handle signals; elsewhere nothing happens.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(stop)
        if callable(earlier := before[signal.Signals(number)]):
            earlier(number, frame)

    with contextlib.suppress(ValueError):  # not the main thread
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def call_when_closed(address: Awaitable[tuple[str, int | None]], stop: Callable[[], None]) -> None:
    """Call stop once the sockets that listen at an address are closed, and return.

    So the end is noticed where no signal comes, such as with uvicorn's --limit-max-requests. address: the server's in
    the scope of the first request. Return without calling stop if no such socket is found.
    """
    listeners = find_listeners(*await address)
    if not listeners:
        return
    while any(_inode(one) == inode for one, inode in listeners.items()):  # noqa: ASYNC110  closing raises no event
        await asyncio.sleep(WATCH_INTERVAL)
    stop()


def find_listeners(host: str, port: int | None) -> dict[int, int]:
    """Return the inodes of this process's listening sockets by descriptor. port: None for a Unix socket at host."""
    try:
        names = os.listdir(OPEN_FILES)
    except OSError:
        return {}
    descriptors = [int(name) for name in names if name.isdigit()]
    return {one: inode for one in descriptors if _listens(one, host, port) and (inode := _inode(one)) is not None}


def _listens(descriptor: int, host: str, port: int | None) -> bool:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as found:
        if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        name = found.getsockname()
        return bool(name == host if port is None else isinstance(name, tuple) and name[1] == port)
    return False


def _inode(descriptor: int) -> int | None:
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return None
