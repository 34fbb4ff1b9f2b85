"""Coroutines run by hand up to their first wait: most ASGI calls never wait, and those need no task of their own."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


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
