"""Tests of the receipt under every fault of the simulator: proven only if nothing rests, else it has the reason."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from bot.cancel import CancelReceipt, OrderCanceller
from simulator.faults import KINDS, REASONS
from tests.bot.test_cancel import bot_with_orders, command
from tests.support.in_process_bot import InProcessBot
from tests.support.signed import Signed
from tests.support.simulator import Simulator, running_simulator
from tests.support.venues import client

CONNECTION = ("latency", "redirect", "drop", "half", "ws_lose", "ws_double", "ws_cut")
OPTIONS: dict[str, dict[str, Any]] = {
    "redirect": {"to": "http://127.0.0.1:9/"}, "field": {"op": "rename", "field": "order_id"},
    "stale": {"seconds": 300}, "latency": {"seconds": 30},
}  # fmt: skip
FAULTS: list[dict[str, Any]] = [
    *({"kind": "refuse", "reason": reason} for reason in REASONS),
    *({"kind": kind} | OPTIONS.get(kind, {}) for kind in KINDS if kind != "refuse"),
    {"kind": "drop", "after": True},
    *({"kind": "field", "op": op, "field": name}
      for op in ("rename", "remove", "retype") for name in ("orders", "status", "reduced_by", "as_of_time", "cursor")),
    *({"kind": "error", "status": status} for status in (400, 404, 409, 418, 429, 502, 503, 504)),
]  # fmt: skip
METHODS = ("", "GET", "DELETE")
ROUTES = [(fault, method) for fault in FAULTS for method in METHODS]


def names_of(fault: dict[str, Any]) -> str:
    """Return a fault as one word."""
    return "-".join(str(value) for value in fault.values() if "/" not in str(value))


def check(receipt: CancelReceipt, resting: list[str]) -> None:
    """A proven receipt is true; an unproven one has the reason and what to do."""
    if receipt.proven:
        assert resting == []
        assert receipt.as_text().startswith("RECEIPT")
        assert len(receipt.empty_reads) >= 2
    else:
        assert receipt.as_text().startswith("UNPROVEN")
        assert receipt.error
        assert "run it again" in receipt.as_text()


async def in_virtual_time(bot: InProcessBot) -> CancelReceipt:
    """Run the canceller of the bot's prefix on its exchange."""

    async def sleep(seconds: float) -> None:
        bot.exchange.advance(seconds)

    return await OrderCanceller(bot.client, "pi-bot-", 20.0, bot.time, bot.time, sleep).run()


def own(bot: InProcessBot) -> list[str]:
    """Return the client ids of the bot's orders that rest at the exchange."""
    return [row["client_order_id"] for row in bot.resting() if row["client_order_id"].startswith("pi-bot-")]


@pytest.mark.parametrize(
    ("fault", "method"),
    [pytest.param(f, m, id=f"{names_of(f)} {m or 'all'}") for f, m in ROUTES if f["kind"] not in CONNECTION],
)
async def test_a_receipt_under_a_fault_is_true_or_unproven(fault: dict[str, Any], method: str) -> None:
    """While the fault lasts it claims nothing that is not so; once it has passed, the next one is proven."""
    bot, _ = await bot_with_orders()
    bot.fault(**fault, **({"method": method} if method else {}))
    check(await in_virtual_time(bot), own(bot))
    bot.clear_faults()
    bot.exchange.advance(1.0)
    after = await in_virtual_time(bot)
    assert (after.proven, own(bot)) == (True, [])


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prestige") as running:
        yield running


def place(simulator: Simulator) -> None:
    """Rest one order under the prefix."""
    call = Signed(simulator.url, "demo-ed25519", simulator.keys["demo-ed25519"])
    ticker = call("GET", "/markets?status=open&limit=1")[1]["markets"][0]["ticker"]
    number = len(simulator.ledger()["orders"])
    body = {
        "ticker": ticker, "side": "bid", "count": "1.00", "price": "0.0200", "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross", "client_order_id": f"pi-bot-{number}",
    }  # fmt: skip
    assert call("POST", "/portfolio/events/orders", body)[0] == 201


def resting(simulator: Simulator) -> list[str]:
    """Return the client ids of the orders that rest at the exchange."""
    return [row["client_order_id"] for row in simulator.ledger()["orders"] if row["status"] == "resting"]


@pytest.mark.parametrize(
    ("fault", "method"),
    [pytest.param(f, m, id=f"{names_of(f)} {m or 'all'}") for f, m in ROUTES if f["kind"] in CONNECTION],
)
async def test_a_receipt_over_a_broken_connection_is_true_or_unproven(
    simulator: Simulator, fault: dict[str, Any], method: str
) -> None:
    """The same over real connections."""
    simulator.clear()
    await asyncio.to_thread(place, simulator)
    simulator.fault(**fault, **({"method": method} if method else {}))
    async with aiohttp.ClientSession() as session:
        receipt = await OrderCanceller(client(session, simulator, attempt=0.2), "pi-bot-", 1.5).run()
    simulator.clear()
    check(receipt, resting(simulator))


@pytest.mark.parametrize(
    "fault", [{"kind": "error"}, pytest.param({"kind": "maintenance"}, marks=pytest.mark.slow)], ids=names_of
)
def test_the_command_ends_with_1_under_a_lasting_fault_and_with_0_after_it(
    simulator: Simulator, fault: dict[str, Any]
) -> None:
    """UNPROVEN and 1, then RECEIPT and 0."""
    simulator.clear()
    place(simulator)
    simulator.fault(**fault)
    try:
        found = command(simulator, "--within", "2")
    finally:
        simulator.clear()
    assert (found.returncode, found.stdout[:8]) == (1, "UNPROVEN")
    found = command(simulator)
    assert (found.returncode, found.stdout[:7], resting(simulator)) == (0, "RECEIPT", [])
