"""The matching engine: invariants over random order flow, and each order type by example."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import ApiError
from simulator.events import ExchangeEvent, OrderEvent
from simulator.market import SimulatedMarket
from simulator.orders import OrderRequest, SimulatedOrder
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange
from tests.simulator.order_flow import OrderFlow


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_cash_positions_and_books_add_up_after_every_step(seed: int) -> None:
    """Cash and positions equal the sums over fills and settlements, books are uncrossed, cash is never negative."""
    flow = OrderFlow(seed)
    for _ in range(120):
        flow.step()
        flow.check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_ten_thousand_orders_keep_every_invariant(seed: int) -> None:
    """The same over more than 10 000 orders in all, checked every 25 steps."""
    flow = OrderFlow(seed)
    while flow.placed < 1500:
        for _ in range(25):
            flow.step()
        flow.check()
    assert flow.fills
    assert flow.settlements
    assert flow.refused


class OneMarket:
    """One active market of a quiet exchange, its member and its other traders."""

    def __init__(self, *, maker_fees: bool = False) -> None:
        self.now = 1_800_000_000.0
        self.sim = SimulatedExchange(ExchangeOptions(quiet=True, shard_cash={0: 10_000}), lambda: self.now)
        self.engine, self.member = self.sim.engine, self.sim.member
        self.market: SimulatedMarket = next(
            market
            for market in self.engine.markets.values()
            if market.event.series.maker_fees == maker_fees and market.shard == 0 and market.is_valid(5000)
            and market.bounds == "default" and market.structure != "deci_cent"
        )  # fmt: skip
        self.changes: list[OrderEvent] = []
        self.engine.listeners.append(self._on_event)

    def _on_event(self, event: ExchangeEvent) -> None:
        if isinstance(event, OrderEvent):
            self.changes.append(event)

    @property
    def reasons(self) -> list[str]:
        """The reasons of all changes of the member's orders."""
        return [change.reason for change in self.changes]

    def order(self, side: str, price: int, count: int, **options: object) -> SimulatedOrder:
        """Place an order of the member; price in cents, count in contracts."""
        request = OrderRequest(self.market.ticker, side, price * 100, count * 100, **options)  # type: ignore[arg-type]
        return self.engine.place(self.member, request)

    def other(self, side: str, price: int, count: int) -> SimulatedOrder:
        """Place a resting order of another trader."""
        request = OrderRequest(self.market.ticker, side, price * 100, count * 100)  # type: ignore[arg-type]
        return self.engine.place(self.sim.liquidity.makers, request)


@pytest.fixture
def one() -> OneMarket:
    """A new market."""
    return OneMarket()


def summary(order: SimulatedOrder) -> tuple[str, int, int]:
    """Return status, contracts filled, contracts remaining."""
    return order.status, order.filled // 100, order.remaining // 100


def test_a_taker_gets_the_best_price_then_the_oldest_order(one: OneMarket) -> None:
    """A taker meets the cheapest ask, and of two at one price the older one."""
    late, old, young = one.other("ask", 52, 5), one.other("ask", 51, 5), one.other("ask", 51, 5)
    taken = one.order("bid", 60, 7, time_in_force="immediate_or_cancel")
    assert summary(taken) == ("executed", 7, 0)
    assert taken.value == 7 * 51 * 10_000
    assert (summary(old)[1], summary(young)[1], summary(late)[1]) == (5, 2, 0)


def test_an_immediate_order_never_rests(one: OneMarket) -> None:
    """The part without a counterparty is cancelled."""
    one.other("ask", 51, 3)
    assert summary(one.order("bid", 51, 10, time_in_force="immediate_or_cancel")) == ("canceled", 3, 0)
    assert one.market.book.bids.best is None


def test_an_immediate_order_is_reported_as_executed_once(one: OneMarket) -> None:
    """Two makers give two changes, of which the last one alone has status executed."""
    one.other("ask", 50, 2)
    one.other("ask", 51, 3)
    one.order("bid", 51, 5, time_in_force="immediate_or_cancel")
    assert [change.order.status for change in one.changes] == ["resting", "executed"]


