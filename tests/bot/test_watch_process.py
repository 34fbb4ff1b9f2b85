"""Tests of python -m bot watch as a process with keys of its own, beside a bot that is killed or hangs."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bot.test_process import Process, running_bot
from tests.support.eventually import eventually, until
from tests.support.simulator import ROOT, Simulator, running_simulator

pytestmark = pytest.mark.timeout(300)
OWN_KEYS = {"KALSHI_API_KEY": "", "KALSHI_RSA_KEY_PATH": "", "BOT_WATCH_AFTER": "3"}


@dataclass(frozen=True)
class Watch:
    """A running watch, what it printed, and what it logged."""

    popen: subprocess.Popen[bytes]
    printed: Path
    log: Path

    def wait_for(self, pattern: str) -> str:
        """Return the printed text once it matches."""
        found = until(lambda: re.search(pattern, self.printed.read_text(), re.S), within=120, what=pattern)
        return found.group() if found else ""


@contextmanager
def running_watch(simulator: Simulator, folder: Path, bot: Process, key: str = "demo-ed25519") -> Iterator[Watch]:
    """Run a watch over a bot, with a key that the bot does not have."""
    environ = os.environ | OWN_KEYS | {
        "KALSHI_API_URL": simulator.url, "BOT_STATUS_ENDPOINT": bot.url + "/status", "BOT_WATCH_API_KEY": key,
        "BOT_WATCH_RSA_KEY_PATH": str(simulator.keys["demo-ed25519"]),
    }  # fmt: skip
    printed, log = folder / "watch.out", folder / "watch.log"
    with printed.open("wb") as output, log.open("wb") as errors:
        popen = subprocess.Popen(
            [sys.executable, "-m", "bot", "watch"], cwd=ROOT, env=environ, stdout=output, stderr=errors
        )
    try:
        until(lambda: "watching" in log.read_text() or popen.poll() is not None, within=60, what="start of the watch")
        yield Watch(popen, printed, log)
        popen.terminate()
        assert popen.wait(90) == 0, log.read_text()
    finally:
        if popen.poll() is None:
            popen.kill()
            popen.wait()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prime", quiet=False) as running:
        yield running


def resting(simulator: Simulator) -> set[str]:
    """Return the ids of the orders that rest at the exchange."""
    return {row["order_id"] for row in simulator.ledger()["orders"] if row["status"] == "resting"}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_a_watch_cancels_the_orders_of_a_bot_that_is_dead_or_hung(
    simulator: Simulator, tmp_path: Path, end: signal.Signals
) -> None:
    """They would rest for an hour; while the bot answers none is touched, and the receipt names those cancelled."""
    with (
        running_bot(simulator, tmp_path, "--live", BOT_ORDER_LIFETIME="3600") as bot,
        running_watch(simulator, tmp_path, bot) as watch,
    ):
        await eventually(lambda: len(resting(simulator)) >= 4, within=120, every=0.1)
        assert watch.printed.read_text() == ""
        bot.popen.send_signal(end)
        left = resting(simulator)
        receipt = watch.wait_for(r"RECEIPT: orders of prefix pi-bot-.*(no order rests: read[^\n]*\n.*){2}")
        assert resting(simulator) == set()
        named = set(re.findall(r"^  ([0-9a-f-]{36}) \(pi-bot-", receipt, re.M))
        assert named & left, "some may have filled before they were cancelled"
        assert "the bot is away (it does not answer)" in watch.log.read_text()
        if end == signal.SIGSTOP:
            bot.popen.send_signal(signal.SIGCONT)
            until(lambda: "the bot answers again" in watch.log.read_text(), within=60)


@pytest.mark.slow
async def test_a_watch_prints_unproven_while_the_exchange_is_out_of_reach(simulator: Simulator, tmp_path: Path) -> None:
    """And a receipt with the cancelled orders once it answers again."""
    with (
        running_bot(simulator, tmp_path, "--live", BOT_ORDER_LIFETIME="3600") as bot,
        running_watch(simulator, tmp_path, bot) as watch,
    ):
        await eventually(lambda: len(resting(simulator)) >= 4, within=120, every=0.1)
        simulator.fault("refuse", reason="scope", method="DELETE")
        bot.popen.kill()
        watch.wait_for(r"UNPROVEN: .*may still rest: [1-9].*run it again")
        simulator.clear()
        assert "cancelled: " in watch.wait_for(r"RECEIPT: .*(no order rests: read[^\n]*\n.*){2}")
    assert resting(simulator) == set()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"BOT_WATCH_API_KEY": "demo-ed25519"}, "BOT_WATCH_RSA_KEY_PATH: expected a value"),
        ({"BOT_WATCH_RSA_KEY_PATH": "setup.cfg"}, "BOT_WATCH_API_KEY: expected a value"),
        ({}, "KALSHI_API_KEY and KALSHI_RSA_KEY_PATH: expected a value"),
        ({"BOT_WATCH_API_KEY": "demo-ed25519", "BOT_WATCH_RSA_KEY_PATH": "setup.cfg"}, "setup.cfg"),
    ],
    ids=["id without file", "file without id", "no key", "no key file"],
)  # fmt: skip
def test_a_watch_without_a_usable_key_does_not_start(more: dict[str, str], words: str) -> None:
    """Code 2 and the setting's name at the start, not when the bot is dead."""
    found = subprocess.run(
        [sys.executable, "-m", "bot", "watch"],
        cwd=ROOT,
        env=os.environ | OWN_KEYS | more,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 2
    assert words in found.stderr
    assert "Traceback" not in found.stderr


def test_a_watch_whose_key_the_exchange_refuses_warns_at_its_start(simulator: Simulator, tmp_path: Path) -> None:
    """A cancel would be unproven: the log names the refusal while there is time."""
    with (
        running_bot(simulator, tmp_path) as bot,
        running_watch(simulator, tmp_path, bot, key="demo-rsa") as watch,
    ):
        until(lambda: "orders cannot be read with this key now" in watch.log.read_text(), within=60)
