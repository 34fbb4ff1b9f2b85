"""Compare the journal and each reader's history with the executions, without knowledge of the faults."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.executions import Execution, by_key, key

SLACK = 6.0  # seconds by which a gap's edges and an execution's clock may differ, clock steps included
LIVE = 100  # trades in the answer of trades/live that is checked
COLUMNS = ("lost", "doubled", "out of order", "silent gaps", "wrong cursor", "wrong status", "two writers", "other")
COLUMN = {
    "lost": "lost", "doubled": "doubled", "invented": "doubled", "out of order": "out of order",
    "silent gap": "silent gaps", "wrong cursor": "wrong cursor", "wrong status": "wrong status",
    "two writers": "two writers",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise. who: journal, fleet, or a reader's name."""

    kind: str
    who: str
    what: str


@dataclass(slots=True)
class History:
    """One reader: received (seq, trade id) in order, its start, and its notes."""

    name: str
    first: int | None
    received: Sequence[tuple[int, str]]
    findings: Sequence[tuple[str, str]] = ()
    status: str = "online"
    state: str = "open"


@dataclass(slots=True)
class Verdict:
    """All findings, and the number of announced losses."""

    findings: list[Finding] = field(default_factory=list)
    announced: int = 0  # executions that are missing and covered by a gap entry

    def table(self) -> dict[str, int]:
        """Return the number of findings of each column."""
        counts = Counter(COLUMN.get(finding.kind, "other") for finding in self.findings)
        return {column: counts[column] for column in COLUMNS}


def check(
    executions: Iterable[Execution],
    entries: Sequence[Mapping[str, Any]],
    histories: Iterable[History],
    healable: bool = True,
) -> Verdict:
    """Return the findings.

    entries: the journal's bodies with a `kind`, by seq. healable: a missing execution is a finding even if announced.
    """
    verdict = Verdict()
    _journal(verdict, executions, entries, healable)
    ids = {entry["seq"]: str(entry.get("trade_id", "")) for entry in entries}
    for history in histories:
        _reader(verdict, history, ids)
    return verdict


def _journal(
    verdict: Verdict, executions: Iterable[Execution], entries: Sequence[Mapping[str, Any]], healable: bool
) -> None:
    for place, entry in enumerate(entries, 1):
        if entry["seq"] != place:
            verdict.findings.append(Finding("silent gap", "journal", f"seq {entry['seq']} at place {place}"))
            break
    happened = by_key(executions)
    kept = Counter(key(entry["ticker"], *yes_terms(entry)) for entry in corrected(entries))
    gaps = [(float(entry["from"]) - SLACK, float(entry["to"]) + SLACK) for entry in entries if entry["kind"] == "gap"]
    for name, times in happened.items():
        for at in times[kept[name] :]:
            covered = any(start <= at <= end for start, end in gaps)
            verdict.announced += covered
            if healable or not covered:
                what = f"{name} at {at:.3f}{', announced but not healed' * covered}"
                verdict.findings.append(Finding("lost" if healable else "silent gap", "journal", what))
    for name, count in kept.items():
        more = count - len(happened.get(name, ()))
        kind = "doubled" if name in happened else "invented"
        verdict.findings += [Finding(kind, "journal", f"{name}: {count} entries")] * max(0, more)


def corrected(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the trades, each with its own seq and as its last correction reports it.

    A quantity of 0 takes the trade back.
    """
    trades = {entry["seq"]: entry for entry in entries if entry["kind"] == "trade"}
    for entry in entries:
        if entry["kind"] == "correction":
            trades[entry["corrects"]] = {**entry, "seq": entry["corrects"]}
    return [entry for entry in trades.values() if entry["quantity"]]


def check_live(who: str, answer: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], head: str) -> list[Finding]:
    """Compare an answer of trades/live with a journal at rest: its newest trades, and its head as the cursor."""
    found = []
    if answer["cursor"] != head:
        found.append(Finding("wrong cursor", who, f"trades/live has the cursor {answer['cursor']}, the head is {head}"))
    newest = sorted(corrected(entries), key=lambda entry: (entry["timestamp"], entry["seq"]), reverse=True)
    expected, shown = newest[: len(answer["trades"])], [_values(trade) for trade in answer["trades"]]
    if shown != [_values(entry) for entry in expected] or len(shown) < min(LIVE, len(newest)):
        found.append(Finding("lost", who, f"trades/live has {shown[:3]} …, expected {[*map(_values, expected[:3])]} …"))
    return found


def _values(trade: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(trade[name] for name in ("seq", "ticker", "side", "outcome", "quantity", "price"))


def yes_terms(entry: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Side, quantity and price of an entry in YES terms."""
    if entry["outcome"] == "yes":
        return entry["side"], entry["quantity"], entry["price"]
    return "SELL" if entry["side"] == "BUY" else "BUY", entry["quantity"], 1 - entry["price"]


def _reader(verdict: Verdict, history: History, ids: Mapping[int, str]) -> None:
    def find(kind: str, what: str) -> None:
        verdict.findings.append(Finding(kind, history.name, what))

    for kind, what in history.findings:
        find(kind, what)
    if history.status != "online":
        find("wrong status", f"{history.status or 'no status received'}, and the bot is online")
    if history.state == "closed":
        find("closed for ever", "a page would have to be loaded again")
    if history.first is None:
        find("wrong cursor", "no cursor received")
    else:
        _compare(find, history, history.first, ids)


def _compare(find: Callable[[str, str], None], history: History, first: int, ids: Mapping[int, str]) -> None:
    seen = Counter(seq for seq, _ in history.received)
    for seq in range(first + 1, len(ids) + 1):
        if not seen[seq]:
            find("lost", f"entry {seq} was not received")
    for seq, count in seen.items():
        if count > 1:
            find("doubled", f"entry {seq} was received {count} times")
    if any(later < earlier for (earlier, _), (later, _) in zip(history.received, history.received[1:], strict=False)):
        find("out of order", "a later entry was received first")
    for seq, found in history.received:
        if seq not in ids:
            find("invented", f"entry {seq} is not in the journal")
        elif found != ids[seq]:
            find("doubled", f"entry {seq} was received as {found} and is {ids[seq]}")
