"""Causes of differences between the journal and the exchange: one of a fixed list for each, by evidence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from ledger.amounts import ZERO
from ledger.reconcile import Cause, Difference

SAME_EXECUTION: Final = Decimal(10)  # seconds within which two reports without a common id may be one execution


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """An execution as the journal or the exchange has it; quantity in YES terms, price of YES in dollars."""

    execution_id: str
    timestamp: Decimal
    quantity: Decimal
    price: Decimal
    fee: Decimal | None

    def same_content(self, other: "ExecutionRecord") -> bool:
        """Return True if contracts and price are the same."""
        return self.quantity == other.quantity and self.price == other.price

    def close_to(self, other: "ExecutionRecord") -> bool:
        """Return True if both may be reports of one moment."""
        return abs(self.timestamp - other.timestamp) <= SAME_EXECUTION


@dataclass(slots=True)
class FillEvidence:
    """Executions of one market that differ between the journal and the exchange."""

    missed: list[ExecutionRecord] = field(default_factory=list)  # fills without an entry
    repeated: list[ExecutionRecord] = field(default_factory=list)  # entries beside another entry of the same fill
    corrected: list[tuple[ExecutionRecord, ExecutionRecord]] = field(default_factory=list)  # entry, fill
    voided: list[ExecutionRecord] = field(default_factory=list)  # entries of which the exchange has no fill

    def causes(self) -> dict[Cause, Decimal]:
        """Return the contracts (theirs less ours, in YES terms) that each cause explains; only causes with evidence."""
        changed = sum((fill.quantity - entry.quantity for entry, fill in self.corrected), ZERO)
        found: dict[Cause, Decimal] = {}
        if self.missed:
            found["missed"] = sum((fill.quantity for fill in self.missed), ZERO)
        if self.repeated:
            found["counted twice"] = -sum((entry.quantity for entry in self.repeated), ZERO)
        if self.corrected or self.voided:
            found["correction"] = changed - sum((entry.quantity for entry in self.voided), ZERO)
        return found


def match_executions(entries: Iterable[ExecutionRecord], fills: Iterable[ExecutionRecord]) -> FillEvidence:
    """Pair entries and fills one to one: by id, then by content and time; what is left over is the evidence."""
    evidence = FillEvidence()
    left = {fill.execution_id: fill for fill in fills}
    matched: list[ExecutionRecord] = []
    unmatched: list[ExecutionRecord] = []
    for entry in entries:
        fill = left.pop(entry.execution_id, None)
        if fill is None:
            unmatched.append(entry)
        elif entry.same_content(fill) and (entry.fee is None or entry.fee == fill.fee):
            matched.append(entry)
        else:
            evidence.corrected.append((entry, fill))
    for entry in [entry for entry in unmatched if not _take(left, entry, matched)]:
        twin = next((each for each in matched if each.same_content(entry) and each.close_to(entry)), None)
        other = next((fill for fill in left.values() if fill.close_to(entry)), None)
        if twin is not None:
            evidence.repeated.append(entry)
        elif other is not None:
            evidence.corrected.append((entry, left.pop(other.execution_id)))
        else:
            evidence.voided.append(entry)
    evidence.missed.extend(left.values())
    return evidence


def _take(left: dict[str, ExecutionRecord], entry: ExecutionRecord, matched: list[ExecutionRecord]) -> bool:
    """Match an entry to the nearest fill of the same content; True if there is one."""
    alike = [fill for fill in left.values() if fill.same_content(entry) and fill.close_to(entry)]
    if not alike:
        return False
    del left[min(alike, key=lambda fill: abs(fill.timestamp - entry.timestamp)).execution_id]
    matched.append(entry)
    return True


def cause_of_quantity(size: Decimal, evidence: FillEvidence) -> Cause:
    """Return the cause whose executions explain size; with several causes the one that explains most of it."""
    found = evidence.causes()
    exact: list[Cause] = [cause for cause, quantity in found.items() if quantity == size]
    if exact:
        return exact[0]
    if size and sum(found.values(), ZERO) == size:
        return max(found, key=lambda cause: abs(found[cause]))
    return "unknown" if len(found) != 1 else next(iter(found))


def cause_of_content(differences: Sequence[Difference], evidence: FillEvidence) -> Cause:
    """Return the cause of a market whose contracts agree and whose dollars do not.

    Realized profit less cost is the cash that was traded, whichever lots were closed first. Where only their split
    differs, the two sides use another method (first in first out, or average cost).
    """
    sizes = {each.figure: each.size for each in differences}
    if sizes.keys() == {"realized_pnl", "cost"} and sizes["realized_pnl"] == sizes["cost"]:
        return "method"
    found = evidence.causes()
    return next(iter(found)) if found else "unknown"
