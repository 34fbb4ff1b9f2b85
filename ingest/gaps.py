"""Gaps in the bot's reports: found by comparing each poll with the last, and open until filled or announced.

A poll joins the one before by overlap, by the bot's own numbers, and by its count. Open gaps and the last window are
marks of the journal, so that our own restart loses none.
"""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from cache.decimal_json import dumps, loads
from ingest.bot_payload import BotReport, ReportedTrade
from ingest.bot_status import BotStatusReading
from journal.entries import Trade

GAPS_MARK: Final = "holes"  # the mark's name in journals of every version
CLOCK_SLACK: Final = Decimal(1)  # seconds by which two clocks may differ at a gap's edges
MAX_GAPS: Final = 200  # open at once; each is written with each commit
MERGED: Final = "several gaps, merged because more than 200 were open"
WINDOW_MARK: Final = "bot"
MIN_WINDOW: Final = 100  # trades that a bot holds at least; an empty window that comes back full may have run over
MAX_SEEN: Final = 20_000  # trades since the last whole window, which may fail for hours while the long poll works
MAX_SAVED: Final = 200  # of the last window's trades, newest: enough to find an overlap after our own restart
MAX_RUNS: Final = 4  # runs of the bot that are stored besides the current one
ALTERNATION_POLLS: Final = 20  # polls after a return to an earlier run during which two bots are assumed
MARK_VERSION: Final = 2  # 1 (no "version"): digests that include boot_id


def exact_seconds(time: float) -> Decimal:
    """Return a clock's float as exact Unix seconds, to the microsecond."""
    return Decimal(str(round(time, 6)))


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A time (Unix seconds) in which executions may have been missed, and the reason."""

    start: Decimal
    end: Decimal
    why: str

    @classmethod
    def between(cls, one: float, other: float, why: str) -> "GapSpan":
        """Return the span between two readings of our clock, which may have stepped back."""
        start, end = sorted((exact_seconds(one), exact_seconds(other)))
        return cls(start, end, why)

    def joined(self, other: "GapSpan", why: str = "") -> "GapSpan":
        """Return one span over both and what lies between, with this one's reason unless another is given."""
        return GapSpan(min(self.start, other.start), max(self.end, other.end), why or self.why)


class OpenGaps:
    """An ordered set of gaps. A caller that removes one first writes the mark without it, then removes it here."""

    def __init__(self, mark: str = "") -> None:
        self._open = [GapSpan(Decimal(start), Decimal(end), why) for start, end, why in (loads(mark) if mark else [])]

    def __iter__(self) -> Iterator[GapSpan]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, gap: GapSpan, instead_of: GapSpan | None = None) -> None:
        """Add a gap. instead_of: the smaller one that it grew from. Above MAX_GAPS the two oldest are merged."""
        self._open = [*(other for other in self._open if other != instead_of), gap]
        if len(self._open) > MAX_GAPS:
            self._open[:2] = [self._open[0].joined(self._open[1], MERGED)]

    def remove(self, closed: Iterable[GapSpan]) -> None:
        """Remove gaps that were filled or announced, after the journal has them."""
        gone = set(closed)
        self._open = [gap for gap in self._open if gap not in gone]

    def covers(self, moment: Decimal) -> bool:
        """Return True if the bot may have executed at this moment without our reading of it."""
        return any(gap.start - CLOCK_SLACK <= moment <= gap.end + CLOCK_SLACK for gap in self._open)

    def mark(self, without: Iterable[GapSpan] = ()) -> dict[str, str]:
        """Return the mark to save, as it will be once these are removed."""
        gone = set(without)
        return {GAPS_MARK: dumps([[gap.start, gap.end, gap.why] for gap in self._open if gap not in gone])}


@dataclass(frozen=True, slots=True)
class OverlapResult:
    """New trades of a report, oldest first, and the gap before them."""

    new: list[ReportedTrade]
    gap: GapSpan | None = None


