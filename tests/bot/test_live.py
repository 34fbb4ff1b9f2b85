"""Tests of the live venue over HTTP: a lost answer is resolved by reading, and nothing is sent twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

import aiohttp
import pytest

from bot.account_check import AccountCheck
from bot.account_fills import AccountFills
from bot.errors import OrderRejected, OrderUncertain, VenueUnavailable
from bot.venues.fill_collector import listen, take_pushed
from bot.venues.live import LiveVenue
from kalshi.account_models import Fill
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.environments import socket_url
from kalshi.fill_socket import FillSocket
from kalshi.records import RecordReader
from tests.support.eventually import eventually
from tests.support.simulator import Simulator, running_simulator
from tests.support.trading import wish
from tests.support.venues import RecordingListener, client, live_venue, quoted

WRITES = "*/portfolio/events/orders*"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prime") as running:
        yield running


@dataclass
class Stage:
    """A live venue and the market it trades."""

    client: KalshiClient
    session: aiohttp.ClientSession
    venue: LiveVenue
    account: AccountFills
    reported: RecordingListener
    ticker: str
    simulator: Simulator
    boot_id: str

    async def settled(self, fills: int) -> bool:
        """Refresh once; return True if so many fills were reported and no order is uncertain."""
        with suppress(VenueUnavailable):
            await self.venue.refresh({})
        return len(self.reported.fills) >= fills and not self.venue.frozen(self.ticker)

    async def orders(self) -> list[str]:
        """Return the client ids of all orders of this run that the exchange has."""
        prefix = f"pi-bot-{self.boot_id}"
        page = await self.client.orders(limit=1000)
        return [order.client_order_id for order in page.rows if order.client_order_id.startswith(prefix)]


@pytest.fixture
async def stage(simulator: Simulator) -> AsyncIterator[Stage]:
    simulator.clear()
    async with aiohttp.ClientSession() as session:
        reader = client(session, simulator, attempt=0.5)
        ticker = await quoted(reader, simulator)
        account, reported, boot_id = AccountFills(), RecordingListener(), f"b{time.monotonic_ns()}"
        venue = live_venue(reader, reported, account, boot_id, absent_after=0.5, cancel_limit=1.5)
        await AccountCheck(reader, account, venue.fills).begin()
        yield Stage(reader, session, venue, account, reported, ticker, simulator, boot_id)
        simulator.clear()
        await venue.cancel_all()


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        pytest.param({"kind": "drop", "after": True}, True, id="taken, then the line was cut"),
        pytest.param({"kind": "half"}, True, id="taken, half of the answer came"),
        pytest.param({"kind": "latency", "seconds": 1.0}, False, id="still on its way when we stopped waiting"),
        pytest.param({"kind": "drop"}, False, id="cut before it was taken"),
        pytest.param({"kind": "error", "status": 500}, False, id="a server error"),
    ],
)
async def test_a_lost_answer_is_resolved_by_reading(stage: Stage, fault: dict[str, object], exists: bool) -> None:
    """The order is uncertain, then found or absent; the exchange has at most one."""
    stage.simulator.fault(**fault, path=WRITES, method="POST", times=1)  # type: ignore[arg-type]
    with pytest.raises(OrderUncertain):
        await stage.venue.place(wish("BUY", "5", "0.60", stage.ticker, rest=False))
    assert stage.venue.frozen(stage.ticker)
    assert sum(order.quantity for order in stage.venue.resting()) == 5, "what may exist counts"
    await eventually(lambda: stage.settled(1 if exists else 0), within=12, every=0.2)
    assert len(await stage.orders()) == (1 if exists else 0)
    assert sum(fill.quantity for fill in stage.reported.fills) == (5 if exists else 0)
    assert stage.venue.resting() == []


@pytest.mark.parametrize("taken", ["0", "2.00"], ids=["it rests", "part of it was filled meanwhile"])
async def test_a_resting_order_whose_answer_was_lost_is_taken_up(stage: Stage, taken: str) -> None:
    """It is found by its client id or by a fill of it, and can be cancelled."""
    stage.simulator.fault("drop", after=True, path=WRITES, method="POST", times=1)
    with pytest.raises(OrderUncertain):
        await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    if taken != "0":
        stage.simulator.control(
            "POST", "/take", {"ticker": stage.ticker, "side": "ask", "count": taken, "price": "0.5000"}
        )
    await eventually(lambda: stage.settled(int(taken != "0")), within=8, every=0.2)
    assert [order.quantity for order in stage.venue.resting()] == [5 - Decimal(taken)]
    assert len(await stage.orders()) == 1
    await stage.venue.cancel_all()
    assert (await stage.client.orders("resting")).rows == []


async def test_a_pushed_fill_confirms_an_order_whose_answer_was_lost(stage: Stage) -> None:
    """The fill names the order, so it exists; its state is read by its id."""
    stage.simulator.fault("drop", after=True, path=WRITES, method="POST", times=1)
    with pytest.raises(OrderUncertain):
        await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    [unsure] = stage.venue.resting()
    stage.simulator.control(
        "POST", "/take", {"ticker": stage.ticker, "side": "ask", "count": "2.00", "price": "0.5000"}
    )
    reported = next(row for row in stage.simulator.ledger()["fills"] if row["count_fp"] == "2.00")
    pushed = replace(Fill.from_api(RecordReader(reported, "ledger")), client_order_id=unsure.client_order_id)
    await take_pushed(stage.venue.fills, pushed)
    assert stage.venue.frozen(stage.ticker)
    await stage.venue.refresh({})
    assert not stage.venue.frozen(stage.ticker)
    assert [order.quantity for order in stage.venue.resting()] == [3]
    assert [fill.quantity for fill in stage.reported.fills] == [2]


async def test_orders_stay_uncertain_while_the_exchange_fails(
    stage: Stage,
) -> None:
    """Reading raises VenueUnavailable, cancelling OrderUncertain; no order is dropped, and later all are cancelled."""
    await stage.venue.place(wish("BUY", "5", "0.46", stage.ticker))
    [resting] = stage.venue.resting()
    stage.simulator.fault("error", status=503)
    with pytest.raises(VenueUnavailable):
        await stage.venue.refresh({})
    with pytest.raises(VenueUnavailable):
        await stage.venue.ensure_alone()
    with pytest.raises(OrderUncertain, match=r"1 of our orders may still rest \(.+\); cancelling again"):
        await stage.venue.cancel_all()
    assert stage.venue.resting() == [resting]
    stage.simulator.clear()

    async def gone() -> bool:
        with suppress(OrderUncertain):  # the circuit is open for a moment
            await stage.venue.cancel_all()
            return True
        return False

    await eventually(gone, within=10)
    assert stage.venue.resting() == []


async def test_a_dead_order_that_cannot_be_read_stays_frozen(stage: Stage) -> None:
    """It filled before the cancel arrived and cannot be read: the filled part is unknown until it can."""
    await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    [resting] = stage.venue.resting()
    stage.simulator.control(
        "POST", "/take", {"ticker": stage.ticker, "side": "ask", "count": "5.00", "price": "0.5000"}
    )
    stage.simulator.fault("error", status=404, path="*/portfolio/orders/*", method="GET", times=1)
    await stage.venue.cancel(resting)
    assert stage.venue.resting() == [resting], "reads trail: not to be found is not to be gone"
    stage.simulator.fault("error", status=500, path="*/portfolio/orders/*", method="GET")
    with pytest.raises(VenueUnavailable):
        await stage.venue.cancel(resting)
    assert stage.venue.resting() == [resting]
    stage.simulator.clear()
    await eventually(lambda: stage.settled(1), within=8, every=0.2)
    assert stage.venue.resting() == []
    assert sum(fill.quantity for fill in stage.reported.fills) == 5


async def test_a_bug_in_the_fill_socket_loses_no_fill(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and ends the socket; fills are still read at every turn."""

    class Broken:
        async def events(self) -> AsyncIterator[Fill]:
            raise ZeroDivisionError
            yield

    await listen(Broken(), stage.venue.fills)  # type: ignore[arg-type]
    assert "unexpected error ended the fill socket; fills are still read at every turn" in caplog.text
    await stage.venue.place(wish("BUY", "5", "0.60", stage.ticker, rest=False))
    await eventually(lambda: stage.settled(1), within=5)


