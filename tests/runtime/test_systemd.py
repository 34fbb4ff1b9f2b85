"""Messages to systemd, on a real datagram socket."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.systemd import notify, notifying, watchdog_interval


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager's end of the line; its address is in the environment."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@pi-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(name.replace("@", "\0"))
        line.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        yield line


def received(manager: socket.socket) -> list[str]:
    """Everything received so far."""
    messages = []
    while True:
        try:
            messages.append(manager.recv(100).decode())
        except BlockingIOError:
            return messages


async def test_ready_alive_stopping(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY first, WATCHDOG at half the watchdog's term, STOPPING last."""
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    async with notifying():
        await asyncio.sleep(0.18)
    seen = received(manager)
    assert seen[0] == "READY=1"
    assert seen[-1] == "STOPPING=1"
    assert 3 <= seen.count("WATCHDOG=1") <= 5


async def test_a_hanging_loop_sends_no_watchdog_message(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message comes from the loop itself, so systemd notices a loop that hangs."""
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    async with notifying():
        await asyncio.sleep(0.03)
        received(manager)
        time.sleep(0.1)  # noqa: ASYNC251  the hang that is meant
        assert received(manager) == []


async def test_no_watchdog_is_configured(manager: socket.socket) -> None:
    """Without a watchdog there is READY and STOPPING alone."""
    async with notifying():
        await asyncio.sleep(0.01)
    assert received(manager) == ["READY=1", "STOPPING=1"]


def test_the_watchdog_of_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog meant for our parent is not ours to feed."""
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert watchdog_interval() is None
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog_interval() == 0.05


@pytest.mark.parametrize("address", ["", "/nowhere/notify"], ids=["not asked", "gone"])
def test_no_systemd(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Without systemd, or with its socket gone, nothing fails."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert notify("READY=1") is False
