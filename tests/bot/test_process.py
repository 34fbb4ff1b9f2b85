"""Tests of the bot as a process on a simulated exchange: it trades, obeys commands, stops cleanly, survives kill -9."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.simulator import ROOT, Simulator, running_simulator
from tests.support.trading import D
from tests.support.venues import client

TOKEN = "0123456789abcdef"
pytestmark = pytest.mark.timeout(300)


@dataclass
class Process:
    """A running bot."""

    popen: subprocess.Popen[bytes]
    url: str
    log: Path

    async def get(self, path: str) -> Any:
        """A JSON answer."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return await response.json()

    async def post(self, path: str) -> Any:
        """A command with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession() as session, session.post(self.url + path, headers=headers) as response:
            assert response.status == 200
            return await response.json()

    async def traded(self, count: int, within: float = 60.0) -> Any:
        """The status once there are so many trades."""

        async def enough() -> Any:
            status = await self.get("/status")
            return status if status["trades"] >= count else None

        return await eventually(enough, within=within, every=0.1)


def started_bot(simulator: Simulator, folder: Path, *flags: str, **more: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a bot with the simulator's account. Return its process and its log."""
    log = folder / f"bot-{time.monotonic_ns()}.log"
    environ = {
        **os.environ, "KALSHI_API_URL": simulator.url, "KALSHI_API_KEY": "demo-rsa",
        "KALSHI_RSA_KEY_PATH": str(simulator.keys["demo-rsa"]), "BOT_TOKEN": TOKEN, "BOT_INTERVAL": "0.3",
        "BOT_STATE_FILE": str(folder / "state.json"), **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "bot", "--port", "0", *flags]
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output), log


@contextmanager
def running_bot(simulator: Simulator, folder: Path, *flags: str, **more: str) -> Iterator[Process]:
    """A bot that answers; its log names its port."""
    popen, log = started_bot(simulator, folder, *flags, **more)
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"at (http://127\.0\.0\.1:\d+)", log.read_text())):
            assert popen.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Process(popen, found[1], log)
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                popen.wait(60)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()


def refused_bot(simulator: Simulator, folder: Path, *flags: str, **more: str) -> tuple[int, str]:
    """Return the exit code and the log of a bot that ends by itself."""
    popen, log = started_bot(simulator, folder, *flags, **more)
    try:
        return popen.wait(60), log.read_text()
    finally:
        popen.kill()
        popen.wait()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("keys")
    with running_simulator(folder, "--tier", "prime", quiet=False) as running:
        yield running


async def resting(simulator: Simulator) -> list[str]:
    """Return the client ids of resting orders at the exchange."""
    async with aiohttp.ClientSession() as session:
        page = await client(session, simulator).orders("resting", limit=1000)
        return [order.client_order_id for order in page.rows]


@pytest.mark.parametrize("flags", [["--live"], pytest.param([], marks=pytest.mark.slow)], ids=["live", "paper"])
async def test_the_bot_trades_and_stops_cleanly(simulator: Simulator, tmp_path: Path, flags: list[str]) -> None:
    """It trades; SIGTERM cancels its orders and ends it with code 0."""
    with running_bot(simulator, tmp_path, *flags) as bot:
        status = await bot.traded(1)
        assert status["mode"] == ("demo" if flags else "paper")
        assert status["loop_age"] >= 0
        assert status["status"] == "running"
        [trade] = (await bot.get("/trades?limit=1"))["trades"]
        assert {"timestamp", "ticker", "side", "quantity", "price", "trade_id"} <= trade.keys()
        begun = time.monotonic()
        bot.popen.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(bot.popen.wait, 60) == 0
        assert time.monotonic() - begun < 30
    assert await resting(simulator) == []


async def test_halt_pause_and_resume_are_obeyed_and_a_halt_survives_a_restart(
    simulator: Simulator, tmp_path: Path
) -> None:
    """Halt leaves nothing resting and stays over a restart, until it is cleared."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(1)
        assert (await bot.post("/pause"))["paused"]
        assert not (await bot.post("/resume"))["paused"]
        assert (await bot.post("/halt"))["resting"] == 0
        assert await resting(simulator) == []
        trades = (await bot.get("/status"))["trades"]
    with running_bot(simulator, tmp_path, "--live") as bot:
        await eventually(lambda: _is(bot, "halted"), within=60)
        assert (await bot.get("/status"))["halts"][0]["name"] == "person"
        assert (await bot.post("/clear"))["halted"] is False
        await bot.traded(1)
    assert trades >= 1


async def test_a_killed_bot_comes_back_with_the_exchange_s_positions(simulator: Simulator, tmp_path: Path) -> None:
    """After kill -9 the next run cancels what rested, and its positions are those of the exchange."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(2, within=60)
        await eventually(lambda: _rests(simulator), within=60, every=0.1)
        bot.popen.kill()
        bot.popen.wait()
    before = await _rests(simulator)
    await asyncio.sleep(1)  # others go on trading against the orders
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=60)
        assert not before & await _rests(simulator)
        status = await bot.get("/status")
        assert status["halts"] == []
    kept = json.loads(await asyncio.to_thread((tmp_path / "state.json").read_text))
    theirs = {r["ticker"]: D(r["position_fp"]) for r in simulator.ledger()["positions"] if D(r["position_fp"])}
    account = {ticker: D(quantity) for ticker, quantity in kept["account"]["positions"].items()}
    assert account == theirs


