"""The faults that all clients are driven through at once, and the events that each of them received."""

import asyncio
import contextlib
import json
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.clients.catalogue import Client
from tests.clients.stage import Stage, browser, wait_for
from tests.support.fakebot import FakeBot

WITHIN: Final = 45.0  # seconds for the slowest client to be whole again
CUTS: Final = 10


@dataclass(slots=True)
class Received:
    """The events of one client, in the order in which it reported them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    exited: bool = False  # the client's process has ended
    log: str = ""  # the end of what it wrote to stderr

    @property
    def ids(self) -> list[str]:
        """The trade_id of every trade."""
        trades = [json.loads(one["data"])["trades"] for one in self.events if one["event"] == "new_trades"]
        return [trade["trade_id"] for page in trades for trade in page]

    def named(self, name: str) -> list[Any]:
        """The data of the events of one name."""
        return [json.loads(one["data"]) for one in self.events if one["event"] == name]


@dataclass(slots=True)
class Outcome:
    """Trades made before the journal was replaced and after it; events by client; bytes of all streams."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    received: dict[str, Received] = field(default_factory=dict)
    before_reset: dict[str, list[str]] = field(default_factory=dict)  # ids of each client
    transcript: bytes = b""

    @property
    def running(self) -> list[Received]:
        """Return the events of each client whose process runs."""
        return [one for one in self.received.values() if not one.exited]

    def are_open(self, stage: Stage) -> bool:
        """Return True if every running client has its stream."""
        return stage.open_streams >= len(self.running)


async def run(clients: Sequence[Client], seed: int = 0) -> Outcome:
    """Drive all clients through cuts, kill -9, a deploy and a replaced journal."""
    draw = random.Random(seed)
    outcome = Outcome(received={client.name: Received() for client in clients})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, FakeBot(mode="live") as bot:
        stage = Stage(Path(name), bot, lambda client, event: outcome.received[client].events.append(event))
        async with stage.running(), started(clients, stage, outcome):
            await wait_for(lambda: all(one.events for one in outcome.running), 2 * WITHIN)
            stage.cut()  # before the first trade
            await publish(stage, outcome, 5)
            for _ in range(CUTS):
                await wait_for(lambda: outcome.are_open(stage), WITHIN)
                await publish(stage, outcome, draw.randint(1, 3), wait=False)
                await asyncio.sleep(draw.uniform(0, 0.5))
                stage.cut()
            await publish(stage, outcome, 1)
            stage.kill()
            outcome.before += bot.trade(2)
            await stage.start()
            await publish(stage, outcome, 1)
            await wait_for(lambda: outcome.are_open(stage), WITHIN)
            await stage.stop()
            outcome.before += bot.trade(2)
            await stage.start()
            await publish(stage, outcome, 1)
            await stage.stop()
            outcome.before_reset = {name: one.ids for name, one in outcome.received.items()}
            stage.forget()
            await stage.start()
            await wait_for(lambda: all(one.named("reset") for one in outcome.running), WITHIN)
            await publish(stage, outcome, 2, reset=True)
        outcome.transcript = b"".join(stage.transcript)
    return outcome


async def publish(stage: Stage, outcome: Outcome, count: int, wait: bool = True, reset: bool = False) -> None:
    """Trade, and wait until every client has everything or the time is over."""
    ids = outcome.after if reset else outcome.before
    ids += stage.bot.trade(count)
    if wait:
        await wait_for(lambda: all(set(ids) <= set(one.ids) for one in outcome.running), WITHIN)


@contextlib.asynccontextmanager
async def started(clients: Sequence[Client], stage: Stage, outcome: Outcome) -> AsyncIterator[None]:
    """Start every client and end it."""
    async with contextlib.AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(process(client, stage, outcome.received[client.name]))
        yield


@contextlib.asynccontextmanager
async def process(client: Client, stage: Stage, received: Received) -> AsyncIterator[None]:
    """Run one client; what it prints is stored."""
    command = [stage.url if word == "URL" else word for word in client.command]
    if client.page:
        page = f"http://127.0.0.1:{stage.port}/client/client.html?{client.name}"
        command = browser(command, page, stage.folder)
    with (stage.folder / f"{client.name}.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True, limit=1 << 20
        )
    reading = asyncio.create_task(_read(running, received))
    try:
        yield
    finally:
        exited = received.exited
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
        await reading
        received.exited = exited  # by itself, not by us
        received.log = (stage.folder / f"{client.name}.log").read_text(errors="replace")[-1000:]


async def _read(running: asyncio.subprocess.Process, received: Received) -> None:
    assert running.stdout is not None
    async for line in running.stdout:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                received.events.append(event)
    received.exited = True
