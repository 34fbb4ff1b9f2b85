"""Coroutines run by hand: done at once, finished later, cancelled, and the watch for a reader that leaves."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from streams.step import Watch, begin


async def test_what_never_waits_is_done_at_once() -> None:
    """No task, no turn of the loop."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    assert begin(work()) is None
    assert done == [1]


async def test_the_rest_is_finished_by_who_awaits_it() -> None:
    """Through several waits, by a future, a sleep and a bare turn of the loop."""
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[str] = []

    async def work() -> None:
        await gate
        seen.append("gate")
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        seen.append("end")

    rest = begin(work())
    assert rest is not None
    gate.set_result(None)
    await rest
    assert seen == ["gate", "end"]


async def test_an_error_comes_through() -> None:
    """At the first step, and later."""

    async def at_once() -> None:
        raise OSError("now")

    async def later() -> None:
        await asyncio.sleep(0)
        raise OSError("later")

    with pytest.raises(OSError, match="now"):
        begin(at_once())
    rest = begin(later())
    assert rest is not None
    with pytest.raises(OSError, match="later"):
        await rest


async def test_a_cancellation_reaches_the_coroutine() -> None:
    """A limit around the rest ends the work inside, which cleans up."""
    cleaned: list[int] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.append(1)

    rest = begin(work())
    assert rest is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rest
    assert cleaned == [1]


async def test_closing_gives_up_the_rest() -> None:
    """Cleanup runs, nothing else."""
    cleaned: list[int] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(1)

    rest = begin(work())
    assert rest is not None
    rest.close()
    assert cleaned == [1]


class Server:
    """A server's receive(): the request at once, the disconnect when told."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.asked = 0

    async def receive(self) -> MutableMapping[str, Any]:
        """As ASGI's."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_watch_tells_when_the_reader_leaves() -> None:
    """Once, without a task of its own."""
    server, told = Server(), list[int]()
    tasks = asyncio.all_tasks()
    watch = Watch(server.receive, lambda: told.append(1))
    watch.step()
    await asyncio.sleep(0.01)
    assert told == []
    assert asyncio.all_tasks() == tasks
    server.gone.set()
    await asyncio.sleep(0.01)
    assert told == [1]
    watch.close()


async def test_a_closed_watch_is_silent() -> None:
    """After close nothing is told, whatever the server does."""
    server, told = Server(), list[int]()
    watch = Watch(server.receive, lambda: told.append(1))
    watch.step()
    await asyncio.sleep(0.01)
    watch.close()
    server.gone.set()
    await asyncio.sleep(0.01)
    assert told == []


async def test_a_receive_that_needs_its_own_task_is_left_alone() -> None:
    """Then nobody watches, and the stream goes on."""

    async def receive() -> MutableMapping[str, Any]:
        raise RuntimeError("no task")

    watch = Watch(receive, lambda: pytest.fail("told"))
    watch.step()
    watch.close()
