"""The lifecycle of markets: open, close, settle, next event; settlement rows; prices by seed."""

from collections import Counter

import pytest

from simulator.errors import ApiError
from simulator.events import ExchangeEvent, SettlementEvent
from simulator.market import SimulatedMarket
from simulator.orders import OrderRequest
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange

START = 1_800_000_000.0


class TimedExchange:
    """An exchange whose clock a test moves."""

    def __init__(self, speed: float = 1.0, seed: int = 1, quiet: bool = False) -> None:
        self.now = START
        self.sim = SimulatedExchange(ExchangeOptions(seed=seed, speed=speed, quiet=quiet), lambda: self.now)
        self.engine = self.sim.engine
        self.paid: list[SettlementEvent] = []
        self.engine.listeners.append(self._on_event)

    def _on_event(self, event: ExchangeEvent) -> None:
        if isinstance(event, SettlementEvent):
            self.paid.append(event)

    def run(self, seconds: float, step: float) -> None:
        """Let time pass in steps."""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            self.sim.act()

    def markets(self, series: str) -> list[SimulatedMarket]:
        """Return the markets of one series."""
        return [m for m in self.engine.markets.values() if m.event.series.ticker == series]

    def trade(self, market: SimulatedMarket, side: str, count: int, price: int = 5000) -> None:
        """Trade count contracts of the member against another trader."""
        request = OrderRequest(market.ticker, side, price, count * 100)  # type: ignore[arg-type]
        self.engine.trade_privately(self.sim.member, request, self.sim.liquidity.makers)

    def settle(self, market: SimulatedMarket, value: int) -> SettlementEvent:
        """Close, determine and pay a market; return the member's settlement. value: price of one YES."""
        result = {0: "no", 10_000: "yes"}.get(value, "scalar")
        self.sim.lifecycle.close(market, self.now)
        self.sim.lifecycle.determine(market, result, value, self.now)  # type: ignore[arg-type]
        self.sim.lifecycle.finalize(market, self.now)
        return self.paid[-1]


def test_a_series_always_has_an_open_event() -> None:
    """In two hours eight quarter hours of bitcoin open, close, are determined and paid."""
    timed = TimedExchange()
    for _ in range(8):
        timed.run(900, 45)
        states = Counter(market.status for market in timed.markets("KXBTC15M"))
        assert states["active"] + states["closed"] >= 1
    assert states["finalized"] >= 6
    assert states["initialized"] >= 1


def test_every_holder_is_paid_once_by_the_result() -> None:
    """yes, no and scalar values over many markets: one settlement a market, paid by its value."""
    timed = TimedExchange(speed=200)
    bought: set[str] = set()
    for _ in range(40):
        for market in list(timed.engine.markets.values()):
            best = market.book.asks.best
            if market.status == "active" and best and market.ticker not in bought and len(bought) < 200:
                request = OrderRequest(market.ticker, "bid", best, 100, "immediate_or_cancel")
                timed.engine.place(timed.sim.member, request)
                bought.add(market.ticker)
        timed.run(5, 1.0)
    assert len(timed.paid) > 30
    assert len({paid.ticker for paid in timed.paid}) == len(timed.paid)
    assert {paid.result for paid in timed.paid} >= {"yes", "no"}
    for paid in timed.paid:
        assert (paid.payout, paid.reported_value) in ((1_000_000, 10_000), (0, 0)) or paid.result == "scalar"
        assert paid.reported_value % 100 == 0


@pytest.mark.parametrize(
    ("trades", "value", "yes", "no", "payout"),
    [
        ([("bid", 5), ("ask", 5)], 10_000, 500, 500, 0),
        ([("bid", 5), ("ask", 2)], 10_000, 500, 200, 3_000_000),
        ([("ask", 99), ("bid", 99)], 0, 9900, 9900, 0),
        ([("ask", 5), ("bid", 2)], 0, 200, 500, 3_000_000),
        ([("bid", 1)], 3700, 100, 0, 370_000),
    ],
    ids=["flat", "netted", "flat from NO", "netted NO", "scalar"],
)
def test_a_settlement_has_gross_counts_and_pays_the_net_position(
    trades: list[tuple[str, int]], value: int, yes: int, no: int, payout: int
) -> None:
    """Netted pairs are in the counts but not in the payout, and a flat market has a settlement too."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXCPIYOY")[0]
    for side, count in trades:
        timed.trade(market, side, count)
    fees = timed.sim.member.positions[market.ticker].fees
    before = timed.sim.member.cash[0]
    paid = timed.settle(market, value)
    assert (paid.position.yes_bought, paid.position.no_bought, paid.payout) == (yes, no, payout)
    assert paid.position.fees == fees > 0
    assert timed.sim.member.cash[0] - before == payout


def test_a_scalar_payout_is_rounded_down_to_whole_cents() -> None:
    """A net position of 0.14 at 0.45 is worth 0.063 and paid 0.06; the rest is collected by the exchange."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXCPIYOY")[0]
    request = OrderRequest(market.ticker, "bid", 5000, 14)
    timed.engine.trade_privately(timed.sim.member, request, timed.sim.liquidity.makers)
    collected = timed.engine.collected
    assert timed.settle(market, 4500).payout == 60_000
    # of the NO holder's 0.077 the exchange keeps 0.007 as well
    assert timed.engine.collected - collected == 3_000 + 7_000


