"""Lifespan, app, main: the one module that knows all the others."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette

from cluster.errors import ClusterError
from commands import COMMANDS, run
from config.reader import SettingsError, add_flags, given, read
from config.settings import VERSION, ServerSettings
from journal.errors import JournalError
from kalshi.errors import KeyUnusable
from routes.application import Application
from routes.durations import Durations
from routes.prefix import PREFIX
from routes.services import Services
from runtime import logs
from runtime.bootstrap import open_services
from runtime.systemd import notifying
from streams.errors import StreamError
from streams.sse import SEND_BUFFER, UNACKNOWLEDGED_SECONDS

log = logging.getLogger(__name__)

OBSTACLES = (JournalError, ClusterError, StreamError, KeyUnusable)  # what keeps us from starting and a person can mend
BACKSTOP = 5  # seconds after which uvicorn cuts what the hub's farewell did not end


class Server(uvicorn.Server):
    """uvicorn, which says nothing of where it listens when the socket is given to it; port 0 would stay a riddle."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say it once it is true."""
        await super().startup(sockets)
        for listener in sockets or [] if self.started else []:
            host, port = listener.getsockname()[:2]
            log.info("serving http://%s:%s%s/", f"[{host}]" if ":" in host else host, port, PREFIX)


def create_app(settings: ServerSettings) -> Application:
    """Return the application with these settings; nothing is opened before its lifespan begins."""
    durations = Durations()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Services]]:
        logs.set_up_logging(settings.log_level, settings.app_env == "development")
        async with contextlib.AsyncExitStack() as stack:
            try:
                services = await open_services(settings, durations, stack)
            except OBSTACLES as error:
                app.obstacle = f"cannot start: {error}"
                raise
            for warning in services.warnings:
                log.warning("%s", warning)
            stack.enter_context(on_stop_signal(lambda: services.hub.close("shutdown")))
            await stack.enter_async_context(notifying())
            stack.enter_context(seldom_collected())
            yield {"services": services}

    app = Application(lifespan, durations, VERSION, settings.allowed_hosts, settings.cors_origins)
    return app


@contextlib.contextmanager
def on_stop_signal(farewell: Callable[[], None]) -> Iterator[None]:
    """Say farewell at the first SIGTERM or SIGINT, before uvicorn waits for the streams to end.

    uvicorn runs the lifespan's end only after the last response, and a stream has no end of its own. Its handler is
    installed already when the lifespan begins, so we go before it in the chain; main thread only, as signals are.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(farewell)
        if callable(earlier := before[signal.Signals(number)]):
            earlier(number, frame)

    try:
        for stop in (signal.SIGTERM, signal.SIGINT):
            before[stop] = signal.signal(stop, handle)
    except ValueError:
        pass  # not the main thread: a test's server, stopped in another way
    yield
    for stop, handler in before.items():
        signal.signal(stop, handler)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage in cycles ten times as seldom, and not in what is there from the start.

    Python looks after every 2 000 new objects, and a reader is a hundred that stay: a seventh of an accept went there.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def serve(settings: ServerSettings) -> None:
    """Serve until a signal. The socket is ours, so its send buffer bounds what a stalled reader holds in the kernel."""
    common: dict[str, Any] = {"log_config": None, "server_header": False, "timeout_graceful_shutdown": BACKSTOP}
    if settings.app_env == "development":
        # The reloader's child reads the settings anew, so what the flags said must be in its environment.
        os.environ.update(HOST=settings.host, PORT=str(settings.port))
        logs.set_up_logging(settings.log_level, True)  # for the reloader's own words
        uvicorn.run("server:app", host=settings.host, port=settings.port, reload=True, **common)
        return
    config = uvicorn.Config(create_app(settings), access_log=False, **common)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
        try:
            listener.bind((settings.host, settings.port))
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "no name of a host"
            raise SettingsError(
                [f"HOST={settings.host!r}, PORT={settings.port}: cannot listen there ({why})"]
            ) from None
        Server(config).run([listener])


def main(arguments: Sequence[str] | None = None) -> int:
    """`python server.py` serves; demo, check, doctor and journal are commands. The result is the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words and words[0] in COMMANDS:
            return run(words[0], words[1:])
        serve(read(ServerSettings, flags(words)))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def flags(words: Sequence[str]) -> dict[str, str]:
    """The settings that the command line gives; they win over the environment."""
    parser = argparse.ArgumentParser(
        prog="python server.py", description="Serves the API.", epilog=f"commands: {', '.join(COMMANDS)}"
    )
    add_flags(parser, ServerSettings, only=("host", "port"))
    return given(parser.parse_args(words))


def __getattr__(name: str) -> Any:
    """`uvicorn server:app` asks for app: made then, so that importing this module opens and reads nothing."""
    if name != "app":
        raise AttributeError(name)
    try:
        return create_app(read(ServerSettings))
    except SettingsError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
