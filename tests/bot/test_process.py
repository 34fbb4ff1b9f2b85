"""The bot as a process on a living simulated exchange: it trades, obeys, stops clean, and comes back after kill -9."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

    async def traded(self, count: int, within: float = 15.0) -> Any:
        """The status once there are so many trades."""

        async def enough() -> Any:
            status = await self.get("/status")
            return status if status["trades"] >= count else None

        return await eventually(enough, within=within, every=0.1)


@contextmanager
def running_bot(simulator: Simulator, folder: Path, *flags: str, **more: str) -> Iterator[Process]:
    """A bot with the simulator's account; its log names its port."""
    log = folder / f"bot-{time.monotonic_ns()}.log"
    environ = {
        **os.environ, "KALSHI_API_URL": simulator.url, "KALSHI_API_KEY": "demo-rsa",
        "KALSHI_RSA_KEY_PATH": str(simulator.keys["demo-rsa"]), "BOT_TOKEN": TOKEN, "BOT_INTERVAL": "0.3",
        "BOT_STATE_FILE": str(folder / "state.json"), **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "bot", "--port", "0", *flags]
    with log.open("wb") as output:
        popen = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 10
        while not (found := re.search(r"at (http://127\.0\.0\.1:\d+)", log.read_text())):
            assert popen.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Process(popen, found[1], log)
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                popen.wait(12)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("keys")
    with running_simulator(folder, "--tier", "prime", quiet=False) as running:
        yield running


async def resting(simulator: Simulator) -> list[str]:
    """Client ids of what rests at the exchange."""
    async with aiohttp.ClientSession() as session:
        page = await client(session, simulator).orders("resting", limit=1000)
        return [order.client_order_id for order in page.rows]


@pytest.mark.parametrize("flags", [["--live"], pytest.param([], marks=pytest.mark.slow)], ids=["live", "paper"])
async def test_it_trades_by_itself_and_stops_clean(simulator: Simulator, tmp_path: Path, flags: list[str]) -> None:
    """Trades within seconds; SIGTERM takes back what rests, answers to the end, and ends with 0."""
    with running_bot(simulator, tmp_path, *flags) as bot:
        status = await bot.traded(1)
        assert status["mode"] == ("demo" if flags else "paper")
        assert status["loop_age"] < 5
        assert status["status"] == "running"
        [trade] = (await bot.get("/trades?limit=1"))["trades"]
        assert {"timestamp", "ticker", "side", "quantity", "price", "trade_id"} <= trade.keys()
        begun = time.monotonic()
        bot.popen.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(bot.popen.wait, 10) == 0
        assert time.monotonic() - begun < 5
    assert await resting(simulator) == []


async def test_halt_pause_and_resume(simulator: Simulator, tmp_path: Path) -> None:
    """Halt leaves nothing resting and stays over a restart, until it is cleared."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(1)
        assert (await bot.post("/pause"))["paused"]
        assert not (await bot.post("/resume"))["paused"]
        assert (await bot.post("/halt"))["resting"] == 0
        assert await resting(simulator) == []
        trades = (await bot.get("/status"))["trades"]
    with running_bot(simulator, tmp_path, "--live") as bot:
        await eventually(lambda: _is(bot, "halted"), within=10)
        assert (await bot.get("/status"))["halts"][0]["name"] == "person"
        assert (await bot.post("/clear"))["halted"] is False
        await bot.traded(1)
    assert trades >= 1


async def test_killed_it_comes_back_and_finds_everything(simulator: Simulator, tmp_path: Path) -> None:
    """After kill -9 the next life cancels what rested, knows every fill, and its books are those of the exchange."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(2, within=30)
        await eventually(lambda: _rests(simulator), within=5, every=0.1)
        bot.popen.kill()
        bot.popen.wait()
    before = await _rests(simulator)
    await asyncio.sleep(1)  # the crowd goes on trading against what was left
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=15)
        assert not before & await _rests(simulator)
        status = await bot.get("/status")
        assert status["halts"] == []
    kept = json.loads(await asyncio.to_thread((tmp_path / "state.json").read_text))
    theirs = {r["ticker"]: D(r["position_fp"]) for r in simulator.ledger()["positions"] if D(r["position_fp"])}
    account = {ticker: D(quantity) for ticker, quantity in kept["account"]["positions"].items()}
    assert account == theirs