def test_an_order_that_rests_is_reported_once(one: OneMarket) -> None:
    """One change for an order without a trade, and one for a part that traded before the rest rests."""
    one.order("bid", 40, 5)
    assert one.reasons == [""]
    one.other("ask", 41, 3)
    one.order("bid", 41, 5)
    assert one.reasons == ["", "Trade"]
    assert summary(one.changes[-1].order) == ("resting", 3, 2)


def test_a_fill_or_kill_order_fills_whole_or_is_refused(one: OneMarket) -> None:
    """409 and nothing happens to a book that cannot fill it; its client_order_id is used up."""
    ask = one.other("ask", 51, 3)
    with pytest.raises(ApiError, match="fill_or_kill_insufficient_resting_volume") as refused:
        one.order("bid", 51, 4, time_in_force="fill_or_kill", client_order_id="used")
    assert refused.value.status == 409
    assert ask.remaining == 300
    with pytest.raises(ApiError, match="order_already_exists"):
        one.order("bid", 51, 3, time_in_force="fill_or_kill", client_order_id="used")
    assert summary(one.order("bid", 51, 3, time_in_force="fill_or_kill")) == ("executed", 3, 0)


@pytest.mark.parametrize("own", ["taker_at_cross", "maker"])
def test_a_fill_or_kill_order_does_not_count_orders_of_its_own_account(one: OneMarket, own: str) -> None:
    """3 of others and 5 of its own: 4 cannot fill, whatever the self-trade mode."""
    one.order("ask", 51, 5)
    one.other("ask", 51, 3)
    with pytest.raises(ApiError, match="fill_or_kill"):
        one.order("bid", 51, 4, time_in_force="fill_or_kill", self_trade=own)


def test_an_order_rests_with_its_unfilled_part(one: OneMarket) -> None:
    """It fills in part, rests, and fills the rest as a maker, without maker fee in this series."""
    one.other("ask", 51, 3)
    mine = one.order("bid", 51, 5)
    assert summary(mine) == ("resting", 3, 2)
    one.other("ask", 51, 2)
    assert summary(mine) == ("executed", 5, 0)
    assert mine.maker_cost == 2 * 51 * 10_000
    assert mine.maker_fees == 0


def test_a_maker_pays_a_quarter_of_the_taker_fee_in_series_with_maker_fees() -> None:
    """10 contracts at 0.50: 0.175 for the taker, 0.04375 rounded up to 0.0438 for the maker."""
    one = OneMarket(maker_fees=True)
    maker = one.order("bid", 50, 10)
    one.other("ask", 50, 10)
    one.other("ask", 50, 10)
    taker = one.order("bid", 50, 10, time_in_force="immediate_or_cancel")
    assert (maker.maker_fees, taker.taker_fees) == (43_800, 175_000)


@pytest.mark.parametrize(
    ("mode", "taker", "maker"),
    [
        ("taker_at_cross", ("canceled", 0, 0), ("resting", 0, 5)),
        ("maker", ("resting", 0, 5), ("canceled", 0, 0)),
    ],
)
def test_an_account_does_not_trade_with_itself(
    one: OneMarket, mode: str, taker: tuple[str, int, int], maker: tuple[str, int, int]
) -> None:
    """The self-trade mode cancels either the new order or the resting one."""
    resting = one.order("ask", 51, 5)
    new = one.order("bid", 51, 5, self_trade=mode)
    assert (summary(new), summary(resting)) == (taker, maker)
    assert "SelfTradeCancel" in one.reasons


def test_a_reduce_only_order_stops_at_a_flat_position(one: OneMarket) -> None:
    """It closes the position and opens nothing."""
    one.other("ask", 51, 5)
    one.other("bid", 49, 50)
    one.order("bid", 51, 5, time_in_force="immediate_or_cancel")
    closing = one.order("ask", 40, 20, time_in_force="immediate_or_cancel", reduce_only=True)
    assert closing.filled == 500
    assert one.member.positions[one.market.ticker].count == 0
    again = one.order("ask", 40, 1, time_in_force="immediate_or_cancel", reduce_only=True)
    assert summary(again) == ("canceled", 0, 0)


