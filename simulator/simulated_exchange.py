"""The simulated exchange as one object: engine, lifecycle, liquidity, reads, budgets and faults."""

import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.account import MemberAccount
from simulator.candlesticks import SAMPLE_EVERY, CandlestickRecorder
from simulator.cash_transfers import CashTransfers
from simulator.events import ExchangeEvent, TradeEvent
from simulator.faults import FaultTable
from simulator.lifecycle import Lifecycle
from simulator.liquidity import PROFILES, Liquidity
from simulator.matching_engine import MatchingEngine
from simulator.order_groups import OrderGroups
from simulator.rate_limits import MemberBudget
from simulator.read_replica import ReadReplica
from simulator.units import MONEY_DOLLAR

MEMBER: Final = "member"
TWO_WEEKS: Final = 14 * 86_400.0
TRADES_KEPT: Final = 5000
CASH_SHARES: Final = {2: 25, 3: 15}
"""Shard -> percent of the starting cash, unless the options say otherwise; the rest is on shard 0."""


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """Options of a simulated exchange.

    seed: of markets, prices and trades. speed: factor by which markets open, close and settle faster. tier: of the
    token buckets. cash: dollars at the start, spread over the shards by CASH_SHARES. shard_cash: shard -> dollars,
    instead of cash. quiet: no liquidity and no schedule. read_lag: seconds by which account reads trail the engine.
    crowd: a key of liquidity.PROFILES. pace: actions of the liquidity per second relative to the profile; by default
    it follows speed. fixed_ids: derive order and fill ids from the seed, so that two runs are equal.
    """

    seed: int = 1
    speed: float = 1.0
    tier: str = "basic"
    cash: int = 10_000
    quiet: bool = False
    read_lag: float = 0.0
    crowd: str = "stock"
    pace: float | None = None
    shard_cash: Mapping[int, int] | None = None
    fixed_ids: bool = False

    def starting_cash(self) -> dict[int, int]:
        """Return the money per shard at the start."""
        if self.shard_cash is not None:
            return {shard: dollars * MONEY_DOLLAR for shard, dollars in self.shard_cash.items()}
        spread = {shard: self.cash * percent // 100 for shard, percent in CASH_SHARES.items()}
        spread[0] = self.cash - sum(spread.values())
        return {shard: dollars * MONEY_DOLLAR for shard, dollars in spread.items()}


class SimulatedExchange:
    """All state of one exchange with one member; every method is synchronous."""

    def __init__(self, options: ExchangeOptions, clock: Callable[[], float]) -> None:
        self.options = options
        self.clock = clock
        self.engine = MatchingEngine(clock, _ids(options))
        self.member: MemberAccount = self.engine.open_account(MEMBER, options.starting_cash())
        self.reads = ReadReplica(MEMBER, self.member.cash, clock, options.read_lag)
        self.ledger = ReadReplica(MEMBER, self.member.cash, clock)  # the same without lag, for admin actions
        self.trades: deque[TradeEvent] = deque(maxlen=TRADES_KEPT)  # public trades, oldest first
        pace = min(max(options.speed, 0.1), 5.0) if options.pace is None else options.pace
        self.candlesticks = CandlestickRecorder(self.engine.markets, SAMPLE_EVERY / min(pace, 1.0))
        self.engine.listeners += [
            self.reads.on_event,
            self.ledger.on_event,
            self._record_trade,
            self.candlesticks.on_event,
        ]
        self.order_groups = OrderGroups(self.engine, clock)
        self.transfers = CashTransfers(self.engine, self.member, clock)
        self.liquidity = Liquidity(self.engine, PROFILES[options.crowd], options.seed, pace)
        self.lifecycle = Lifecycle(self.engine, Random(options.seed), options.speed)
        self.budget = MemberBudget(options.tier, clock)
        self.faults = FaultTable(self._apply_state_faults)
        self.cutoff_age = TWO_WEEKS
        self.attested_until: float | None = None  # Unix seconds of the location attestation; None: never expires
        self.lifecycle.begin(clock())
        if not options.quiet:
            self.liquidity.act(clock())

    def act(self) -> None:
        """Do everything that is due at the clock's time: expiries, schedule, liquidity."""
        now = self.clock()
        self.engine.expire(now)
        if not self.options.quiet:
            self.lifecycle.advance(now)
            if self.is_open_for("trade"):
                self.liquidity.act(now)
        self.candlesticks.sample(now)

    @property
    def next_due(self) -> float:
        """Unix seconds of the next scheduled action."""
        due = self.engine.next_expiry or float("inf")
        if self.options.quiet:
            return due
        if self.is_open_for("trade"):
            due = min(due, self.liquidity.next_due)
        return min(due, self.lifecycle.next_due)

    def caught_up_reads(self) -> ReadReplica:
        """Return the state that account reads see at the clock's time."""
        self.reads.catch_up()
        return self.reads

    def caught_up_ledger(self) -> ReadReplica:
        """Return the account's state without lag."""
        self.ledger.catch_up()
        return self.ledger

    def is_open_for(self, operation: str) -> bool:
        """Return True if orders can be changed now; operation: "trade" (create, amend) or "cancel"."""
        if self.faults.find("exchange_pause") or self.faults.find("maintenance"):
            return False
        return operation == "cancel" or self.engine.trading

    @property
    def cutoff(self) -> float:
        """Unix seconds before which account rows are in the historical tier only."""
        return self.clock() - self.cutoff_age

    def _record_trade(self, event: ExchangeEvent) -> None:
        if isinstance(event, TradeEvent):
            self.trades.append(event)

    def _apply_state_faults(self) -> None:
        stale = self.faults.find("stale")
        self.reads.lag = stale.seconds if stale else self.options.read_lag
        paused = any(map(self.faults.find, ("trading_pause", "exchange_pause", "maintenance")))
        if paused and self.engine.trading:
            self.engine.pause()
        self.engine.trading = not paused


def _ids(options: ExchangeOptions) -> Callable[[], str]:
    """Return a source of unique ids. By default they are random, so that two runs never share a fill id."""
    if not options.fixed_ids:
        return lambda: str(uuid.uuid4())
    rng = Random(f"{options.seed}:ids")
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))
