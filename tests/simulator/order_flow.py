"""Random orders, settlements, floors, voids and transfers on one exchange, and the invariants after every step."""

from collections import defaultdict
from fractions import Fraction
from random import Random

from simulator.account import MemberAccount, reservation
from simulator.errors import ApiError
from simulator.events import ExchangeEvent, FillEvent, SettlementEvent
from simulator.market import SimulatedMarket
from simulator.order_rules import check_amendment
from simulator.orders import OrderRequest, SimulatedOrder, TimeInForce
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange

START = 200 * 1_000_000
"""Money of each trader on each shard: little, so that orders run out of it."""


class OrderFlow:
    """Three traders with little cash and other traders, on the markets of a quiet exchange with its own clock."""

    def __init__(self, seed: int) -> None:
        self.now = 1_800_000_000.0
        self.rng = Random(seed)
        cash = dict.fromkeys((0, 2, 3), 200)
        self.sim = SimulatedExchange(ExchangeOptions(seed=seed, quiet=True, shard_cash=cash), lambda: self.now)
        self.engine = self.sim.engine
        others = [self.engine.open_account(f"trader-{n}", dict.fromkeys((0, 2, 3), START)) for n in (1, 2)]
        self.traders = [self.sim.member, *others]
        active = [m for m in self.engine.markets.values() if m.status == "active"]
        # the finest grid first: its prices times a fraction of a contract are the cases of rounding
        self.markets = sorted(active, key=lambda market: (market.bounds != "floor", market.structure != "deci_cent"))
        self.fills: list[FillEvent] = []
        self.settlements: list[SettlementEvent] = []
        self.placed = 0
        self.refused = 0
        self.engine.listeners.append(self._on_event)

    def _on_event(self, event: ExchangeEvent) -> None:
        if isinstance(event, FillEvent):
            self.fills.append(event)
        if isinstance(event, SettlementEvent):
            self.settlements.append(event)

    def step(self) -> None:
        """Do one random action of one random trader, or of the exchange."""
        rng, self.now = self.rng, self.now + self.rng.choice((0.0, 0.01, 1.0))
        # four markets at a time, so that orders meet; sometimes one that may have ended
        open_ones = [market for market in self.markets if market.status == "active"][:4]
        trader, market = rng.choice(self.traders), rng.choice(open_ones if rng.random() < 0.97 else self.markets)
        action = rng.random()
        try:
            if action < 0.68:
                self.placed += 1
                self.engine.place(trader, self._order(market))
            elif action < 0.90:
                self._change(trader, rng.random())
            elif action < 0.95 and market.status == "active":
                self.sim.liquidity.quote(market)
                self.sim.liquidity.take(market)
            elif action < 0.96:
                self._settle(market)
            else:
                self._move_cash(rng.random())
            self.engine.expire(self.now)
        except ApiError:
            self.refused += 1

    def _order(self, market: SimulatedMarket) -> OrderRequest:
        rng = self.rng
        force: TimeInForce = rng.choice(("good_till_canceled",) * 3 + ("immediate_or_cancel", "fill_or_kill"))
        fine = 0 if market.structure == "linear_cent" else rng.choice((0, 0, 10, 70))
        price = rng.randint(20, 80) * 100 + fine if rng.random() < 0.9 else rng.randint(0, 10_000)
        return OrderRequest(
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

    def _change(self, trader: MemberAccount, choice: float) -> None:
        orders = [order for orders in trader.resting.values() for order in orders.values()]
        if not orders:
            return
        order = self.rng.choice(orders)
        if choice < 0.4:
            self.engine.cancel(trader, order.order_id)
        elif choice < 0.6:
            self.engine.decrease(trader, order.order_id, self.rng.randint(0, order.remaining))
        else:
            self._amend(trader, order)

    def _amend(self, trader: MemberAccount, order: SimulatedOrder) -> None:
        price, count = self.rng.randint(1, 99) * 100, self.rng.choice((100, 50_000, order.initial, order.filled + 1))
        check_amendment(self.engine.markets[order.ticker], trader, order, price, count, "")
        self.engine.amend(trader, order, price, count, None)

    def _settle(self, market: SimulatedMarket) -> None:
        if market.status == "active" and len([m for m in self.markets if m.status == "active"]) > 4:
            lifecycle, value = self.sim.lifecycle, self.rng.choice((0, 10_000, self.rng.randint(1, 99) * 100))
            value = max(value, market.settlement_floor)
            result = {0: "no", 10_000: "yes"}.get(value, "scalar")
            lifecycle.close(market, self.now)
            lifecycle.determine(market, result, value, self.now)  # type: ignore[arg-type]
            lifecycle.finalize(market, self.now)

    def _move_cash(self, choice: float) -> None:
        market = self.markets[0]
        if choice < 0.4:
            source, target = self.rng.sample((0, 2, 3), 2)
            self.sim.transfers.move("", source, target, self.rng.randint(1, 10_000) * 100)
        elif choice < 0.7 and self.sim.caught_up_ledger().fills:
            fills = self.sim.ledger.fills
            self._void(self.rng.choice(fills), fills)
        elif market.bounds == "floor" and market.status == "active":
            self.sim.lifecycle.set_floor(
                market, min(market.settlement_floor + self.rng.randint(0, 5) * 100, 3_000), self.now
            )

    def _void(self, fill: FillEvent, fills: list[FillEvent]) -> None:
        if self.sim.member.cash[fill.shard] > 100 * 1_000_000 and not self.engine.markets[fill.ticker].settlement_floor:
            self.sim.transfers.void(fill, list(fills), self.sim.liquidity.makers, keep_row=False)
            self.fills.remove(fill)

    # ---- invariants

    def check(self) -> None:
        """Check every invariant."""
        for market in self.markets:
            self._check_book(market)
        for trader in self.traders:
            needed = [
                reservation(orders.values(), trader.count(ticker), self.engine.markets[ticker].settlement_floor)
                for ticker, orders in trader.resting.items()
            ]
            assert trader.reserved() == sum(needed)
        for order in self.engine.orders.values():
            assert order.filled + order.remaining <= order.initial
            assert (order.status == "resting") == (order.remaining > 0)
        self._check_money()

    def _check_book(self, market: SimulatedMarket) -> None:
        bids, asks = market.book.bids, market.book.asks
        assert bids.best is None or asks.best is None or bids.best < asks.best
        assert all(price > market.settlement_floor for side in (bids, asks) for price in side.sizes)
        for side in (bids, asks):
            sums: dict[int, int] = defaultdict(int)
            for order in side.orders():
                sums[order.price] += order.remaining
                assert order.status == "resting"
            assert dict(sums) == side.sizes
        counts = [account.count(market.ticker) for account in self.engine.accounts.values()]
        assert sum(counts) == 0
        assert market.open_interest == sum(count for count in counts if count > 0)

    def _check_money(self) -> None:
        accounts = self.engine.accounts.values()
        collateral = sum(market.open_interest * (10_000 - market.settlement_floor) for market in self.markets)
        total = sum(account.total_cash for account in accounts)
        assert total + self.engine.collected + collateral == len(self.traders) * 3 * START
        for trader in self.traders:
            assert min(trader.cash.values()) >= 0
            assert all(money % 100 == 0 for money in trader.cash.values())
            cash, counts = self._recompute(trader.name)
            assert cash == Fraction(trader.total_cash, 1_000_000)
            assert counts == {t: p.count for t, p in trader.positions.items() if p.count}
        reads = self.sim.caught_up_reads()
        assert reads.cash == self.sim.member.cash
        assert reads.positions == self.sim.member.positions

    def _recompute(self, name: str) -> tuple[Fraction, dict[str, int]]:
        """Return cash in dollars and positions computed from fills, floors and settlements, as a client would."""
        cash, counts = Fraction(3 * START, 1_000_000), defaultdict[str, int](int)
        rows: list[FillEvent | SettlementEvent] = sorted(
            [*self.fills, *self.settlements], key=lambda row: (row.at, isinstance(row, SettlementEvent))
        )
        for row in rows:
            if row.account != name:
                continue
            if isinstance(row, SettlementEvent):
                count = row.position.count
                cash += Fraction(row.payout, 1_000_000) + Fraction(
                    count * self._settlement_floor(row.ticker), 1_000_000
                ) * (count > 0)
                counts[row.ticker] = 0
                continue
            signed = row.count if row.side == "bid" else -row.count
            closing = min(abs(signed), abs(counts[row.ticker])) if signed * counts[row.ticker] < 0 else 0
            yes, no = Fraction(row.price, 10_000), 1 - Fraction(row.price, 10_000)
            pays, gets = (yes, no) if signed > 0 else (no, yes)
            cash += gets * closing / 100 - pays * (abs(signed) - closing) / 100 - Fraction(row.fee, 1_000_000)
            counts[row.ticker] += signed
        credit = sum(count * self._settlement_floor(ticker) for ticker, count in counts.items() if count > 0)
        return cash + Fraction(credit, 1_000_000), {ticker: count for ticker, count in counts.items() if count}

    def _settlement_floor(self, ticker: str) -> int:
        return self.engine.markets[ticker].settlement_floor
