"""Plan of a run, made from its seed: the kind of bot, and time, length and strength of each fault."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

# kind of fault -> shortest and longest seconds that it lasts (0: a moment)
KINDS: dict[str, tuple[float, float]] = {
    "poller killed": (0.2, 2.0), "follower killed": (0.2, 2.0), "poller frozen": (1.0, 9.0),
    "follower frozen": (1.0, 4.0), "poller deployed": (0.0, 0.5), "follower deployed": (0.0, 0.5),
    "redis killed": (0.5, 3.0), "redis frozen": (0.5, 3.0), "redis flushed": (0.0, 0.0), "redis cut": (0.5, 2.0),
    "redis refuses": (1.0, 4.0), "server frozen": (1.0, 9.0),
    "bot killed": (0.5, 7.0), "bot frozen": (1.0, 4.0), "bot garbage": (1.0, 4.0), "bot cut": (1.0, 7.0),
    "bot slow": (1.0, 3.0), "burst": (0.0, 0.0), "exchange errors": (1.0, 4.0), "exchange refuses": (1.0, 3.0),
    "exchange drops": (1.0, 4.0), "exchange lags": (1.0, 4.0), "exchange maintained": (1.0, 3.0),
    "exchange frozen": (0.5, 2.0), "exchange cut": (1.0, 3.0), "exchange killed": (0.5, 4.0), "push loses": (1.0, 4.0),
    "push doubles": (1.0, 4.0), "push cut": (0.0, 0.0), "readers cut": (0.0, 0.0), "readers stalled": (1.0, 4.0),
    "readers slowed": (2.0, 5.0), "readers delayed": (1.0, 3.0), "server clock": (1.0, 4.0), "bot clock": (1.0, 4.0),
    "server hours": (1.0, 4.0), "bot hours": (1.0, 4.0), "bot unread": (1.0, 4.0), "bot corrects": (1.0, 4.0),
}  # fmt: skip
FILE: dict[str, tuple[float, float]] = {
    "disk full": (1.0, 4.0), "log unlinked": (0.0, 0.0), "copy served": (2.0, 5.0), "bits flipped": (1.0, 3.0),
    "backup restored": (1.0, 4.0), "journal locked": (1.0, 8.0),
}  # fmt: skip
DATABASE: dict[str, tuple[float, float]] = {
    "journal killed": (0.5, 2.0), "journal frozen": (0.5, 4.0), "journal cut": (0.5, 2.0),
    "journal refuses": (1.0, 8.0),
}  # fmt: skip
LINKS = ("poller-db", "follower-db", "poller-redis", "follower-redis", "poller-outside", "follower-outside",
         "poller-follower", "db-replica")  # fmt: skip
HOSTS: dict[str, tuple[float, float]] = {
    f"{link} {how}": (2.0, 9.0) for link in LINKS for how in ("cut", "slow", "lossy", "one-way", "flapping")
} | {
    "poller alone": (3.0, 10.0), "follower alone": (3.0, 10.0), "poller without power": (1.0, 4.0),
    "poller hours": (2.0, 6.0), "follower hours": (2.0, 6.0), "redis flushed": (0.0, 0.0), "redis killed": (1.0, 4.0),
    "poller killed": (0.2, 2.0), "poller frozen": (4.0, 9.0), "burst": (0.0, 0.0),
}  # fmt: skip
# Trades without an id are matched with fills by their time, so a bot hours off has two entries for each.
UNCONNECTED = ("bot hours",)
# Never with another fault: a wrong report stays when its correction is lost, and a command waits for a locked journal.
ALONE = {"bot corrects", "journal locked"}
FAILOVER = "failover"  # once in a run: there is one replica


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, how long it lasts, the pause after it, and a number for whatever else must be chosen."""

    kind: str
    seconds: float
    pause: float
    dice: int
    overlaps: bool = False  # the next one begins while this one lasts


@dataclass(frozen=True, slots=True)
class Plan:
    """A run. only: kinds to choose from (all when empty)."""

    seed: int = 1
    trades: int = 10_000
    faults: int = 60
    readers: int = 50
    journal: str = "sqlite"
    bot: str = "numbered"
    paper: bool = False
    planted: str = ""
    only: tuple[str, ...] = ()
    burst: int = 500
    patience: float = 60.0  # seconds after a fault in which readers must have recovered
    rate: float = 0.0  # trades a second; 0: computed from the number of trades
    schedule: tuple[Fault, ...] = field(default=(), repr=False)
    hosts: int = 1  # 2: on hosts of their own, whose links are cut


def scheduled(plan: Plan) -> tuple[Fault, ...]:
    """The faults of a plan: every kind once before any comes twice, in the seed's order."""
    rng = Random(f"{plan.seed} {plan.journal}")
    kinds = HOSTS if plan.hosts == 2 else KINDS | (DATABASE if plan.journal == "mysql" else FILE)
    names = [name for name in plan.only or kinds if not (plan.bot == "reused" and name in UNCONNECTED)]
    found: list[Fault] = []
    while len(found) < plan.faults:
        rng.shuffle(names)
        for name in names[: plan.faults - len(found)]:
            low, high = kinds[name]
            fault = Fault(name, round(rng.uniform(low, high), 2), round(rng.uniform(0.1, 1.5), 2), rng.randrange(2**30),
                          rng.random() < 0.2)  # fmt: skip
            found.append(fault)
    for at, (one, following) in enumerate(pairwise(found)):
        if ALONE & {one.kind, following.kind}:
            found[at] = replace(one, overlaps=False)
    if plan.hosts == 2:
        found.insert(rng.randrange(1, len(found)), Fault(FAILOVER, 0.0, 1.0, rng.randrange(2**30)))
    return tuple(found)


def chosen_bot(seed: int) -> str:
    """Return the kind of bot that belongs to a seed."""
    return ("numbered", "plain", "reused")[seed % 3]
