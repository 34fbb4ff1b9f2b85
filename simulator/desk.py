"""The simulated exchange as one thing: engine, life, crowd, reads, budgets and faults, wired together."""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.account import Account
from simulator.buckets import Buckets
from simulator.crowd import Crowd
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.happening import Happening, Trade
from simulator.life import Life
from simulator.replica import Replica

MEMBER: Final = "member"
TWO_WEEKS: Final = 14 * 86_400.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to set up a desk. cash: dollars. quiet: no crowd and no schedule, only what is asked for.

    read_lag: seconds by which account reads trail the engine when no fault says otherwise.
    """

    seed: int = 1
    speed: float = 1.0
    tier: str = "basic"
    cash: int = 10_000
    quiet: bool = False
    read_lag: float = 0.0


class Desk:
    """Owns all state; every method is synchronous."""

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self.plan = plan
        self.clock = clock
        rng = Random(plan.seed)
        # ids are real ones, not from the seed: two runs must never share a fill id
        self.exchange = Exchange(clock, lambda: str(uuid.uuid4()))
        self.member: Account = self.exchange.open_account(MEMBER, plan.cash * 1_000_000)
        self.replica = Replica(MEMBER, self.member.cash, clock)
        self.replica.lag = plan.read_lag
        self.truth = Replica(MEMBER, self.member.cash, clock)  # the same without lag, for the control port
        self.tape: deque[Trade] = deque(maxlen=5000)  # the newest public trades, oldest first
        self.exchange.listeners += [self.replica, self.truth, self._record]
        self.life = Life(self.exchange, rng, plan.speed)
        self.crowd = Crowd(self.exchange, rng, min(max(plan.speed, 0.1), 5.0))
        self.buckets = Buckets(plan.tier, clock)
        self.faults = Faults(self._obey)
        self.cutoff_age = TWO_WEEKS
        self.life.begin(clock())
        if not plan.quiet:
            self.crowd.act(clock())

    def act(self) -> None:
        """Let time pass: expiries, schedule, crowd."""
        now = self.clock()
        self.exchange.expire(now)
        if not self.plan.quiet:
            self.life.advance(now)
            if self.open_for("trade"):
                self.crowd.act(now)

    def reads(self) -> Replica:
        """What account reads see now."""
        self.replica.catch_up()
        return self.replica

    def open_for(self, what: str) -> bool:
        """Whether one may "trade" (create, amend) or "cancel" now."""
        if self.faults.on("exchange_pause") or self.faults.on("maintenance"):
            return False
        return what == "cancel" or self.exchange.trading

    @property
    def cutoff(self) -> float:
        """Account rows older than this live under /historical only."""
        return self.clock() - self.cutoff_age

    def _record(self, happening: Happening) -> None:
        if isinstance(happening, Trade):
            self.tape.append(happening)

    def _obey(self) -> None:
        """Take over the faults that are a state."""
        stale = self.faults.on("stale")
        self.replica.lag = stale.seconds if stale else self.plan.read_lag
        paused = any(map(self.faults.on, ("trading_pause", "exchange_pause", "maintenance")))
        if paused and self.exchange.trading:
            self.exchange.pause()
        self.exchange.trading = not paused