def test_a_reduce_only_fill_or_kill_order_is_refused(one: OneMarket) -> None:
    """reduce_only goes with immediate_or_cancel alone."""
    with pytest.raises(ApiError, match="reduce_only needs immediate_or_cancel"):
        one.order("ask", 40, 1, time_in_force="fill_or_kill", reduce_only=True)


def test_an_order_ends_at_its_expiry(one: OneMarket) -> None:
    """At its expiration_time, not before, it is cancelled with its reason."""
    mine = one.order("bid", 40, 5, expires=one.now + 10)
    one.engine.expire(one.now + 9)
    assert mine.status == "resting"
    one.engine.expire(one.now + 10)
    assert (mine.status, one.reasons[-1]) == ("canceled", "ExpiryCancel")


def test_an_amended_expiry_is_effective_and_readable(one: OneMarket) -> None:
    """An amend of the expiry alone is visible to reads, and the order ends at the new time."""
    mine = one.order("bid", 40, 5)
    one.engine.amend(one.member, mine, 4000, 500, one.now + 5)
    assert one.reasons[-1] == "Amend"
    assert one.sim.caught_up_reads().orders[mine.order_id].expires == one.now + 5
    one.engine.expire(one.now + 5)
    assert mine.status == "canceled"


def test_a_smaller_count_at_the_same_price_keeps_the_time_priority(one: OneMarket) -> None:
    """An amend down or a decrease stays first, an amend up goes behind; the queue position follows."""
    first, second = one.order("bid", 40, 5), one.other("bid", 40, 5)
    book = one.market.book
    one.engine.amend(one.member, first, 4000, 400, None)
    one.engine.decrease(one.member, first.order_id, 300)
    assert list(book.bids.orders()) == [first, second]
    assert (book.count_ahead(first), book.count_ahead(second)) == (0, 300)
    one.engine.amend(one.member, first, 4000, 900, None)
    assert list(book.bids.orders()) == [second, first]
    assert (book.count_ahead(first), book.count_ahead(second)) == (500, 0)


def test_an_amend_of_the_expiry_alone_keeps_the_time_priority(one: OneMarket) -> None:
    """The same price and count stay first."""
    first, second = one.order("bid", 40, 5), one.other("bid", 40, 5)
    one.engine.amend(one.member, first, 4000, 500, one.now + 60)
    assert list(one.market.book.bids.orders()) == [first, second]


def test_the_queue_position_counts_better_prices_and_older_orders(one: OneMarket) -> None:
    """Everything at a better price and everything older at the same price is ahead; worse prices are not."""
    one.other("bid", 41, 7)
    one.other("bid", 40, 5)
    mine = one.order("bid", 40, 9)
    one.other("bid", 40, 3)
    one.other("bid", 39, 11)
    assert one.market.book.count_ahead(mine) == 1200


def test_a_resting_order_without_cash_is_cancelled_when_it_would_trade(one: OneMarket) -> None:
    """Cash never falls below zero: the order is cancelled with its reason."""
    mine = one.order("bid", 50, 10)
    one.member.cash[0] = 0
    one.other("ask", 50, 10)
    assert summary(mine) == ("canceled", 0, 0)
    assert "MarginCancel" in one.reasons


def test_a_taker_without_cash_for_all_keeps_its_first_fills(one: OneMarket) -> None:
    """The fee of each of a hundred makers is rounded up: the rest is cancelled, and cash never falls below zero."""
    for _ in range(100):
        one.engine.place(one.sim.liquidity.makers, OrderRequest(one.market.ticker, "ask", 5000, 1))
    one.member.cash[0] = 517_500  # the price of one contract at 50 cents with its fee when bought from one maker
    mine = one.order("bid", 50, 1)
    assert (mine.status, mine.remaining) == ("canceled", 0)
    assert 90 < mine.filled < 100
    assert one.member.cash[0] >= 0
    assert "MarginCancel" in one.reasons


