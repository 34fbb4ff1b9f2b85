"""The command line: serve, or run a command; and `app` for ASGI servers."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn

from commands import COMMANDS, run
from config.reader import SettingsError, add_flags, given, read
from config.settings import ServerSettings
from kalshi.environments import is_loopback
from routes.context import PREFIX
from runtime import logs
from runtime.http_limits import LimitedHttpProtocol
from runtime.server_application import ServerApplication
from streams.sse import SEND_BUFFER, UNACKNOWLEDGED_SECONDS

log = logging.getLogger(__name__)

app = ServerApplication()  # for `uvicorn server:app` and for applications that mount it

BACKSTOP = 5  # seconds after which uvicorn cuts what the hub's farewell did not end
UNSENT_SECONDS = 0.8  # that a client gets to take what is written when the server stops


class Server(uvicorn.Server):
    """uvicorn that logs its address, with the real port, and that does not wait for clients which read nothing."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then log the address."""
        await super().startup(sockets)
        for listener in sockets or [] if self.started else []:
            host, port = listener.getsockname()[:2]
            log.info("serving http://%s:%s%s/", f"[{host}]" if ":" in host else host, port, PREFIX)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; a transport that is closed waits for its client without a limit, so its bytes are dropped."""
        timer = asyncio.get_running_loop().call_later(UNSENT_SECONDS, self._abort_unsent)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()

    def _abort_unsent(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, LimitedHttpProtocol):
                connection.abort_unsent()


def serve(settings: ServerSettings) -> None:
    """Serve until a signal. Raises SettingsError for an address that cannot be used or must not be public."""
    refuse_public_access(settings)
    common: dict[str, Any] = {"log_config": None, "server_header": False, "timeout_graceful_shutdown": BACKSTOP}
    if settings.app_env == "development":
        # The reloader's child reads the settings anew, so its environment must hold what the flags set.
        os.environ.update(HOST=settings.host, PORT=str(settings.port))
        logs.set_up_logging(settings.log_level, True)  # for the reloader itself
        uvicorn.run("server:app", host=settings.host, port=settings.port, reload=True, **common)
        return
    config = uvicorn.Config(ServerApplication(settings), access_log=False, http=LimitedHttpProtocol, **common)
    with listening_socket(settings.host, settings.port) as listener:
        Server(config).run([listener])


def refuse_public_access(settings: ServerSettings) -> None:
    """Raise SettingsError for an address beyond loopback without access control, unless ALLOW_PUBLIC says yes."""
    if is_loopback(settings.host) or settings.has_access_control or settings.allow_public:
        return
    mistake = "expected a loopback address, or API_TOKEN or AUTH beside it, or ALLOW_PUBLIC=yes for public data"
    raise SettingsError([f"HOST: {mistake}, got {settings.host!r}"])


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket whose options bound what a stalled reader holds in the kernel. Raises SettingsError."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "not the name of a host"
        raise SettingsError([f"HOST={host!r}, PORT={port}: cannot listen there ({why})"]) from None
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, or run the command that comes first; return the exit status."""
    logs.open_standard_streams()
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
    """Return the settings on the command line; they win over the environment. Exits with 2 for other words."""
    listed = ", ".join(COMMANDS)
    parser = argparse.ArgumentParser(
        prog="python server.py",
        usage="python server.py [--host HOST] [--port PORT] | COMMAND [--help]",
        description="Serve the API, or run a command.",
        epilog=f"commands: {listed}; all settings: docs/settings.md",
    )
    add_flags(parser, ServerSettings, only=("host", "port"))
    found, others = parser.parse_known_args(words)
    if others:
        parser.error(f"expected a command ({listed}), got {others[0]!r}")
    return given(found)


if __name__ == "__main__":
    sys.exit(main())
