"""The matching engine: laws over random order flow, and each order type by example."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.desk import Desk, Plan
from simulator.happening import Happening, OrderChanged
from simulator.market import Market
from simulator.order import NewOrder, Order
from simulator.refusal import Refusal
from tests.simulator.flow import Flow


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_books_add_up_whatever_is_ordered(seed: int) -> None:
    """Cash and positions equal what fills and settlements tell, books are uncrossed, nobody owes, after each step."""
    flow = Flow(seed)
    for _ in range(120):
        flow.step()
        flow.check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_ten_thousand_orders_keep_every_rule(seed: int) -> None:
    """The same over more than 10 000 orders in all, checked every 25 steps."""
    flow = Flow(seed)
    while flow.placed < 1500:
        for _ in range(25):
            flow.step()
        flow.check()
    assert flow.fills
    assert flow.settlements
    assert flow.refused


class Room:
    """One active market of a quiet desk, the member and the crowd."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.desk = Desk(Plan(quiet=True), lambda: self.now)
        self.exchange, self.me = self.desk.exchange, self.desk.member
        self.market: Market = next(m for m in self.exchange.markets.values() if m.structure == "linear_cent")
        self.reasons: list[str] = []
        self.exchange.listeners.append(self._hear)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, OrderChanged) and happening.order.account == self.me.name:
            self.reasons.append(happening.reason)

    def order(self, side: str, price: int, count: int, **options: object) -> Order:
        """The member's order; price in cents, count in contracts."""
        return self.exchange.place(
            self.me,
            NewOrder(self.market.ticker, side, price * 100, count * 100, **options),  # type: ignore[arg-type]
        )

    def crowd(self, side: str, price: int, count: int) -> Order:
        """The crowd's resting order."""
        return self.exchange.place(
            self.desk.crowd.makers,
            NewOrder(self.market.ticker, side, price * 100, count * 100),  # type: ignore[arg-type]
        )


@pytest.fixture
def room() -> Room:
    """A fresh market."""
    return Room()


def told(order: Order) -> tuple[str, int, int]:
    """Status, contracts filled, contracts remaining."""
    return order.status, order.filled // 100, order.remaining // 100


def test_best_price_first_then_the_oldest(room: Room) -> None:
    """A taker meets the cheapest ask, and of two at one price the older."""
    late, old, young = room.crowd("ask", 52, 5), room.crowd("ask", 51, 5), room.crowd("ask", 51, 5)
    taken = room.order("bid", 60, 7, force="immediate_or_cancel")
    assert told(taken) == ("executed", 7, 0)
    assert taken.value == 7 * 51 * 10_000
    assert (told(old)[1], told(young)[1], told(late)[1]) == (5, 2, 0)


def test_an_immediate_order_never_rests(room: Room) -> None:
    """What is not there is cancelled."""
    room.crowd("ask", 51, 3)
    assert told(room.order("bid", 51, 10, force="immediate_or_cancel")) == ("canceled", 3, 0)
    assert room.market.book.bids.best is None


def test_fill_or_kill_is_all_or_nothing(room: Room) -> None:
    """Nothing happens to a book that cannot fill it."""
    ask = room.crowd("ask", 51, 3)
    assert told(room.order("bid", 51, 4, force="fill_or_kill")) == ("canceled", 0, 0)
    assert ask.remaining == 300
    assert told(room.order("bid", 51, 3, force="fill_or_kill")) == ("executed", 3, 0)


def test_an_order_rests_with_what_it_could_not_take(room: Room) -> None:
    """Partial fill, then a place on the book; a second taker fills the rest as maker, without maker fee here."""
    room.crowd("ask", 51, 3)
    mine = room.order("bid", 51, 5)
    assert told(mine) == ("resting", 3, 2)
    room.crowd("ask", 51, 2)
    assert told(mine) == ("executed", 5, 0)
    assert mine.maker_cost == 2 * 51 * 10_000
    assert mine.maker_fees == 0