@pytest.mark.parametrize("fault", [{"kind": "rate_limit"}, {"kind": "trading_pause"}], ids=["429", "trading pause"])
async def test_a_rejected_order_leaves_nothing(stage: Stage, fault: dict[str, object]) -> None:
    """The order is rejected, or uncertain and then known to be absent."""
    stage.simulator.fault(**fault, path=WRITES)  # type: ignore[arg-type]
    with pytest.raises((OrderRejected, OrderUncertain)):
        await stage.venue.place(wish("BUY", "5", "0.60", stage.ticker, rest=False))
    stage.simulator.clear()
    await eventually(lambda: stage.settled(0), within=12, every=0.2)
    assert await stage.orders() == []
    assert stage.venue.resting() == []


@pytest.mark.parametrize("kind", ["drop", "half", "error"])
async def test_a_cancel_whose_answer_is_lost_is_verified(stage: Stage, kind: str) -> None:
    """cancel_all reads until none of our orders rests, and leaves those of others."""
    other = {
        "ticker": stage.ticker, "side": "bid", "count": "1.00", "price": "0.4000",
        "client_order_id": f"me{time.time()}",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    }  # fmt: skip
    theirs = (await stage.client.request("POST", "/portfolio/events/orders", json=other))["order_id"]
    await stage.venue.place(wish("BUY", "5", "0.46", stage.ticker))
    await stage.venue.place(wish("SELL", "5", "0.54", stage.ticker))
    stage.simulator.fault(kind, path=WRITES, method="DELETE", times=2)
    await stage.venue.cancel_all()
    assert stage.venue.resting() == []
    resting = [order.order_id for order in (await stage.client.orders("resting", limit=1000)).rows]
    assert resting == [theirs]
    await stage.client.request("DELETE", f"/portfolio/events/orders/{theirs}", {"market_ticker": stage.ticker})


