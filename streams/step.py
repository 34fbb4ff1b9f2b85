"""Coroutines run by hand up to their first wait: most ASGI calls never wait, and those need no task of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Rest:
    """What is left of a coroutine that has begun to wait; whoever awaits it finishes the work."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: object) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001  a cancellation belongs to the coroutine inside
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(sent)
        except StopIteration:
            return
        finally:
            self._coroutine.close()

    def close(self) -> None:
        """Give up the rest of the work."""
        self._coroutine.close()


def begin(coroutine: Coroutine[Any, Any, None]) -> Rest | None:
    """Run it up to its first wait; None when it had none and is done. Its exceptions come through."""
    try:
        return Rest(coroutine, coroutine.send(None))
    except StopIteration:
        return None


class Watch:
    """Tells when the reader has gone, by receive(), without a task: 1 KB and a switch less per reader.

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
