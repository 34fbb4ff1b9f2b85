"""Differences over time: which of the possible sizes stays the same from one comparison to the next."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from ledger.reconcile import Mismatch

CHECKS: Final = 3  # comparisons in a row
LASTING: Final = 45.0  # seconds


@dataclass(slots=True)
class TrackedDifference:
    """One figure that differs. sizes: those that fit every comparison since it began."""

    mismatch: Mismatch
    sizes: frozenset[Decimal]
    since: float  # Unix seconds
    checks: int = 1

    @property
    def size(self) -> Decimal:
        """Return the size that fits all comparisons (the smallest, where several do)."""
        return min(self.sizes, key=abs)

    def lasting(self, now: float) -> bool:
        """Return True for a difference that has been there long enough to be real."""
        return self.checks >= CHECKS and now - self.since >= LASTING


@dataclass(slots=True)
class DifferenceTracker:
    """Follow the mismatches of successive comparisons by figure and ticker."""

    current: dict[tuple[str, str], TrackedDifference] = field(default_factory=dict)

    def update(self, mismatches: list[Mismatch], now: float) -> list[TrackedDifference]:
        """Take the mismatches of one comparison and return the differences that are open now."""
        before, self.current = self.current, {}
        for each in mismatches:
            key = each.figure, each.ticker
            kept = before.get(key)
            sizes = kept.sizes & each.candidates if kept is not None else frozenset[Decimal]()
            if kept is not None and sizes:
                self.current[key] = TrackedDifference(each, sizes, kept.since, kept.checks + 1)
            else:
                self.current[key] = TrackedDifference(each, each.candidates, now)
        return list(self.current.values())
