"""Tests of the cancel command: it proves that no order is left, or reports that it could not."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cancel import CancelReceipt, OrderCanceller
from tests.support.in_process_bot import InProcessBot
from tests.support.simulator import ROOT, Simulator, running_simulator
from tests.support.trading import D, wish


class FaultSchedule:
    """A sleep that lets virtual time pass, and removes all faults after some calls."""

    def __init__(self, bot: InProcessBot, faults_end_after: int = 10**6) -> None:
        self.bot = bot
        self.left = faults_end_after

    async def sleep(self, seconds: float) -> None:
        self.left -= 1
        if self.left == 0:
            self.bot.clear_faults()
        self.bot.exchange.advance(seconds)


async def cancelled(bot: InProcessBot, prefix: str = "pi-bot-", faults_end_after: int = 10**6) -> CancelReceipt:
    """Run the canceller in virtual time."""
    schedule = FaultSchedule(bot, faults_end_after)
    canceller = OrderCanceller(bot.client, prefix, 60.0, bot.time, bot.time, schedule.sleep)
    return await canceller.run()


async def bot_with_orders(count: int = 3) -> tuple[InProcessBot, str]:
    """A bot with resting orders of its own, and one of another."""
    bot = InProcessBot(live={"lifetime": 10_000.0})
    ticker = bot.market()
    await bot.check.begin()
    for cents in range(count):
        await bot.venue.place(wish("BUY", "5", f"0.{30 + cents}", ticker))
    other = {
        "ticker": ticker, "side": "bid", "count": "1.00", "price": "0.2000", "client_order_id": "by-hand",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    }  # fmt: skip
    assert bot.exchange.request("POST", "/portfolio/events/orders", body=other).status == 201
    bot.exchange.advance(1.0)
    return bot, ticker


@pytest.mark.parametrize(("prefix", "left"), [("pi-bot-", ["by-hand"]), ("by-", ["pi-bot-"] * 3), ("", [])])
async def test_orders_of_the_prefix_are_cancelled_and_no_others(prefix: str, left: list[str]) -> None:
    """The receipt lists them, two later empty reads, and nothing else; an empty prefix means all."""
    bot, _ = await bot_with_orders()
    receipt = await cancelled(bot, prefix)
    assert receipt.proven
    assert len(receipt.cancelled) == 4 - len(left)
    assert all(order.client_order_id.startswith(prefix) for order in receipt.cancelled.values())
    remaining = [order["client_order_id"] for order in bot.resting()]
    assert len(remaining) == len(left)
    assert all(name.startswith(start) for name, start in zip(sorted(remaining), left, strict=True))
    (first, second) = receipt.empty_reads
    assert receipt.started <= first[1] < second[1] <= second[0] <= receipt.finished


async def test_a_receipt_names_fills_while_cancelling() -> None:
    """A fill of one of the orders between start and proof is listed."""
    bot, ticker = await bot_with_orders()
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    schedule = FaultSchedule(bot)
    canceller = OrderCanceller(bot.client, "pi-bot-", 60.0, bot.time, bot.time, schedule.sleep)
    bot.exchange.advance(1.0)
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "2.00", "price": "0.5000"})
    receipt = await canceller.run()
    assert receipt.proven
    assert [(fill.quantity, fill.ticker) for fill in receipt.fills] == [(D(2), ticker)]
    assert "fills meanwhile: 1" in receipt.as_text()


FAULTS: list[dict[str, Any]] = [
    {"kind": "error", "status": 500}, {"kind": "error", "status": 503, "path": "*/portfolio/events/orders*"},
    {"kind": "rate_limit"}, {"kind": "stale", "seconds": 20}, {"kind": "exchange_pause"}, {"kind": "maintenance"},
    {"kind": "refuse", "reason": "scope"}, {"kind": "field", "op": "rename", "field": "orders"},
    {"kind": "field", "op": "rename", "field": "as_of_time"}, {"kind": "refuse", "reason": "key", "method": "DELETE"},
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_cancel_is_proven_once_a_fault_has_passed(fault: dict[str, Any]) -> None:
    """Any fault of ten seconds: in the end nothing rests and the receipt is proven."""
    bot, _ = await bot_with_orders()
    bot.fault(**fault)
    receipt = await cancelled(bot, faults_end_after=20)
    assert receipt.proven
    assert [order["client_order_id"] for order in bot.resting()] == ["by-hand"]
    assert receipt.as_text().startswith("RECEIPT")


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault["kind"] not in ("stale", "exchange_pause")], ids=str
)
async def test_a_cancel_under_a_lasting_fault_is_unproven(fault: dict[str, Any]) -> None:
    """The receipt is unproven with the reason, and claims no more than was read."""
    bot, _ = await bot_with_orders()
    bot.fault(**fault)
    receipt = await cancelled(bot)
    assert not receipt.proven
    assert receipt.error
    assert receipt.as_text().startswith("UNPROVEN")
    assert "run it again" in receipt.as_text()


async def test_orders_that_end_otherwise_are_named() -> None:
    """An exchange pause cancels them before the command can: the receipt lists them apart."""
    bot, _ = await bot_with_orders()
    bot.fault("error", status=500, method="DELETE")
    schedule = FaultSchedule(bot)

    async def sleep(seconds: float) -> None:
        if not canceller.receipt.gone:
            bot.fault("exchange_pause")
        await schedule.sleep(seconds)

    canceller = OrderCanceller(bot.client, "pi-bot-", 60.0, bot.time, bot.time, sleep)
    receipt = await canceller.run()
    assert receipt.proven
    assert (len(receipt.cancelled), len(receipt.gone)) == (0, 3)
    assert "expired, filled or cancelled by others: 3" in receipt.as_text()


async def test_stale_reads_prove_nothing() -> None:
    """Reads that trail by longer than the time limit: nothing rests, and that is not proven."""
    bot, _ = await bot_with_orders()
    bot.fault("stale", seconds=300)
    receipt = await cancelled(bot)
    assert not receipt.proven
    assert "older than the last cancel" in receipt.error


@pytest.mark.parametrize("jump", [3600.0, 15.0, 0.0, -15.0, -3600.0])
async def test_a_clock_that_jumps_while_cancelling_keeps_no_proof_away(jump: float) -> None:
    """The exchange's own time of each cancel is what the reads after it are compared with."""
    bot, _ = await bot_with_orders()
    readings = itertools.count()

    def wall() -> float:
        return bot.time() + (jump if next(readings) else 0.0)

    began = bot.time()
    receipt = await OrderCanceller(bot.client, "pi-bot-", 60.0, wall, bot.time, FaultSchedule(bot).sleep).run()
    assert (receipt.proven, receipt.error, len(receipt.cancelled)) == (True, "", 3)
    assert bot.time() - began < 5.0