async def test_a_position_that_nobody_explains_halts_until_a_person_has_looked(
    simulator: Simulator, tmp_path: Path
) -> None:
    """What differs is said; clear takes the exchange's word, which needs an exchange that answers, and it trades on."""
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=15)
    kept = json.loads(await asyncio.to_thread((tmp_path / "state.json").read_text))
    kept["account"]["positions"]["KXLOST"] = "7"
    await asyncio.to_thread((tmp_path / "state.json").write_text, json.dumps(kept))
    with running_bot(simulator, tmp_path, "--live") as bot:
        await eventually(lambda: _is(bot, "halted"), within=15)
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

        await eventually(cleared, within=10, every=0.3)
        await bot.traded(1)
        assert not (await bot.get("/status"))["halted"]


@contextmanager
def deaf(simulator: Simulator) -> Iterator[None]:
    """The exchange takes connections and says nothing."""
    os.kill(simulator.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(simulator.pid, signal.SIGCONT)


@pytest.mark.parametrize("signals", [1, 2])
async def test_it_ends_soon_though_the_exchange_is_gone(simulator: Simulator, tmp_path: Path, signals: int) -> None:
    """About two seconds and a line of what may still rest; a second signal does not wait for those."""
    with running_bot(simulator, tmp_path, "--live") as bot:
        await bot.traded(1)
        await eventually(lambda: _rests(simulator), within=10, every=0.1)
        await eventually(lambda: _resting(bot), within=5)
        with deaf(simulator):
            await asyncio.sleep(0.7)  # a turn waits for an answer that does not come
            begun = time.monotonic()
            for number in range(signals):
                await asyncio.sleep(0.2 * number)
                bot.popen.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(bot.popen.wait, 10)
            took = time.monotonic() - begun
        log = bot.log.read_text()
    assert "Traceback" not in log
    if signals == 1:
        assert (code, took < 3.0) == (0, True), took
        assert re.search(r"what may still rest: (BUY|SELL) [\d.]+ KX\S+ at 0\.", log), log[-2000:]
    else:
        assert (code, took < 1.5) == (1, True), took
        assert "ending at once" in log
    with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is(bot, "running"), within=15)
        assert await resting(simulator) == []


async def test_a_second_bot_under_the_same_prefix_is_refused(simulator: Simulator, tmp_path: Path) -> None:
    """By the state file they would share, and by orders that rest and are none of its own; nothing is touched."""
    other = {"BOT_STATE_FILE": str(tmp_path / "other.json")}
    with running_bot(simulator, tmp_path, "--live") as first:
        with suppress(AssertionError), running_bot(simulator, tmp_path, "--live"):
            pass
        assert "another bot uses it" in _last_log(tmp_path)
        await eventually(lambda: _rest_well(simulator), within=20, every=0.2)
        first.popen.send_signal(signal.SIGSTOP)  # its orders stay where they are
        before = await _rests(simulator)
        try:
            with suppress(AssertionError), running_bot(simulator, tmp_path, "--live", **other) as second:
                assert await asyncio.to_thread(second.popen.wait, 20) == 2
            assert "another bot may be trading" in _last_log(tmp_path)
            assert before & await _rests(simulator), "they were not touched, though some may have been filled"
        finally:
            first.popen.send_signal(signal.SIGCONT)
    with running_bot(simulator, tmp_path, "--live", **other) as third:
        await eventually(lambda: _is(third, "running"), within=15)


def test_a_file_that_is_no_state_file_is_said_at_once(simulator: Simulator, tmp_path: Path) -> None:
    """Exit code 2 and a sentence, no traceback."""
    (tmp_path / "state.json").write_text("{}")
    with suppress(AssertionError), running_bot(simulator, tmp_path):
        pass
    log = next(tmp_path.glob("bot-*.log")).read_text()
    assert "not a state file of the bot" in log
    assert "Traceback" not in log


async def _is(bot: Process, word: str) -> bool:
    return bool((await bot.get("/status"))["status"] == word)


async def _rest_well(simulator: Simulator) -> bool:
    return len(await _rests(simulator)) >= 4


async def _resting(bot: Process) -> bool:
    return bool((await bot.get("/status"))["resting"])


def _last_log(folder: Path) -> str:
    return max(folder.glob("bot-*.log")).read_text()


async def _rests(simulator: Simulator) -> set[str]:
    return set(await resting(simulator))
