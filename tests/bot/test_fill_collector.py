"""Every fill is found, however many come between two looks and whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import pytest

from bot.account_fills import AccountFills
from bot.strategy_types import Execution
from bot.venues.fill_collector import _LATE, FillCollector
from bot.venues.order_client import OrderClient
from bot.venues.order_tracker import OrderTracker
from kalshi.account_models import Fill, Order
from kalshi.client import KalshiClient
from kalshi.errors import NotFound, Unreachable
from kalshi.pagination import Page
from tests.support.exchange import fill


@dataclass
class Room:
    """An account whose fills are all ours; wrong: what the walks over them raise."""

    made: list[Fill] = field(default_factory=list)
    told: list[Execution] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    wrong: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def execution(self, execution: Execution) -> None:
        self.told.append(execution)

    def settlement(self, ticker: str, value: Decimal) -> None:
        raise AssertionError

    async def fills_page(self, limit: int) -> Page[Fill]:
        return Page(self.made[::-1][:limit], "more" if len(self.made) > limit else None)

    async def fills(self, min_ts: float) -> AsyncIterator[Fill]:
        if self.wrong:
            raise self.wrong
        self.since.append(min_ts)
        for made in reversed(self.made):
            if made.timestamp >= int(min_ts):
                yield made

    async def order(self, order_id: str) -> Order:
        self.asked.append(order_id)
        raise NotFound("GET /portfolio/orders", 404, "not_found")

    def make(self, count: int, at: float) -> None:
        """So many fills at a time."""
        first = len(self.made)
        self.made += [fill(number, at, client_order_id="pi-bot-1") for number in range(first, first + count)]

    def reader(self, account: AccountFills) -> FillCollector:
        client: Any = self
        return FillCollector(cast(KalshiClient, client), OrderClient(client), OrderTracker(), account, self, "pi-bot-")


async def test_fills_behind_the_page_are_found_at_once_though_its_newest_were_pushed() -> None:
    """A page on which something is known reaches back only if it is known from the last look."""
    room, account = Room(), AccountFills()
    fills = room.reader(account)
    room.make(10, 1000.0)
    await fills.look()
    room.make(150, 1001.0)
    await fills.take(room.made[-3:])  # pushed
    await fills.look()
    assert len(room.told) == 160
    room.make(40, 1002.0)
    await fills.look()
    assert len(room.told) == 200
    assert len(room.since) == 1, "what the page reaches needs no walk"


async def test_a_fill_missed_while_walks_fail_is_found_however_long_that_lasts() -> None:
    """Where a walk begins follows the last one that came through, not the newest fill."""
    room, account = Room(), AccountFills()
    fills = room.reader(account)
    account.found({}, Decimal(1000))
    room.make(2, 1001.0)
    await fills.take(room.made[1:])  # the first of the two was lost
    room.wrong = Unreachable("out of reach")
    for minute in range(1, 11):
        room.make(1, 1000.0 + 60 * minute)
        await fills.take(room.made[-1:])
        with pytest.raises(Unreachable):
            await fills.walk()
    room.wrong = None
    kept = AccountFills.load(account.dump())
    assert kept.since == account.since
    await fills.walk()
    assert {told.trade_id for told in room.told} == {made.fill_id for made in room.made}
    await fills.walk()
    assert len(room.told) == len(room.made)
    assert room.since[-1] > 1400, "and then it follows again"


async def test_a_fill_of_an_order_that_reads_do_not_show_yet_waits() -> None:
    """Whose it is cannot be said, so it moves nothing and is found again; long after, it is another's, said once."""
    room, account = Room(), AccountFills()
    fills = room.reader(account)
    account.found({}, Decimal(1000))
    made = [fill(number, 1000.0, client_order_id=None, order_id="o") for number in (1, 3)]
    await fills.take(made)
    assert (room.asked, account.positions) == (["o", "o"], {})
    assert not account.knows("f1")
    await fills.take([fill(9, 1000.0 + 10 * _LATE, client_order_id="pi-bot-1")])
    await fills.take(made)
    await fills.take(made)
    assert account.knows("f1")
    assert account.positions[made[0].ticker] != 0
    assert [told.trade_id for told in room.told] == ["f9"], "it is not reported as ours"


async def test_two_who_wait_for_one_order_count_its_fill_once() -> None:
    """Push and read ask whose it is at the same time; the second to hear finds it counted."""
    room, account = Room(), AccountFills()
    fills, gate = room.reader(account), asyncio.Event()

    async def slow(order_id: str) -> None:
        await gate.wait()

    fills._orders.read = slow  # type: ignore[method-assign]
    account.found({}, Decimal(2000))
    made = fill(1, 1000.0, client_order_id=None)
    both = [asyncio.create_task(fills.take([made])) for _ in range(2)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*both)
    assert account.positions == {made.ticker: made.quantity}