@pytest.mark.parametrize(
    ("mode", "taker", "maker"),
    [
        ("taker_at_cross", ("canceled", 0, 0), ("resting", 0, 5)),
        ("maker", ("resting", 0, 5), ("canceled", 0, 0)),
    ],
)
def test_nobody_trades_with_himself(
    room: Room, mode: str, taker: tuple[str, int, int], maker: tuple[str, int, int]
) -> None:
    """Either the newcomer is cancelled or the one that rests, as the order says."""
    resting = room.order("ask", 51, 5)
    newcomer = room.order("bid", 51, 5, self_trade=mode)
    assert (told(newcomer), told(resting)) == (taker, maker)
    assert "SelfTradeCancel" in room.reasons


def test_reduce_only_stops_at_flat(room: Room) -> None:
    """It closes what is held and opens nothing."""
    room.crowd("ask", 51, 5)
    room.crowd("bid", 49, 50)
    room.order("bid", 51, 5, force="immediate_or_cancel")
    closing = room.order("ask", 40, 20, force="immediate_or_cancel", reduce_only=True)
    assert closing.filled == 500
    assert room.me.positions[room.market.ticker].count == 0
    assert told(room.order("ask", 40, 1, force="immediate_or_cancel", reduce_only=True)) == ("canceled", 0, 0)


def test_an_order_ends_at_its_expiry(room: Room) -> None:
    """One second after, it is gone with its reason."""
    mine = room.order("bid", 40, 5, expires=room.now + 10)
    room.exchange.expire(room.now + 9)
    assert mine.status == "resting"
    room.exchange.expire(room.now + 10)
    assert (mine.status, room.reasons[-1]) == ("canceled", "ExpiryCancel")


def test_an_amended_expiry_counts_and_is_seen(room: Room) -> None:
    """Nothing else changes; reads see it; the order ends at the new time."""
    mine = room.order("bid", 40, 5)
    room.exchange.amend(room.me, mine, 4000, 500, room.now + 5)
    assert room.reasons[-1] == "Amend"
    assert room.desk.reads().orders[mine.order_id].expires == room.now + 5
    room.exchange.expire(room.now + 5)
    assert mine.status == "canceled"


def test_less_at_the_same_price_keeps_the_place_in_time(room: Room) -> None:
    """An amend down or a decrease stays first; an amend up goes behind."""
    first, second = room.order("bid", 40, 5), room.crowd("bid", 40, 5)
    room.exchange.amend(room.me, first, 4000, 400, None)
    room.exchange.decrease(room.me, first.order_id, 300)
    assert list(room.market.book.bids.orders()) == [first, second]
    room.exchange.amend(room.me, first, 4000, 900, None)
    assert list(room.market.book.bids.orders()) == [second, first]


def test_a_resting_order_that_cash_no_longer_covers_is_cancelled_when_met(room: Room) -> None:
    """Cash never falls below zero: the order goes, with its reason."""
    mine = room.order("bid", 50, 10)
    room.me.cash = 0
    room.crowd("ask", 50, 10)
    assert told(mine) == ("canceled", 0, 0)
    assert "MarginCancel" in room.reasons


def test_a_taker_whose_cash_ends_midway_keeps_what_it_could_pay(room: Room) -> None:
    """The fee of each of a hundred makers is rounded up: the rest is cancelled, and cash never falls below zero."""
    for _ in range(100):
        room.exchange.place(room.desk.crowd.makers, NewOrder(room.market.ticker, "ask", 5000, 1))
    room.me.cash = 517_500  # what one contract at 50 cents costs with its fee when it is bought of one maker
    mine = room.order("bid", 50, 1)
    assert (mine.status, mine.remaining) == ("canceled", 0)
    assert 90 < mine.filled < 100
    assert room.me.cash >= 0
    assert "MarginCancel" in room.reasons


def test_resting_orders_hold_the_cash_that_they_need(room: Room) -> None:
    """$10 000 cover 20 000 contracts at 50 cents, and not one more."""
    room.order("bid", 50, 19_990)
    with pytest.raises(Refusal, match="insufficient_balance"):
        room.order("bid", 50, 11)
    room.order("bid", 50, 10)
    assert room.me.held() == room.me.cash


def test_reactivation_cancels_what_rests(room: Room) -> None:
    """A paused market keeps its orders until it comes back (Kalshi docs: market lifecycle)."""
    mine = room.order("bid", 50, 10)
    room.desk.life.halt(room.market, room.now)
    assert mine.status == "resting"
    room.desk.life.resume(room.market, room.now)
    assert (mine.status, room.reasons[-1]) == ("canceled", "HaltCancel")
