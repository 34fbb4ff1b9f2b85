"""Coroutines run by hand up to their first wait: most ASGI calls never wait, and those need no task of their own."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


DONE: Final = object()


class Rest:
    """What is left of a coroutine that has begun to wait; whoever awaits it finishes the work."""

    __slots__ = ("_steps", "_waits_for")

    def __init__(self, steps: Generator[Any, Any, None], waits_for: object) -> None:
        self._steps = steps
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
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = self._steps.send(sent)
        except StopIteration:
            return
        finally:
            self._steps.close()

    def close(self) -> None:
        """Give up the rest of the work."""
        self._steps.close()


def begin(coroutine: Coroutine[Any, Any, None]) -> Rest | None:
    """Run it up to its first wait; None when it had none and is done. Its exceptions come through."""
    steps = coroutine.__await__()
    waits_for = next(steps, DONE)  # asked so, its end is no exception that is made and caught
    return None if waits_for is DONE else Rest(steps, waits_for)