def test_a_settlement_of_no_can_report_the_payout_of_no() -> None:
    """Real rows report either side's value; the payout is what counts."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXCPIYOY")[0]
    timed.trade(market, "ask", 1, 2500)
    timed.sim.lifecycle.close(market, timed.now)
    timed.sim.lifecycle.determine(market, "scalar", 1800, timed.now)
    timed.sim.lifecycle.finalize(market, timed.now, report_no_value=True)
    assert (timed.paid[-1].reported_value, timed.paid[-1].payout) == (8200, 820_000)


def test_a_settlement_floor_pays_yes_holders_early() -> None:
    """The documented example: 100 YES at 0.40, settlement_floor 0.30, 50 sold at 0.45, settled at 0.50."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXSHUTDOWN")[0]
    member = timed.sim.member
    start = member.cash[0]
    timed.trade(market, "bid", 100, 4000)
    fees = member.positions[market.ticker].fees
    assert start - member.cash[0] == 40_000_000 + fees
    timed.sim.lifecycle.set_floor(market, 3000, timed.now)
    assert start - member.cash[0] == 10_000_000 + fees
    timed.trade(market, "ask", 50, 4500)
    fees = member.positions[market.ticker].fees
    assert start - member.cash[0] == 2_500_000 + fees
    assert timed.settle(market, 5000).payout == 10_000_000
    assert member.cash[0] - start == 7_500_000 - fees
    assert member.positions[market.ticker].realized == 7_500_000


def test_a_raised_floor_cancels_orders_at_or_below_it() -> None:
    """A resting bid at the new settlement_floor is cancelled with its reason, one above it stays."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXSHUTDOWN")[0]
    low, high = (
        timed.engine.place(timed.sim.member, OrderRequest(market.ticker, "bid", price, 100)) for price in (3000, 3100)
    )
    timed.sim.lifecycle.set_floor(market, 3000, timed.now)
    assert (low.status, high.status) == ("canceled", "resting")


def test_a_bid_in_a_floor_market_reserves_its_price_above_the_floor() -> None:
    """The holder is paid the floor at once: a bid at 31 cents above a floor of 30 cents reserves one cent."""
    timed = TimedExchange(quiet=True)
    market = timed.markets("KXSHUTDOWN")[0]
    timed.sim.lifecycle.set_floor(market, 3000, timed.now)
    most = timed.sim.member.cash[market.shard] // 100
    timed.engine.place(timed.sim.member, OrderRequest(market.ticker, "bid", 3100, most - 100))
    assert timed.sim.member.reserved() == (most - 100) * 100
    with pytest.raises(ApiError, match="insufficient_balance"):
        timed.engine.place(timed.sim.member, OrderRequest(market.ticker, "bid", 3100, 101))
    timed.engine.place(timed.sim.member, OrderRequest(market.ticker, "bid", 3100, 100))


def test_a_fast_exchange_keeps_a_bounded_number_of_markets() -> None:
    """Half an hour at a thousandfold speed leaves a bounded number of markets, events and positions."""
    timed = TimedExchange(speed=1000, quiet=True)
    for step in range(900):
        timed.now += 2
        timed.sim.lifecycle.advance(timed.now)
        if step % 50 == 0:
            timed.sim.liquidity.act(timed.now)
    assert len(timed.engine.markets) < 400
    assert len(timed.sim.lifecycle.events) < 400
    assert all(len(account.positions) < 400 for account in timed.engine.accounts.values())
    assert all(timed.markets(series) for series in ("KXBTC15M", "KXETHD", "KXNBAGAME", "KXHIGHNY"))


def test_the_seed_determines_prices_and_trades() -> None:
    """Equal seeds give equal prices and volumes, another seed gives others."""
    runs = []
    for seed in (5, 5, 6):
        timed = TimedExchange(seed=seed)
        timed.run(15, 0.5)
        runs.append([(m.ticker, m.fair, m.volume) for m in timed.engine.markets.values()])
    assert runs[0] == runs[1] != runs[2]


def test_active_markets_have_two_quotes_and_trades() -> None:
    """After a minute nearly all open markets have both quotes, and trades have happened."""
    timed = TimedExchange()
    timed.run(60, 0.5)
    active = [m for m in timed.engine.markets.values() if m.status == "active"]
    assert len(active) == 40
    both = [m for m in active if m.book.bids.best and m.book.asks.best]
    assert len(both) > 0.9 * len(active)
    assert len(timed.sim.trades) > 100


def test_titles_are_complete() -> None:
    """Every title is a question without left-over placeholders; tickers begin with their event's."""
    for market in TimedExchange(quiet=True).engine.markets.values():
        assert market.title.endswith("?")
        assert "{" not in market.title + market.yes_sub_title
        assert market.ticker.startswith(market.event.ticker + "-")


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_quiet_markets_do_not_change(speed: float) -> None:
    """Without other traders and schedule nothing changes by itself."""
    timed = TimedExchange(speed=speed, quiet=True)
    before = [(m.ticker, m.status, m.fair) for m in timed.engine.markets.values()]
    timed.run(100_000, 10_000)
    assert [(m.ticker, m.status, m.fair) for m in timed.engine.markets.values()] == before
    assert not timed.sim.trades