def test_resting_orders_reserve_the_cash_that_they_need(one: OneMarket) -> None:
    """$10 000 cover 20 000 contracts at 50 cents, and not one more; an ask reserves 1 - price."""
    one.order("bid", 50, 19_990)
    with pytest.raises(ApiError, match="insufficient_balance"):
        one.order("bid", 50, 11)
    one.order("bid", 50, 10)
    assert one.member.reserved() == one.member.cash[0]
    one.engine.end(next(iter(one.engine.resting())))
    one.order("ask", 80, 10)
    assert one.member.reserved() == (10 * 50 + 10 * 20) * 10_000


def test_an_order_that_closes_a_position_reserves_nothing(one: OneMarket) -> None:
    """Of 5 YES held, an ask of 8 at 60 cents reserves 3 x 40 cents, and the best-priced ask closes first."""
    one.other("ask", 50, 5)
    one.order("bid", 50, 5)
    one.order("ask", 60, 8)
    assert one.member.reserved() == 3 * 40 * 10_000
    one.order("ask", 55, 5)
    assert one.member.reserved() == 8 * 40 * 10_000


def test_a_bid_that_closes_a_no_position_reserves_nothing(one: OneMarket) -> None:
    """Of 5 NO held, a bid of 8 at 40 cents reserves 3 x 40 cents, and the highest bid closes first."""
    one.other("bid", 50, 5)
    one.order("ask", 50, 5)
    one.order("bid", 40, 8)
    assert one.member.reserved() == 3 * 40 * 10_000
    one.order("bid", 45, 5)
    assert one.member.reserved() == 8 * 40 * 10_000


def test_cash_of_another_shard_does_not_pay_for_an_order(one: OneMarket) -> None:
    """With all cash on shard 0, an order on a crypto market of shard 2 is refused until cash is transferred."""
    crypto = next(m for m in one.engine.markets.values() if m.shard == 2 and m.status == "active")
    request = OrderRequest(crypto.ticker, "bid", 1000, 100)
    with pytest.raises(ApiError, match="insufficient_balance"):
        one.engine.place(one.member, request)
    one.sim.transfers.move("", 0, 2, 100_000)
    assert one.engine.place(one.member, request).status == "resting"


def test_orders_of_other_markets_reserve_cash_of_their_shard_alone(one: OneMarket) -> None:
    """$9 990 reserved in one market of shard 0 leave $10 for another one, whatever rests on shard 2."""
    one.member.cash[2] = 1_000_000_000
    markets = [m for m in one.engine.markets.values() if m.status == "active" and m.is_valid(5000)]
    other = next(m for m in markets if m.shard == 0 and m is not one.market)
    crypto = next(m for m in markets if m.shard == 2)
    one.order("bid", 50, 19_980)
    one.engine.place(one.member, OrderRequest(crypto.ticker, "bid", 5000, 200_000))
    with pytest.raises(ApiError, match="insufficient_balance"):
        one.engine.place(one.member, OrderRequest(other.ticker, "bid", 5000, 2_100))
    assert one.engine.place(one.member, OrderRequest(other.ticker, "bid", 5000, 2_000)).status == "resting"


def test_reserved_cash_cannot_be_transferred(one: OneMarket) -> None:
    """Of $10 000 with $9 990 reserved, $10 can move to another shard, and not a cent more."""
    one.order("bid", 50, 19_980)
    with pytest.raises(ApiError, match="insufficient_balance"):
        one.sim.transfers.move("", 0, 1, 10_010_000)
    one.sim.transfers.move("", 0, 1, 10_000_000)
    assert one.member.cash[1] == 10_000_000


def test_reactivation_cancels_resting_orders(one: OneMarket) -> None:
    """A paused market keeps its orders until it is reactivated (Kalshi docs: market lifecycle)."""
    mine = one.order("bid", 50, 10)
    one.sim.lifecycle.halt(one.market, one.now)
    assert mine.status == "resting"
    one.sim.lifecycle.resume(one.market, one.now)
    assert (mine.status, one.reasons[-1]) == ("canceled", "HaltCancel")
