"""How we hear that a reader has left, without a task that waits for it."""

import asyncio
from collections.abc import Callable

from streams.step import Receive


class DisconnectListener:
    """Tells when the reader has gone, by receive(), with no task of its own: 1 KB and a switch less per reader.

    Each future that receive() waits for calls the next step. A server whose receive() insists on a task of its
    own raises RuntimeError there; then nobody watches, and the next write finds out.
    """

    __slots__ = ("_closed", "_coroutine", "_gone")

    def __init__(self, receive: Receive, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._closed = False
        self._coroutine = _until_gone(receive)

    def step(self, _: object = None) -> None:
        """Go on until the next wait; call gone at the end."""
        if self._closed:
            return
        try:
            waits_for = self._coroutine.send(None)
        except StopIteration:
            self._closed = True
            self._gone()
        except (RuntimeError, OSError):
            self._closed = True
        else:
            if isinstance(waits_for, asyncio.Future):
                waits_for.add_done_callback(self.step)
            else:  # a bare yield: let the loop turn once
                asyncio.get_running_loop().call_soon(self.step)

    def close(self) -> None:
        """Stop watching; gone is not called any more."""
        self._closed = True
        self._coroutine.close()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