async def test_an_old_list_of_resting_orders_reopens_no_finished_order(stage: Stage) -> None:
    """The socket is ahead of reads: a finished order still stands in a list that trails."""
    await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    take = {"ticker": stage.ticker, "side": "ask", "price": "0.5000"}
    stage.simulator.control("POST", "/take", take | {"count": "2.00"})
    await eventually(lambda: stage.settled(1), within=5)
    stage.simulator.fault("stale", seconds=30)
    stage.simulator.control("POST", "/take", take | {"count": "3.00"})
    reported = next(row for row in stage.simulator.ledger()["fills"] if row["count_fp"] == "3.00")
    await take_pushed(stage.venue.fills, Fill.from_api(RecordReader(reported, "ledger")))
    assert stage.venue.resting() == []
    await stage.venue.compare_orders()
    assert stage.venue.resting() == [], "known to be done, whatever an old list says"
    stage.simulator.clear()
    await stage.venue.compare_orders()
    assert stage.venue.resting() == []
    assert not stage.venue.frozen(stage.ticker)


async def test_an_adopted_order_is_open_until_the_exchange_reports_it_closed(stage: Stage) -> None:
    """Its earlier fills are unknown, so only the exchange's own state closes it."""
    await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    kept = stage.account.dump()
    take = {"ticker": stage.ticker, "side": "ask", "price": "0.5000"}
    stage.simulator.control("POST", "/take", take | {"count": "3.00"})
    account, reported = AccountFills.load(kept), RecordingListener()
    second = live_venue(stage.client, reported, account, "third")
    await second.fills.read_all()
    assert [fill.quantity for fill in reported.fills] == [3]
    assert [order.quantity for order in second.resting()] == [2]
    await second.cancel_all()
    assert second.resting() == []


