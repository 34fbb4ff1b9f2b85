"""What time does to markets: they open, close, settle, and the next event of the series comes."""

from collections import Counter

import pytest

from simulator.desk import Desk, Plan
from simulator.happening import Happening, Settlement
from simulator.market import Market
from simulator.order import NewOrder

START = 1_800_000_000.0


class Years:
    """A desk on a clock that a test turns."""

    def __init__(self, speed: float = 1.0, seed: int = 1, quiet: bool = False) -> None:
        self.now = START
        self.desk = Desk(Plan(seed=seed, speed=speed, quiet=quiet), lambda: self.now)
        self.paid: list[Settlement] = []
        self.desk.exchange.listeners.append(self._hear)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, Settlement):
            self.paid.append(happening)

    def pass_(self, seconds: float, step: float) -> None:
        """Let time pass in steps."""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            self.desk.act()

    def markets(self, series: str) -> list[Market]:
        """Of one series."""
        return [m for m in self.desk.exchange.markets.values() if m.event.series.ticker == series]


def test_a_series_goes_on_event_after_event() -> None:
    """In two hours eight quarter hours of bitcoin open, close, are determined and paid; always one is open."""
    years = Years()
    for _ in range(8):
        years.pass_(900, 45)
        states = Counter(market.state for market in years.markets("KXBTC15M"))
        assert states["active"] + states["closed"] >= 1
    assert states["finalized"] >= 6
    assert states["initialized"] >= 1


def test_a_market_pays_what_its_result_says() -> None:
    """yes, no and scalar values; whoever held something is paid once; nothing is open after."""
    years = Years(speed=200)
    held = set()
    for _ in range(40):
        for market in list(years.desk.exchange.markets.values()):
            if market.state == "active" and market.book.asks.best and market.ticker not in held and len(held) < 200:
                years.desk.exchange.place(
                    years.desk.member,
                    NewOrder(
                        market.ticker,
                        "bid",
                        market.book.asks.best,
                        100,
                        "immediate_or_cancel",
                    ),
                )
                held.add(market.ticker)
        years.pass_(5, 1.0)
    mine = [paid for paid in years.paid if paid.account == years.desk.member.name]
    assert len(mine) > 30
    assert len({paid.ticker for paid in mine}) == len(mine)
    assert {paid.result for paid in mine} >= {"yes", "no"}
    for paid in mine:
        assert (paid.payout, paid.value) in ((1_000_000, 10_000), (0, 0)) or paid.result == "scalar"
        assert paid.value % 100 == 0


def test_a_sped_up_exchange_does_not_grow_for_ever() -> None:
    """Half an hour at a thousandfold speed leaves a bounded number of markets, events and house positions."""
    years = Years(speed=1000, quiet=True)
    exchange = years.desk.exchange
    for step in range(900):
        years.now += 2
        years.desk.life.advance(years.now)
        if step % 50 == 0:
            years.desk.crowd.act(years.now)
    assert len(exchange.markets) < 400
    assert len(years.desk.life.events) < 400
    assert all(len(account.positions) < 400 for account in exchange.accounts.values())
    assert all(years.markets(series) for series in ("KXBTC15M", "KXETHD", "KXNBAGAME", "KXHIGHNY"))


def test_the_seed_decides_prices() -> None:
    """The same seed walks the same way, another one differently."""
    ways = []
    for seed in (5, 5, 6):
        years = Years(seed=seed)
        years.pass_(15, 0.5)
        ways.append([(m.ticker, m.fair, m.volume) for m in years.desk.exchange.markets.values()])
    assert ways[0] == ways[1] != ways[2]


def test_quotes_are_two_sided_and_trades_happen() -> None:
    """After a minute nearly all open markets have both quotes, and the tape runs."""
    years = Years()
    years.pass_(60, 0.5)
    active = [m for m in years.desk.exchange.markets.values() if m.state == "active"]
    assert len(active) >= 24
    both = [m for m in active if m.book.bids.best and m.book.asks.best]
    assert len(both) > 0.9 * len(active)
    assert len(years.desk.tape) > 100


def test_every_title_can_be_read() -> None:
    """Real words, no left-over placeholders; categories as the exchange has them."""
    for market in Years(quiet=True).desk.exchange.markets.values():
        assert market.title.endswith("?")
        assert "{" not in market.title + market.yes_sub_title
        assert market.ticker.startswith(market.event.ticker + "-")


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_quiet_markets_stay_as_they_are(speed: float) -> None:
    """No crowd, no schedule: nothing moves by itself."""
    years = Years(speed=speed, quiet=True)
    before = [(m.ticker, m.state, m.fair) for m in years.desk.exchange.markets.values()]
    years.pass_(100_000, 10_000)
    assert [(m.ticker, m.state, m.fair) for m in years.desk.exchange.markets.values()] == before
    assert not years.desk.tape
