"""Results of mutants: equivalents with their reasons, the list of survivors, and the table of kill rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tests.mutation.mutant import Mutant

Outcome = Literal["killed", "hung", "survived", "equivalent", "untested"]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one mutant. before, after: the changed lines. tests: how many were chosen."""

    mutant: Mutant
    outcome: Outcome
    before: str
    after: str
    tests: int = 0


class Equivalents:
    """Mutants that change nothing that anyone could see, each with its reason."""

    def __init__(self, entries: Iterable[Mapping[str, str]]) -> None:
        self._reasons = {(entry["file"], entry["before"], entry["after"]): entry["reason"] for entry in entries}

    def reason(self, file: str, before: str, after: str) -> str | None:
        """Return the reason why a change is equivalent, None if it is not listed."""
        return self._reasons.get((file, before, after))


@dataclass(slots=True)
class KillRate:
    """Counts of one module's mutants."""

    mutants: int = 0
    killed: int = 0
    equivalent: int = 0
    survived: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one mutant."""
        self.mutants += 1
        self.killed += outcome in ("killed", "hung")
        self.equivalent += outcome == "equivalent"
        self.survived += outcome in ("survived", "untested")

    def percent(self) -> float:
        """Return the share of killed mutants among those that are not equivalent, 100 for none."""
        counted = self.mutants - self.equivalent
        return 100 * self.killed / counted if counted else 100.0


def rates(results: Iterable[Result], by_file: bool = True) -> dict[str, KillRate]:
    """Return the counts by file, or by package."""
    counts: dict[str, KillRate] = {}
    for result in results:
        name = result.mutant.file if by_file else result.mutant.file.split("/")[0]
        counts.setdefault(name, KillRate()).add(result.outcome)
    return counts


def table(results: list[Result]) -> str:
    """Return a Markdown table of the kill rates by module and by package."""
    lines = ["| module | mutants | killed | equivalent | survived | rate |", "|---|---|---|---|---|---|"]
    packages = rates(results, by_file=False)
    rows = {**rates(results), **{f"**{name}**": rate for name, rate in packages.items()}}
    for name, rate in sorted(rows.items(), key=lambda row: (row[0].strip("*").split("/")[0], row[0])):
        counts = f"{rate.mutants} | {rate.killed} | {rate.equivalent} | {rate.survived}"
        lines.append(f"| {name} | {counts} | {rate.percent():.0f} % |")
    return "\n".join(lines)


def survivors(results: Iterable[Result]) -> str:
    """Return each mutant that no test saw: its place, its operator and the line before and after."""
    return "\n".join(
        f"{result.mutant.file}:{result.mutant.line}  {result.mutant.operator}, {result.tests} tests\n"
        f"    - {result.before}\n    + {result.after}"
        for result in results
        if result.outcome in ("survived", "untested")
    )
