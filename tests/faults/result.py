"""Result of a run: findings, figures, and the seconds until recovery after each fault."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from tests.faults.check import Finding, Verdict
from tests.faults.plan import Fault, Plan


@dataclass(frozen=True, slots=True)
class Healed:
    """Seconds from the end of a fault until every reader had all that had been executed until then."""

    fault: Fault
    seconds: float


@dataclass(slots=True)
class Result:
    """Findings and figures of one run, filled while it goes on."""

    plan: Plan
    verdict: Verdict = field(default_factory=Verdict)
    healed: list[Healed] = field(default_factory=list)
    seconds: float = 0.0
    entries: int = 0
    executed: int = 0
    received: int = 0
    connections: int = 0
    quiet: bool = False

    @property
    def findings(self) -> list[Finding]:
        """Every broken promise."""
        return self.verdict.findings

    def find(self, kind: str, who: str, what: str) -> None:
        """Note a broken promise."""
        self.verdict.findings.append(Finding(kind, who, what))

    def take(self, verdict: Verdict) -> None:
        """Add what the checker found."""
        self.verdict.findings += verdict.findings
        self.verdict.announced += verdict.announced

    def times(self) -> list[tuple[str, int, float, float]]:
        """Kind of fault, how often, median and worst seconds to heal."""
        seconds: dict[str, list[float]] = defaultdict(list)
        for each in self.healed:
            seconds[each.fault.kind].append(each.seconds)
        return [(kind, len(all), median(all), max(all)) for kind, all in sorted(seconds.items())]
