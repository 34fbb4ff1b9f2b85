"""Random order flow over a desk of its own, and the rules that must hold after every step."""

from collections import defaultdict
from fractions import Fraction
from random import Random

from simulator.account import Account
from simulator.desk import Desk, Plan
from simulator.happening import Fill, Happening, Settlement
from simulator.market import Market
from simulator.order import NewOrder, Order
from simulator.refusal import Refusal
from simulator.rules import check_amendment

START = 200 * 1_000_000
"""Money of each trader: little, so that orders run out of it."""


class Flow:
    """Three traders with little cash and the crowd, on a few markets of a quiet desk with a clock of its own."""

    def __init__(self, seed: int) -> None:
        self.now = 1_800_000_000.0
        self.rng = Random(seed)
        self.desk = Desk(Plan(seed=seed, cash=200, quiet=True), lambda: self.now)
        self.exchange = self.desk.exchange
        self.traders = [self.desk.member] + [self.exchange.open_account(f"trader-{n}", START) for n in (1, 2)]
        active = [m for m in self.exchange.markets.values() if m.state == "active"]
        # the finest grid first: its prices times a fraction of a contract are what rounding is about
        self.markets = sorted(active, key=lambda market: market.structure != "deci_cent")
        self.fills: list[Fill] = []
        self.settlements: list[Settlement] = []
        self.placed = 0
        self.refused = 0
        self.exchange.listeners.append(self._hear)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, Fill):
            self.fills.append(happening)
        if isinstance(happening, Settlement):
            self.settlements.append(happening)

    def step(self) -> None:
        """One random deed of one random trader, or of time."""
        rng, self.now = self.rng, self.now + self.rng.choice((0.0, 0.01, 1.0))
        # four markets at a time, so that orders meet; now and then one that may have ended
        open_ones = [market for market in self.markets if market.state == "active"][:4]
        trader, market = rng.choice(self.traders), rng.choice(open_ones if rng.random() < 0.97 else self.markets)
        deed = rng.random()
        try:
            if deed < 0.68:
                self.placed += 1
                self.exchange.place(trader, self._order(market))
            elif deed < 0.93:
                self._change(trader, rng.random())
            elif deed < 0.98 and market.state == "active":
                self.desk.crowd.quote(market)
                self.desk.crowd.take(market)
            elif deed < 0.982:
                self._settle(market)
            self.exchange.expire(self.now)
        except Refusal:
            self.refused += 1

    def _order(self, market: Market) -> NewOrder:
        rng = self.rng
        force = rng.choice(("good_till_canceled",) * 3 + ("immediate_or_cancel", "fill_or_kill"))
        fine = 0 if market.structure == "linear_cent" else rng.choice((0, 0, 10, 70))
        price = rng.randint(20, 80) * 100 + fine if rng.random() < 0.9 else rng.randint(0, 10_000)
        return NewOrder(
            market.ticker,
            rng.choice(("bid", "ask")),
            price,
            rng.choice((1, 33, 100, 700, 2_550, 20_000)),
            force,
            rng.choice(("taker_at_cross", "maker")),
            f"id-{rng.randint(0, 10**6)}",
            self.now + 2 if force[0] == "g" and rng.random() < 0.1 else None,
            post_only=rng.random() < 0.1,
            reduce_only=force[0] != "g" and rng.random() < 0.3,
        )

    def _change(self, trader: Account, choice: float) -> None:
        orders = [order for orders in trader.resting.values() for order in orders.values()]
        if not orders:
            return
        order = self.rng.choice(orders)
        if choice < 0.4:
            self.exchange.cancel(trader, order.order_id)
        elif choice < 0.6:
            self.exchange.decrease(trader, order.order_id, self.rng.randint(0, order.remaining))
        else:
            self._amend(trader, order)

    def _amend(self, trader: Account, order: Order) -> None:
        price, count = self.rng.randint(1, 99) * 100, self.rng.choice((100, 50_000, order.initial, order.filled + 1))
        check_amendment(self.exchange.markets[order.ticker], trader, order, price, count, "")
        self.exchange.amend(trader, order, price, count, None)

    def _settle(self, market: Market) -> None:
        if market.state == "active" and len([m for m in self.markets if m.state == "active"]) > 4:
            life, value = self.desk.life, self.rng.choice((0, 10_000, self.rng.randint(1, 99) * 100))
            life.close(market, self.now)
            life.determine(market, {0: "no", 10_000: "yes"}.get(value, "scalar"), value, self.now)  # type: ignore[arg-type]
            life.finalize(market, self.now)

    # ---- what must hold

    def check(self) -> None:
        """Every rule at once."""
        for market in self.markets:
            self._check_book(market)
        for order in self.exchange.orders.values():
            assert order.filled + order.remaining <= order.initial
            assert (order.status == "resting") == (order.remaining > 0)
        self._check_money()

    def _check_book(self, market: Market) -> None:
        bids, asks = market.book.bids, market.book.asks
        assert bids.best is None or asks.best is None or bids.best < asks.best
        for ladder in (bids, asks):
            sums: dict[int, int] = defaultdict(int)
            for order in ladder.orders():
                sums[order.price] += order.remaining
                assert order.status == "resting"
            assert dict(sums) == ladder.sizes
        known = [a.positions for a in self.exchange.accounts.values() if market.ticker in a.positions]
        held = [positions[market.ticker].count for positions in known]
        assert sum(held) == 0
        assert market.open_interest == sum(count for count in held if count > 0)

    def _check_money(self) -> None:
        accounts = self.exchange.accounts.values()
        collateral = sum(market.open_interest for market in self.markets) * 10_000
        assert sum(a.cash for a in accounts) + self.exchange.collected + collateral == len(self.traders) * START
        for trader in self.traders:
            assert trader.cash >= 0
            assert trader.cash % 100 == 0
            cash, counts = self._retold(trader.name)
            assert cash == Fraction(trader.cash, 1_000_000)
            assert counts == {t: p.count for t, p in trader.positions.items() if p.count}
        reads = self.desk.reads()
        assert reads.cash == self.desk.member.cash
        assert reads.positions == self.desk.member.positions

    def _retold(self, name: str) -> tuple[Fraction, dict[str, int]]:
        """Cash in dollars and positions, told again from the fills and settlements as a client would."""
        cash, counts = Fraction(START, 1_000_000), defaultdict(int)
        for event in sorted(
            [*self.fills, *self.settlements], key=lambda event: (event.at, isinstance(event, Settlement))
        ):
            if event.account != name:
                continue
            if isinstance(event, Settlement):
                cash += Fraction(event.payout, 1_000_000)
                counts[event.ticker] = 0
                continue
            signed = event.count if event.side == "bid" else -event.count
            closing = min(abs(signed), abs(counts[event.ticker])) if signed * counts[event.ticker] < 0 else 0
            yes, no = Fraction(event.price, 10_000), 1 - Fraction(event.price, 10_000)
            pays, gets = (yes, no) if signed > 0 else (no, yes)
            cash += gets * closing / 100 - pays * (abs(signed) - closing) / 100 - Fraction(event.fee, 1_000_000)
            counts[event.ticker] += signed
        return cash, {ticker: count for ticker, count in counts.items() if count}