async def test_an_unexplained_position_halts_until_it_is_cleared(simulator: Simulator, tmp_path: Path) -> None:
    """The halt names the difference; clear accepts the exchange's positions, once they can be read."""
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=60)
    kept = json.loads(await asyncio.to_thread((tmp_path / "state.json").read_text))
    kept["account"]["positions"]["KXLOST"] = "7"
    await asyncio.to_thread((tmp_path / "state.json").write_text, json.dumps(kept))
    with running_bot(simulator, tmp_path, "--live") as bot:
        await eventually(lambda: _is(bot, "halted"), within=60)
        [halt] = (await bot.get("/status"))["halts"]
        assert (halt["name"], "KXLOST: our fills say 7, the exchange 0" in halt["why"]) == ("reconcile", True)
        assert await resting(simulator) == []
        simulator.fault("error", status=500, path="*/portfolio/positions*")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession() as session, session.post(bot.url + "/clear", headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert (await bot.get("/status"))["halted"]
        simulator.clear()

        async def cleared() -> bool:
            async with aiohttp.ClientSession() as session, session.post(bot.url + "/clear", headers=headers) as answer:
                return answer.status == 200

        await eventually(cleared, within=60, every=0.3)
        await bot.traded(1)
        assert not (await bot.get("/status"))["halted"]


@contextmanager
def silenced(simulator: Simulator) -> Iterator[None]:
    """The exchange accepts connections and answers nothing."""
    os.kill(simulator.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(simulator.pid, signal.SIGCONT)


@pytest.mark.parametrize("signals", [1, 2])
async def test_the_bot_ends_soon_without_an_answer_of_the_exchange(
    simulator: Simulator, tmp_path: Path, signals: int
) -> None:
    """The log names what may still rest; a second signal ends it without waiting."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(1)
        await eventually(lambda: _rests(simulator), within=60, every=0.1)
        await eventually(lambda: _resting(bot), within=60)
        with silenced(simulator):
            await asyncio.sleep(0.7)  # a turn waits for an answer that does not come
            begun = time.monotonic()
            for number in range(signals):
                await asyncio.sleep(0.2 * number)
                bot.popen.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(bot.popen.wait, 60)
            took = time.monotonic() - begun
        log = bot.log.read_text()
    assert "Traceback" not in log
    if signals == 1:
        assert (code, took < 30) == (0, True), took
        assert re.search(r"what may still rest: (BUY|SELL) [\d.]+ KX\S+ at 0\.", log), log[-2000:]
    else:
        assert (code, took < 30) == (1, True), took
        assert "ending at once" in log
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=60)
        assert await resting(simulator) == []


async def test_a_second_bot_under_the_same_prefix_is_refused(simulator: Simulator, tmp_path: Path) -> None:
    """The shared state file or unknown resting orders, which are not cancelled, end it with exit code 2."""
    other = {"BOT_STATE_FILE": str(tmp_path / "other.json")}
    with running_bot(simulator, tmp_path, "--live") as first:
        code, log = await asyncio.to_thread(refused_bot, simulator, tmp_path, "--live")
        assert (code, "another bot uses it" in log) == (2, True), log
        await eventually(lambda: _rest_well(simulator), within=60, every=0.2)
        first.popen.send_signal(signal.SIGSTOP)  # its orders stay where they are
        before = await _rests(simulator)
        try:
            code, log = await asyncio.to_thread(lambda: refused_bot(simulator, tmp_path, "--live", **other))
            assert (code, "another bot may be trading" in log) == (2, True), log
            assert before & await _rests(simulator), "they were not touched, though some may have been filled"
        finally:
            first.popen.send_signal(signal.SIGCONT)
    with running_bot(simulator, tmp_path, "--live", **other) as third:
        await eventually(lambda: _is(third, "running"), within=60)


def test_a_damaged_state_file_ends_the_bot_with_a_sentence(simulator: Simulator, tmp_path: Path) -> None:
    """Exit code 2 and a sentence, no traceback."""
    (tmp_path / "state.json").write_text("{}")
    code, log = refused_bot(simulator, tmp_path)
    assert code == 2
    assert "not a state file of the bot" in log
    assert "Traceback" not in log


async def _is(bot: Process, word: str) -> bool:
    return bool((await bot.get("/status"))["status"] == word)


async def _rest_well(simulator: Simulator) -> bool:
    return len(await _rests(simulator)) >= 4


async def _resting(bot: Process) -> bool:
    return bool((await bot.get("/status"))["resting"])


async def _rests(simulator: Simulator) -> set[str]:
    return set(await resting(simulator))