async def test_trades_outside_the_bot_move_the_account_and_not_the_books(stage: Stage) -> None:
    """A fill made outside the bot counts for the account's positions and is not reported as ours."""
    stage.simulator.fill(stage.ticker, "bid", "3.00", "0.5000")
    await stage.venue.place(wish("BUY", "5", "0.60", stage.ticker, rest=False))
    await eventually(lambda: stage.settled(1), within=5)
    await eventually(lambda: stage.settled(1), within=5)
    assert sum(fill.quantity for fill in stage.reported.fills) == 5
    assert await AccountCheck(stage.client, stage.account, stage.venue.fills).differences() == ""


async def test_a_position_that_no_fill_explains_is_named(stage: Stage) -> None:
    """A position that no fill explains is reported with its ticker."""
    stage.simulator.fill(stage.ticker, "bid", "3.00", "0.5000")
    positions = {row.ticker: row.quantity for row in await stage.client.positions()}
    stage.account.positions[stage.ticker] = positions[stage.ticker] + 1
    await stage.venue.fills.read_all()
    stage.account.positions[stage.ticker] = positions[stage.ticker] + 1
    reported = await AccountCheck(stage.client, stage.account, stage.venue.fills).differences()
    assert stage.ticker in reported


async def test_the_next_run_finds_orders_and_fills_of_the_last(stage: Stage) -> None:
    """Resting orders are found by their prefix and cancelled; fills in between are reported once."""
    await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    kept = stage.account.dump()
    stage.simulator.control(
        "POST", "/take", {"ticker": stage.ticker, "side": "ask", "count": "2.00", "price": "0.5000"}
    )
    account, reported = AccountFills.load(kept), RecordingListener()
    second = live_venue(stage.client, reported, account, "second", earlier_boot_ids=(stage.boot_id,))
    await second.cancel_all()
    await second.fills.read_all()
    assert [fill.quantity for fill in reported.fills] == [2]
    assert await AccountCheck(stage.client, account, second.fills).differences() == ""
    assert (await stage.client.orders("resting")).rows == []
    await second.fills.read_all()
    assert len(reported.fills) == 1


async def test_a_settlement_is_reported_once_and_explains_the_position(stage: Stage) -> None:
    """Five YES pay a dollar each; the closed position is not reported as a difference."""
    markets = (await stage.client.markets({"status": "open", "limit": 1000})).rows
    ticker = next(market.ticker for market in markets if market.ticker.startswith("KXGASAVG"))
    stage.simulator.quote(ticker, "0.4500", "0.5500")
    await stage.venue.place(wish("BUY", "5", "0.60", ticker, rest=False))
    await eventually(lambda: stage.settled(1), within=5)
    stage.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})
    await stage.venue.fills.read_settlements()
    await stage.venue.fills.read_settlements()
    assert stage.reported.paid == [(ticker, Decimal(1))]
    assert await AccountCheck(stage.client, stage.account, stage.venue.fills).differences() == ""


async def test_a_pushed_fill_is_reported_before_any_read(stage: Stage) -> None:
    """Only the socket reports it, and a later read does not report it again."""
    signer = Signer.from_file("demo-ed25519", stage.simulator.keys["demo-ed25519"])
    push = FillSocket(stage.session, socket_url(stage.simulator.url), signer)
    listening = asyncio.create_task(listen(push, stage.venue.fills))
    try:
        await eventually(lambda: push.connected)
        await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
        begun = time.monotonic()
        stage.simulator.control(
            "POST", "/take", {"ticker": stage.ticker, "side": "ask", "count": "5.00", "price": "0.5000"}
        )
        await eventually(lambda: stage.reported.fills, within=2, every=0.002)
        assert time.monotonic() - begun < 1
        assert stage.venue.resting() == []
        await stage.venue.refresh({})
        assert len(stage.reported.fills) == 1
    finally:
        listening.cancel()
        await asyncio.wait([listening])
