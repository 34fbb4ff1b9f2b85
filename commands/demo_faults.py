"""A few keys that pull each plug of the demo and put it back, so that anyone can watch it degrade and heal."""

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

HELP = """keys:  b  the bot dies / comes back        f  the bot freezes / thaws
       e  the exchange answers 500 / 200   p  trading pauses / goes on
       r  a field of the exchange is renamed / named right again
       q  end"""
# What the simulator is told, by key: its own words, see `GET /` of its control port.
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
    """Which plugs are out: faults by key, and whether the bot is frozen."""

    bot: DemoProcess
    session: aiohttp.ClientSession
    control: str  # URL of the simulator's control port
    token: str = field(repr=False)
    out: dict[str, int] = field(default_factory=dict)
    frozen: bool = False

    async def press(self, key: str) -> str:
        """Pull or put back what the key stands for; gives a line for people, empty for a key that does nothing."""
        if key == "b":
            return await self._kill_or_start()
        if key == "f" and self.bot.is_running:
            self.frozen = not self.frozen
            self.bot.signal(signal.SIGSTOP if self.frozen else signal.SIGCONT)
            return "the bot is frozen" if self.frozen else "the bot goes on"
        if key not in FAULTS:
            return ""
        try:
            return await self._toggle(key)
        except aiohttp.ClientError as error:
            return f"the simulator does not obey: {type(error).__name__}"

    async def _kill_or_start(self) -> str:
        if self.bot.is_running:
            self.bot.signal(signal.SIGKILL)
            return "the bot is dead"
        self.frozen = False
        await self.bot.start()
        return "the bot is started again"

    async def _toggle(self, key: str) -> str:
        words, fault = FAULTS[key]
        headers = {"Authorization": f"Bearer {self.token}"}
        if key in self.out:
            async with self.session.delete(f"{self.control}/faults/{self.out[key]}", headers=headers) as answer:
                answer.raise_for_status()
            del self.out[key]  # only now: one that could not be put back can be tried again
            return f"no more: {words}"
        async with self.session.post(f"{self.control}/faults", json=fault, headers=headers) as answer:
            answer.raise_for_status()
            self.out[key] = (await answer.json())["id"]
        return words


async def keys() -> AsyncGenerator[str, None]:
    """Keys as they are pressed; nothing when there is no terminal, or no longer."""
    if not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()
    pressed: asyncio.Queue[str] = asyncio.Queue()
    terminal = sys.stdin.fileno()

    def read() -> None:
        # not sys.stdin.read: what it keeps in its buffer the loop cannot see, and the second of two quick keys waits
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
        with contextlib.suppress(termios.error):  # a terminal that was closed has nothing to be set right
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