def trade_digest(trade: Trade, version: int = MARK_VERSION) -> str:
    """Return a digest of id, time and content, the same in every run of the bot; ids alone may be reused."""
    parts = (trade.trade_id, trade.timestamp, trade.ticker, trade.side, trade.quantity, trade.price, trade.outcome)
    return blake2b(repr(parts if version > 1 else (trade.boot_id, *parts)).encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class BotRun:
    """The last seen window of one run of the bot, from its start to its end."""

    at: float | None = None  # Unix seconds at which it was requested
    boot: str | None = None
    seq: int | None = None  # the bot's newest number
    seen: dict[str, None] = field(default_factory=dict)  # digests of the last window's trades, oldest first
    count: int | None = None  # the bot's own count of trades
    uncounted: int = 0  # trades that the bot counted at the last poll and that no window held
    unread: set[str] = field(default_factory=set)  # digests of the last window's records that could not be read
    reported_seq: int | None = None  # the bot's own seq in the last status; in the same poll it may be ahead


class PollOverlap:
    """The bot's window as last seen. Saved as a mark of the journal, so the check also spans our own restarts."""

    def __init__(self, mark: str = "", polled: float | None = None, full: int = MIN_WINDOW) -> None:
        """Load a text of mark(). polled: Unix seconds of a later poll of it. full: trades that a window holds."""
        saved = loads(mark) if mark else {}
        self.run = BotRun(None, saved.get("boot"), saved.get("seq"), dict.fromkeys(saved.get("seen", ())))
        if saved:
            self.run.at, self.run.count = max(float(saved["at"]), polled or 0.0), saved.get("count")
        self._earlier: list[BotRun] = []  # newest first
        self._is_old_mark = bool(saved) and saved.get("version") != MARK_VERSION
        self._full = full
        self._alternates_for = 0  # polls

    @property
    def two_bots(self) -> bool:
        """Return True while windows of two runs of the bot alternate: two bots answer at one address."""
        return self._alternates_for > 0

    def check(self, report: BotReport, reading: BotStatusReading | None, asked: float, now: float) -> OverlapResult:
        """Compare a whole window, requested at `asked`, with the last; return the new trades and the gap before."""
        reading = reading or BotStatusReading()
        digests = {trade_digest(each.trade): each for each in report.trades}
        boot = _boot(report.trades, reading)
        self._alternates_for = max(0, self._alternates_for - 1)
        self._return_to_earlier_run(digests.keys(), boot)
        run, numbers = self.run, _numbers(report.trades, boot)
        if self._is_old_mark:
            self._is_old_mark = False
            run.seen |= {digest: None for digest, each in digests.items() if trade_digest(each.trade, 1) in run.seen}
        why = self._broken(digests.keys(), boot, numbers) if run.at is not None else ""
        new = [each for digest, each in digests.items() if digest not in run.seen]
        if not why:
            why = self._uncounted(report, reading, len(new), numbers)
        gap = GapSpan.between(run.at or asked, now, why) if why else None
        if gap is not None and (run.at or asked) > now and report.trades:  # the bot's own times are in it too
            gap = replace(gap, end=max(gap.end, report.trades[0].trade.timestamp))
        if run.seen and digests and not _belongs(run, digests.keys(), boot):
            self._earlier = [run, *self._earlier][:MAX_RUNS]
            self.run = BotRun(at=run.at)
        self._remember(digests, boot, numbers, reading, asked)
        self.run.unread = {digest for digest, _ in report.unread}
        return OverlapResult(new, gap)

    def extend(self, report: BotReport, boot: str, now: float) -> list[ReportedTrade] | None:
        """Return the trades after the last number. None if they do not join it: then a whole window is needed."""
        run = self.run
        numbers = _numbers(report.trades, boot, run.seq or 0)
        if not numbers or run.at is None or boot != run.boot or _missing(numbers, run.seq or 0):
            return None
        digests = {trade_digest(each.trade): each for each in report.trades}
        new = [each for digest, each in digests.items() if digest not in run.seen]
        run.seen.update(dict.fromkeys(digests))
        if len(run.seen) > MAX_SEEN:
            run.seen = dict.fromkeys(list(run.seen)[-MAX_SEEN // 2 :])
        run.seq, run.at = max(numbers), now
        return new

    def missing_after(self, report: BotReport, reading: BotStatusReading | None) -> int:
        """Return the number after which trades of this run are missing from the report; 0 if none are."""
        boot, run = _boot(report.trades, reading or BotStatusReading()), self.run
        numbers = _numbers(report.trades, boot, run.seq or 0)
        if run.at is None or boot != run.boot or not run.seq or not _missing(numbers, run.seq):
            return 0
        first = run.seq
        while first + 1 in numbers:
            first += 1
        return first

    def mark(self) -> dict[str, str]:
        run = self.run
        saved = {"version": MARK_VERSION, "at": run.at, "boot": run.boot, "seq": run.seq, "count": run.count}
        return {WINDOW_MARK: dumps(saved | {"seen": list(run.seen)[-MAX_SAVED:]})}

    def _return_to_earlier_run(self, digests: KeysView[str], boot: str | None) -> None:
        """Continue an earlier run if the window belongs to it and not to the current one."""
        if self.run.at is None or _belongs(self.run, digests, boot):
            return
        run = next((each for each in self._earlier if _belongs(each, digests, boot)), None)
        if run is not None:
            self._earlier = [self.run, *(each for each in self._earlier if each is not run)]
            self.run, self._alternates_for = run, ALTERNATION_POLLS

    def _broken(self, digests: KeysView[str], boot: str | None, numbers: set[int]) -> str:
        """Return why the new window does not join the last one, or ""."""
        run = self.run
        overlap = not digests.isdisjoint(run.seen)
        if boot is not None and run.boot is not None and boot != run.boot:
            return "" if overlap else "the bot restarted and forgot its trades"
        if boot is not None and run.seq is not None and (numbers or not digests):
            return _missing({number for number in numbers if number > run.seq}, run.seq, run.reported_seq)
        if run.seen:
            return "" if overlap else "no trade of the last window is in this one"
        return "the bot's window filled up between two polls" if len(digests) >= self._full else ""

    def _uncounted(self, report: BotReport, reading: BotStatusReading, new: int, numbers: set[int]) -> str:
        """Hold the bot's own count against what was read. Two polls must agree: status and trades race in one."""
        run, count = self.run, reading.trades
        if count is None or numbers:
            return ""
        if run.count is None or count < run.count or run.at is None:
            run.count, run.uncounted = count, 0
            return ""
        new += len({digest for digest, _ in report.unread} - run.unread)
        missing = run.uncounted + count - run.count - new
        run.count = count
        lost = min(missing, run.uncounted)
        run.uncounted = max(missing, -len(report.trades))
        if lost <= 0:
            return ""
        run.uncounted = 0
        return f"the bot counts {count} trades, {lost} more than were read"

    def _remember(
        self, digests: Iterable[str], boot: str | None, numbers: set[int], reading: BotStatusReading, asked: float
    ) -> None:
        run = self.run
        if boot != run.boot or run.seq is None:
            run.seq = 0 if reading.seq is not None else None
        run.seq = max(numbers, default=run.seq)
        run.reported_seq = reading.seq
        if run.count is None:
            run.count = reading.trades
        run.seen, run.boot, run.at = dict.fromkeys(digests), boot, asked


def _belongs(run: BotRun, digests: KeysView[str], boot: str | None) -> bool:
    """Return True if a window continues this run: the same boot_id where both name one, else a shared trade."""
    if boot is not None and run.boot is not None:
        return boot == run.boot
    return not digests.isdisjoint(run.seen)


def _boot(trades: Sequence[ReportedTrade], reading: BotStatusReading) -> str | None:
    """Return the boot_id of the window's newest trade, else the one of the status."""
    return (trades[-1].trade.boot_id if trades else None) or reading.boot_id


def _numbers(trades: Sequence[ReportedTrade], boot: str | None, above: int = -1) -> set[int]:
    """Return the bot's own numbers of this run; trades that it kept from an earlier one count differently."""
    numbers = (each.seq for each in trades if each.trade.boot_id in (None, boot))
    return {number for number in numbers if number is not None and number > above}


def _missing(numbers: set[int], last: int, reported: int | None = None) -> str:
    """Return which of the bot's numbers after our last one are absent, or ""; an unread record is absent too."""
    top = max(*numbers, reported or 0, last)
    lost = top - last - len(numbers)
    return f"{lost} of the bot's trades after its number {last} are missing" if lost > 0 else ""
