"""Keys that cause a fault in the demo and end it, to watch the service degrade and recover."""

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from commands.demo_process import DemoProcess

HELP = """keys:  b  kill / start the bot                  f  freeze / continue the bot
       e  the exchange answers 500 / 200      p  trading is paused / active
       r  a field of the exchange is renamed / restored
       h  show these keys                     q  quit"""
# The simulator's faults by key; `GET /` of its control port lists them.
FAULTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "e": ("the exchange answers 500", {"kind": "error", "status": 500}),
    "p": ("trading is paused", {"kind": "trading_pause"}),
    "r": (
        "balance_dollars is renamed",
        {"kind": "field", "op": "rename", "field": "balance_dollars", "to": "balance_usd"},
    ),
}


@dataclass(slots=True)
class DemoFaults:
    """Faults that are active now, by key. frozen: the bot is stopped by SIGSTOP."""

    bot: DemoProcess
    session: aiohttp.ClientSession
    control: str  # URL of the simulator's control port
    token: str = field(repr=False)
    active: dict[str, int] = field(default_factory=dict)
    frozen: bool = False

    async def press(self, key: str) -> str:
        """Toggle the fault of a key and return a line for the user, "" for a key without a fault."""
        if key in ("h", "?"):
            return HELP
        if key == "b":
            return await self._kill_or_start()
        if key == "f" and self.bot.is_running:
            self.frozen = not self.frozen
            self.bot.signal(signal.SIGSTOP if self.frozen else signal.SIGCONT)
            return "the bot is frozen" if self.frozen else "the bot continues"
        if key not in FAULTS:
            return ""
        try:
            return await self._toggle(key)
        except aiohttp.ClientError as error:
            return f"the simulator did not take the fault ({type(error).__name__}); press {key} again"

    async def _kill_or_start(self) -> str:
        if self.bot.is_running:
            self.bot.signal(signal.SIGKILL)
            return "the bot is killed"
        self.frozen = False
        await self.bot.start()
        return "the bot is started"

    async def _toggle(self, key: str) -> str:
        words, fault = FAULTS[key]
        headers = {"Authorization": f"Bearer {self.token}"}
        if key in self.active:
            async with self.session.delete(f"{self.control}/faults/{self.active[key]}", headers=headers) as answer:
                answer.raise_for_status()
            del self.active[key]  # after the call, so that a failed one can be repeated
            return f"ended: {words}"
        async with self.session.post(f"{self.control}/faults", json=fault, headers=headers) as answer:
            answer.raise_for_status()
            self.active[key] = (await answer.json())["id"]
        return words


async def keys() -> AsyncGenerator[str, None]:
    """Yield keys as they are pressed until the terminal is closed; nothing without a terminal."""
    if not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()
    pressed: asyncio.Queue[str] = asyncio.Queue()
    terminal = sys.stdin.fileno()

    def read() -> None:
        # os.read, because sys.stdin buffers: the loop would not see the second of two quick keys
        try:
            some = os.read(terminal, 64).decode(errors="ignore")
        except OSError:
            some = ""
        for key in some or [""]:
            pressed.put_nowait(key)

    with _single_keys():
        loop.add_reader(terminal, read)
        try:
            while key := await pressed.get():
                yield key
        finally:
            loop.remove_reader(terminal)


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal was closed
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
