"""Noticing that the server stops: by its listening sockets."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from runtime.server_application import call_when_closed, find_listeners
from tests.support.eventually import eventually


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


async def known(address: tuple[str, int]) -> tuple[str, int | None]:
    """Return an address that is known already."""
    return address


def test_a_listening_socket_is_found_by_its_port(listener: socket.socket) -> None:
    """Connections of the same port and listeners of others are not taken for it."""
    host, port = listener.getsockname()
    with socket.create_connection((host, port)), socket.create_server((host, 0)):
        assert list(find_listeners(host, port)) == [listener.fileno()]


async def test_closing_the_listener_is_noticed(listener: socket.socket) -> None:
    """While it listens nothing happens."""
    calls: list[str] = []
    watch = asyncio.create_task(call_when_closed(known(listener.getsockname()), lambda: calls.append("stop")))
    await asyncio.sleep(0)
    assert calls == []
    assert not watch.done()
    listener.close()
    await eventually(lambda: calls == ["stop"])
    await watch


async def test_a_server_without_a_socket_of_its_own_is_not_watched() -> None:
    """No false stop where the listening socket is another process's."""
    await asyncio.wait_for(call_when_closed(known(("127.0.0.1", 1)), lambda: pytest.fail("stopped")), 5)
