"""Tests of the fill collector: every fill is counted once, however it is read, and nothing of the past again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import pytest

from bot.account_fills import AccountFills
from bot.strategy_types import Execution
from bot.venues.fill_collector import FillCollector
from bot.venues.order_client import OrderClient
from bot.venues.order_names import OrderNames
from bot.venues.order_tracker import OrderTracker
from kalshi.account_models import AccountSettlement, Fill, Order
from kalshi.client import KalshiClient, Page
from kalshi.errors import NotFound, Unreachable
from tests.support.eventually import eventually
from tests.support.exchange import fill


@dataclass
class FakeAccount:
    """An account whose fills are all ours. wrong: the error of full reads. complete: Unix seconds of its reads."""

    made: list[Fill] = field(default_factory=list)
    reported: list[Execution] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    wrong: Exception | None = None
    orders_read: list[str] = field(default_factory=list)
    complete: float | None = None
    paid: list[AccountSettlement] = field(default_factory=list)
    settled: list[tuple[str, Decimal]] = field(default_factory=list)  # ticker and value of one YES, as reported on
    answered: asyncio.Event | None = None  # orders are answered once this is set

    def execution(self, execution: Execution) -> None:
        self.reported.append(execution)

    def settlement(self, ticker: str, value: Decimal) -> None:
        self.settled.append((ticker, value))

    async def settlements(self, min_ts: float) -> AsyncIterator[AccountSettlement]:
        for paid in self.paid:
            yield paid

    async def fills_page(self, limit: int) -> Page[Fill]:
        return Page(self.made[::-1][:limit], "more" if len(self.made) > limit else None)

    async def fills(self, min_ts: float) -> AsyncIterator[Fill]:
        if self.wrong:
            raise self.wrong
        self.since.append(min_ts)
        for made in reversed(self.made):
            if made.timestamp >= int(min_ts):
                yield made

    async def user_data_timestamp(self) -> float:
        if self.complete is not None:
            return self.complete
        return float(max((made.timestamp for made in self.made), default=Decimal(0)))

    async def order(self, order_id: str) -> Order:
        self.orders_read.append(order_id)
        if self.answered is not None:
            await self.answered.wait()
        raise NotFound("GET /portfolio/orders", 404, "not_found")

    def make(self, count: int, at: float) -> None:
        """So many fills at a time."""
        first = len(self.made)
        self.made += [fill(number, at, client_order_id="pi-bot-1") for number in range(first, first + count)]

    def reader(self, account: AccountFills) -> FillCollector:
        client: Any = self
        names = OrderNames("pi-bot-", "")
        return FillCollector(cast(KalshiClient, client), OrderClient(client), OrderTracker(), account, self, names)


async def test_fills_behind_the_page_are_found_at_once_though_its_newest_were_pushed() -> None:
    """A page with known fills reaches back far enough only if they are known from the last short read."""
    room, account = FakeAccount(), AccountFills()
    fills = room.reader(account)
    room.make(10, 1000.0)
    await fills.read_newest()
    room.make(150, 1001.0)
    await fills.take(room.made[-3:])  # pushed
    await fills.read_newest()
    assert len(room.reported) == 160
    room.make(40, 1002.0)
    await fills.read_newest()
    assert len(room.reported) == 200
    assert len(room.since) == 1, "what the page reaches needs no full read"


@pytest.mark.parametrize("read", ["1001.553", "1001.553046", "1001.5539"])
async def test_a_fill_has_one_time_whether_it_was_pushed_or_read(read: str) -> None:
    """The socket has milliseconds, reads have microseconds: a restarted bot reports the same trade again."""
    room = FakeAccount()
    await room.reader(AccountFills()).take([replace(fill(1, 0, client_order_id="pi-bot-1"), timestamp=Decimal(read))])
    assert str(room.reported[0].timestamp) == "1001.553"


@pytest.mark.parametrize(
    ("yes", "no", "value", "revenue", "expected"),
    [
        ("10", "0", "0.4", "4", "0.4"),
        ("0", "10", "0.4", "6", "0.4"),
        ("0", "1", "0.82", "0.82", "0.18"),  # the row of a NO holder with the payout of one NO
        ("0", "3", "0.5", "1", "0.66666666"),
        ("19", "18.86", "0.45", "0.06", "0.45"),  # 0.063, paid in whole cents
        ("7", "7", "0.3", "0", "0.3"),
    ],
)
async def test_a_payout_is_that_of_the_revenue_where_the_value_says_another(
    yes: str, no: str, value: str, revenue: str, expected: str
) -> None:
    """The revenue is what the balance moved by; less than a cent beside it is rounding."""
    D, room = Decimal, FakeAccount()
    room.paid = [AccountSettlement(
        "A", "E", "scalar", D(yes), D(0), D(no), D(0), D(revenue), D(0), D(value), D(1000)
    )]  # fmt: skip
    await room.reader(AccountFills()).read_settlements()
    assert room.settled == [("A", D(expected))]


async def test_a_fill_missed_while_full_reads_fail_is_found_however_long_that_lasts() -> None:
    """A full read begins where the last one that worked ended, not at the newest fill."""
    room, account = FakeAccount(), AccountFills()
    fills = room.reader(account)
    account.open_with({}, Decimal(1000))
    room.make(2, 1001.0)
    await fills.take(room.made[1:])  # the first of the two was lost
    room.wrong = Unreachable("out of reach")
    for minute in range(1, 11):
        room.make(1, 1000.0 + 60 * minute)
        await fills.take(room.made[-1:])
        with pytest.raises(Unreachable):
            await fills.read_all()
    room.wrong = None
    kept = AccountFills.load(account.dump())
    assert kept.since == account.since
    await fills.read_all()
    assert {one.trade_id for one in room.reported} == {made.fill_id for made in room.made}
    await fills.read_all()
    assert len(room.reported) == len(room.made)
    assert room.since[-1] > 1400, "and then it follows again"


async def test_a_fill_of_an_unreadable_order_waits_and_later_counts_as_another_s() -> None:
    """It moves nothing and is found again; after a minute it counts as made outside the bot and is not reported."""
    room, account = FakeAccount(), AccountFills()
    fills = room.reader(account)
    account.open_with({}, Decimal(1000))
    made = [fill(number, 1000.0, client_order_id=None, order_id="o") for number in (1, 3)]
    await fills.take(made)
    assert (room.orders_read, account.positions) == (["o", "o"], {})
    assert not account.is_counted("f1", Decimal(1000))
    await fills.take([fill(9, 1000.0 + 600, client_order_id="pi-bot-1")])
    await fills.take(made)
    await fills.take(made)
    assert account.is_counted("f1", Decimal(1000))
    assert account.positions[made[0].ticker] != 0
    assert [one.trade_id for one in room.reported] == ["f9"], "it is not reported as ours"


async def test_socket_and_read_that_wait_for_one_order_count_its_fill_once() -> None:
    """Both read the order of the same fill at the same time; the second one finds it counted."""
    room, account = FakeAccount(), AccountFills()
    fills, answered = room.reader(account), asyncio.Event()
    room.answered = answered
    account.open_with({}, Decimal(1100))  # an order that is not found after a minute was sent outside the bot
    made = fill(1, 1000.0, client_order_id=None)
    both = [asyncio.create_task(fills.take([made])) for _ in range(2)]
    await eventually(lambda: len(room.orders_read) == 2)
    answered.set()
    await asyncio.gather(*both)
    assert account.positions == {made.ticker: made.quantity}


async def restarted(account: AccountFills, exchange: FakeAccount) -> tuple[AccountFills, FillCollector]:
    """The next run: the stored state and a new collector."""
    again = AccountFills.load(account.dump())
    return again, exchange.reader(again)


async def test_a_restart_reports_no_fill_again() -> None:
    """36 fills over 330 s, then an ordinary restart: socket, short read and full read find nothing new."""
    exchange, account = FakeAccount(), AccountFills()
    fills = exchange.reader(account)
    account.open_with({}, Decimal(1000))
    for number in range(36):
        exchange.make(1, 1000.0 + number * 330 / 35)
        await fills.read_newest()
    await fills.read_all()
    positions = dict(account.positions)
    again, fills = await restarted(account, exchange)
    await fills.take(exchange.made)
    await fills.read_newest()
    await fills.read_all()
    assert len(exchange.reported) == 36
    assert again.positions == positions


async def test_fifty_restarts_while_trading_report_each_fill_once() -> None:
    """A restart after every burst of fills; positions are always the sum of all fills."""
    exchange, account = FakeAccount(), AccountFills()
    fills = exchange.reader(account)
    account.open_with({}, Decimal(1000))
    for number in range(50):
        exchange.make(7, 1000.0 + 40 * number)
        await fills.take(exchange.made[-2:])  # by the socket
        if number % 3:
            await fills.read_newest()
        if number % 2:
            await fills.read_all()
        account, fills = await restarted(account, exchange)
        await fills.read_newest()
        await fills.read_all()
        assert len(exchange.reported) == len(exchange.made)
    total: dict[str, Decimal] = {}
    for made in exchange.made:
        total[made.ticker] = total.get(made.ticker, Decimal(0)) + (
            made.quantity if made.side == "BUY" else -made.quantity
        )
    assert account.positions == {ticker: quantity for ticker, quantity in total.items() if quantity}


async def test_state_of_version_0_1_reports_no_old_fill() -> None:
    """A stored state without a low-water mark holds the ids of 240 s; what is older was counted."""
    exchange, account = FakeAccount(), AccountFills()
    fills = exchange.reader(account)
    exchange.make(30, 1000.0)
    exchange.make(1, 2000.0)
    await fills.read_newest()
    stored = account.dump()
    stored.pop("low_water")
    stored["complete"] = "2000"
    stored["seen"] = {name: at for name, at in stored["seen"].items() if Decimal(at) >= 1760}
    again = AccountFills.load(stored)
    await exchange.reader(again).read_newest()
    assert len(exchange.reported) == 31


async def test_late_fills_within_the_overlap_are_counted() -> None:
    """Reads may trail by up to the overlap: a fill that shows only then is new."""
    exchange, account = FakeAccount(), AccountFills()
    fills = exchange.reader(account)
    account.open_with({}, Decimal(1000))
    exchange.make(1, 1200.0)
    await fills.read_all()
    exchange.make(1, 1090.0)
    _, fills = await restarted(account, exchange)
    await fills.read_all()
    assert len(exchange.reported) == 2
