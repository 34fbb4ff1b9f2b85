"""Notifications to systemd: ready, alive, stopping. Nothing is sent where systemd does not listen."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator

log = logging.getLogger(__name__)


def notify(state: str) -> bool:
    """Send a state such as READY=1 to the service manager (man sd_notify); return True if it was sent."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # a name in Linux' abstract space is written with @ and meant with NUL
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)  # a manager that does not read must not hold up the loop
            line.sendto(state.encode(), address)
    except OSError as error:
        log.warning("cannot send %s to systemd: %s", state, error)
        return False
    return True


def watchdog_interval() -> float | None:
    """Return the seconds between two watchdog messages, half of systemd's limit; None without a limit."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000


@contextlib.asynccontextmanager
async def notifying() -> AsyncIterator[None]:
    """Send READY=1, then WATCHDOG=1 while the event loop runs, and STOPPING=1 at the end."""
    notify("READY=1")
    interval = watchdog_interval()
    # the watchdog is a task of the loop on purpose: a loop that hangs sends nothing and is restarted
    task = asyncio.create_task(_watchdog(interval), name="systemd watchdog") if interval else None
    try:
        yield
    finally:
        notify("STOPPING=1")
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _watchdog(interval: float) -> None:
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)
