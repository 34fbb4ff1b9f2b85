"""scripts/attack: every attack against a server of our own, and through Apache; prints what held."""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.attack.attacks import ATTACKS, Attack, run_attack
from tests.attack.honest import HonestClient, Target
from tests.support.apache import HOST, apache
from tests.support.fakebot import FakeBot
from tests.support.service import ROOT, Service

IDLE = 0.05  # seconds that no request takes on a machine that is idle enough to judge times
LARGEST_LOG = 200_000  # bytes
EACH_CONNECTION = 64 * 1024  # bytes that one connection may cost


def main() -> int:
    """Attack, print a line for each attack, and return 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="scripts/attack", description=__doc__)
    parser.add_argument("--only", choices=[attack.name for attack in ATTACKS], help="this attack alone (default all)")
    parser.add_argument("--direct", action="store_true", help="not through Apache (default: both)")
    parser.add_argument(
        "--port",
        type=int,
        help="a deployment of yours on this port of 127.0.0.1 instead, called localhost, with API_TOKEN",
    )
    given = parser.parse_args()
    chosen = [attack for attack in ATTACKS if given.only in (None, attack.name)]
    if given.port is not None:
        target = Target("port", given.port, "localhost", os.environ.get("API_TOKEN", ""))
        return asyncio.run(run_deployed(chosen, target))
    return asyncio.run(run(chosen, through_apache=not given.direct and shutil.which("apache2") is not None))


async def run_deployed(chosen: list[Attack], target: Target) -> int:
    """Attack a deployment, whose bot and memory are out of reach: REST alone is timed. Return 1 if one did not hold."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        judged = await baseline(target, None)
        broken = sum([await attacked(attack, target, None, None, pool, judged) for attack in chosen])
    return summary(broken, len(chosen))


def summary(broken: int, tried: int) -> int:
    """Print the result and return the exit status."""
    print(f"\n{broken} of {tried} did not hold" if broken else "\neverything held")
    return 1 if broken else 0


async def run(chosen: list[Attack], through_apache: bool) -> int:
    """Run the attacks against both targets; return 1 if something did not hold."""
    broken = 0
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        os.chmod(folder, 0o755)
        async with site(Path(folder), through_apache) as (bot, service, targets):
            for target in targets:
                judged = await baseline(target, bot)
                for attack in chosen:
                    broken += await attacked(attack, target, bot, service, pool, judged)
            text = (Path(folder) / "server.log").read_text(errors="replace")
            if "Traceback" in text or len(text) > LARGEST_LOG:
                broken += 1
                print(f"BROKEN  log: {len(text)} bytes, {text.count('Traceback')} tracebacks")
    return summary(broken, len(chosen) * len(targets))


@contextlib.asynccontextmanager
async def site(folder: Path, through_apache: bool) -> AsyncIterator[tuple[FakeBot, Service, list[Target]]]:
    """Run a bot, a server with a token, and Apache in front of it."""
    token = secrets.token_hex(16)
    async with FakeBot("live", trades=50).serving() as bot, contextlib.AsyncExitStack() as stack:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            **bot.settings, "BOT_POLL_INTERVAL": "0.2", "JOURNAL_URL": f"sqlite:///{folder}/journal.db",
            "API_TOKEN": token, "ALLOWED_HOSTS": f"{HOST},localhost", "MAX_STREAMS": "200",
            "KALSHI_API_URL": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        command = ["-c", STARTER.format(log=folder / "server.log", server=ROOT / "server.py"), "--port", "{port}"]
        service = await stack.enter_async_context(Service(command, environment, folder))
        targets = [Target("direct", service.port, f"localhost:{service.port}", token)]
        if through_apache:
            front = await stack.enter_async_context(apache({"PI_BACKEND": service.address, "PI_SPRING": "127.0.0.1:9"}))
            targets.append(Target("Apache", front.port, HOST, token))
        yield bot, service, targets


STARTER = (
    "import os, sys; log = os.open('{log}', os.O_CREAT | os.O_APPEND | os.O_WRONLY); os.dup2(log, 2); os.dup2(log, 1); "
    "os.execv(sys.executable, [sys.executable, '{server}', *sys.argv[1:]])"
)


async def baseline(target: Target, bot: FakeBot | None) -> bool:
    """Time the honest client alone. Return False if this machine is too busy for times to say anything."""
    async with honest_client(target, bot) as client:
        await asyncio.sleep(4)
    figures, found = client.result(judged=True)
    idle = not found and max(client.rest, default=1.0) < IDLE
    print(f"-       {target.name:7} no attack         {figures}{'' if idle else ': too busy here to judge times'}")
    return idle


async def attacked(
    attack: Attack,
    target: Target,
    bot: FakeBot | None,
    service: Service | None,
    pool: ProcessPoolExecutor,
    judged: bool,
) -> bool:
    """Run one attack, in a process of its own, beside an honest client. Print the line; return True if it broke."""
    async with honest_client(target, bot) as client:
        await asyncio.sleep(1)
        before = memory(service)
        running = asyncio.get_running_loop().run_in_executor(pool, run_attack, attack.name, target)
        most = before
        while not (await asyncio.wait([running], timeout=0.2))[0]:
            most = max(most, memory(service))
        found = await running
        await asyncio.sleep(1.5)
    figures, late = client.result(judged)
    grown = most - before
    figures += f", {grown / target.idle / 1024:3.0f} KB a connection"
    large = f"memory grew by {grown >> 20} MB" if grown > target.idle * EACH_CONNECTION else ""
    broken = "; ".join(filter(None, [found.strip(), late, large]))
    word = "BROKEN" if broken else "held"
    print(f"{word:7} {target.name:7} {attack.name:17} {figures}: {broken or attack.promise}", flush=True)
    return bool(broken)


@contextlib.asynccontextmanager
async def honest_client(target: Target, bot: FakeBot | None) -> AsyncIterator[HonestClient]:
    """Run an honest reader and an honest REST client, and let the bot trade."""
    client = HonestClient(target)
    tasks = [asyncio.create_task(work) for work in (client.read_stream(), client.ask(), trade(bot, client))]
    try:
        yield client
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def trade(bot: FakeBot | None, client: HonestClient) -> None:
    """Let the bot, if there is one, trade five times a second."""
    while bot is not None:
        for name in bot.trade():
            client.made[name] = time.monotonic()
        await asyncio.sleep(0.2)


def memory(service: Service | None) -> int:
    """Return the resident bytes of the server; 0 without one, and where /proc does not exist."""
    process = service.process if service else None
    try:
        pages = Path(f"/proc/{process.pid if process else 0}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main())
