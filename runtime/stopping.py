"""Notice that the server stops, by a signal or otherwise, before it waits for open streams."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

WATCH_INTERVAL: Final = 0.25  # seconds between two looks at the listening sockets
OPEN_FILES: Final = "/dev/fd"  # one name for each open descriptor of this process; Linux, macOS, BSD


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
