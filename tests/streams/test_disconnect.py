"""A reader that leaves is noticed without a task."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from streams.disconnect import DisconnectListener


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


async def test_it_tells_when_the_reader_leaves() -> None:
    """Once, without a task of its own."""
    server, told = Server(), list[int]()
    tasks = asyncio.all_tasks()
    departure = DisconnectListener(server.receive, lambda: told.append(1))
    departure.step()
    await asyncio.sleep(0.01)
    assert told == []
    assert asyncio.all_tasks() == tasks
    server.gone.set()
    await asyncio.sleep(0.01)
    assert told == [1]
    departure.close()


async def test_once_closed_it_is_silent() -> None:
    """After close nothing is told, whatever the server does."""
    server, told = Server(), list[int]()
    departure = DisconnectListener(server.receive, lambda: told.append(1))
    departure.step()
    await asyncio.sleep(0.01)
    departure.close()
    server.gone.set()
    await asyncio.sleep(0.01)
    assert told == []


async def test_a_receive_that_needs_its_own_task_is_left_alone() -> None:
    """Then nobody watches, and the stream goes on."""

    async def receive() -> MutableMapping[str, Any]:
        raise RuntimeError("no task")

    departure = DisconnectListener(receive, lambda: pytest.fail("told"))
    departure.step()
    departure.close()
