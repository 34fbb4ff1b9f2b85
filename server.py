"""Lifespan, app, main: the one module that knows all the others."""

import argparse
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
from routes.prefix import PREFIX
from runtime import logs
from runtime.server_application import ServerApplication
from streams.sse import SEND_BUFFER, UNACKNOWLEDGED_SECONDS

log = logging.getLogger(__name__)

app = ServerApplication()  # for `uvicorn server:app` and for applications that mount it

BACKSTOP = 5  # seconds after which uvicorn cuts what the hub's farewell did not end


class Server(uvicorn.Server):
    """uvicorn, which says nothing of where it listens when the socket is given to it; port 0 would stay a riddle."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say it once it is true."""
        await super().startup(sockets)
        for listener in sockets or [] if self.started else []:
            host, port = listener.getsockname()[:2]
            log.info("serving http://%s:%s%s/", f"[{host}]" if ":" in host else host, port, PREFIX)


def serve(settings: ServerSettings) -> None:
    """Serve until a signal. The socket is ours, so its send buffer bounds what a stalled reader holds in the kernel."""
    common: dict[str, Any] = {"log_config": None, "server_header": False, "timeout_graceful_shutdown": BACKSTOP}
    if settings.app_env == "development":
        # The reloader's child reads the settings anew, so what the flags said must be in its environment.
        os.environ.update(HOST=settings.host, PORT=str(settings.port))
        logs.set_up_logging(settings.log_level, True)  # for the reloader's own words
        uvicorn.run("server:app", host=settings.host, port=settings.port, reload=True, **common)
        return
    config = uvicorn.Config(ServerApplication(settings), access_log=False, **common)
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


if __name__ == "__main__":
    sys.exit(main())