@pytest.mark.parametrize("ahead", [15.0, -15.0])
async def test_a_receipt_names_fills_whatever_our_clock_shows(ahead: float) -> None:
    """Fills are read since the exchange's own time of the first read."""
    bot, ticker = await bot_with_orders()
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    bot.exchange.advance(1.0)
    bot.fault("error", status=500, path="*/portfolio/events/orders/*", method="DELETE", times=4)
    taken = {"ticker": ticker, "side": "ask", "count": "2.00", "price": "0.5000"}
    fills = iter([taken])

    async def sleep(seconds: float) -> None:
        for body in fills:
            assert bot.exchange.admin("POST", "/take", body).status < 300
        bot.exchange.advance(seconds)

    receipt = await OrderCanceller(bot.client, "pi-bot-", 60.0, lambda: bot.time() + ahead, bot.time, sleep).run()
    assert receipt.proven
    assert [fill.quantity for fill in receipt.fills] == [2]


async def test_a_bot_that_goes_on_sending_leaves_the_cancel_unproven() -> None:
    """New orders appear between the reads."""
    bot, ticker = await bot_with_orders()

    async def sleep(seconds: float) -> None:
        bot.exchange.advance(seconds)
        await bot.venue.place(wish("BUY", "1", "0.31", ticker))

    receipt = await OrderCanceller(bot.client, "pi-bot-", 20.0, bot.time, bot.time, sleep).run()
    assert not receipt.proven
    assert "orders kept appearing" in receipt.as_text()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prime") as running:
        yield running


def command(simulator: Simulator, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run python -m bot cancel against the simulator."""
    environ = {
        **os.environ, "KALSHI_API_URL": simulator.url, "KALSHI_API_KEY": "demo-rsa",
        "KALSHI_RSA_KEY_PATH": str(simulator.keys["demo-rsa"]), **more,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "bot", "cancel", *flags],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_prints_a_receipt_and_ends_with_0(simulator: Simulator) -> None:
    """As text and as JSON, also when nothing rests."""
    text = command(simulator)
    assert (text.returncode, text.stdout.splitlines()[0][:7]) == (0, "RECEIPT")
    found = command(simulator, "--all", "--json")
    assert found.returncode == 0
    receipt = json.loads(found.stdout)
    assert (receipt["proven"], receipt["scope"], len(receipt["empty_reads"])) == (True, "the whole account", 2)


def test_the_command_ends_with_1_where_it_cannot_prove(simulator: Simulator) -> None:
    """The exchange fails for longer than --within."""
    simulator.fault("error", status=500)
    try:
        found = command(simulator, "--within", "2")
    finally:
        simulator.clear()
    assert (found.returncode, found.stdout.splitlines()[0][:8]) == (1, "UNPROVEN")


@pytest.mark.parametrize(
    ("flags", "more", "words"),
    [
        (("--prefix", ""), {}, "use --all"), (("--prefix", "a", "--all"), {}, "not allowed with"),
        ((), {"KALSHI_API_KEY": ""}, "KALSHI_API_KEY"), (("--within", "soon"), {}, "--within"),
        (("--within", "nan"), {}, "expected a number from 1 to 3600, got 'nan'"),
    ],
    ids=["empty prefix", "prefix and all", "no key", "no number", "not a number"],
)  # fmt: skip
def test_a_command_that_makes_no_sense_ends_with_2(
    simulator: Simulator, tmp_path: Path, flags: tuple[str, ...], more: dict[str, str], words: str
) -> None:
    """The mistake is named, nothing is sent."""
    found = command(simulator, *flags, **more)
    assert found.returncode == 2
    assert words in found.stderr
