"""Check that each poll of the bot joins the one before: by overlap, by the bot's own numbers, and by its count."""

from collections.abc import Iterable, KeysView, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from cache.decimal_json import dumps, loads
from ingest.bot_payload import BotReport, ReportedTrade
from ingest.bot_status import BotStatusReading
from ingest.gaps import GapSpan, exact_seconds
from journal.entries import Trade

MARK: Final = "bot"
MIN_WINDOW: Final = 100  # trades that a bot holds at least; an empty window that comes back full may have run over
MAX_SEEN: Final = 20_000  # trades since the last whole window, which may fail for hours while the long poll works
MAX_SAVED: Final = 200  # of the last window's trades, newest: enough to find an overlap after our own restart
MAX_LIVES: Final = 4  # lives of the bot that are remembered besides the current one
ALTERNATION_POLLS: Final = 20  # polls after a return to an earlier life during which two bots are assumed
MARK_VERSION: Final = 2  # 1 (no "version"): digests that include boot_id


@dataclass(frozen=True, slots=True)
class OverlapResult:
    """New trades of a report, oldest first, and the gap before them."""

    new: list[ReportedTrade]
    gap: GapSpan | None = None


def trade_digest(trade: Trade, version: int = MARK_VERSION) -> str:
    """Return a digest of id, time and content, the same in every life of the bot; ids alone may be reused."""
    parts = (trade.trade_id, trade.timestamp, trade.ticker, trade.side, trade.quantity, trade.price, trade.outcome)
    return blake2b(repr(parts if version > 1 else (trade.boot_id, *parts)).encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class BotLife:
    """The last seen window of one life of the bot.

    at: Unix seconds at which it was requested. seq: the bot's newest number. count: the bot's own count of trades.
    uncounted: trades that the bot counted at the last poll and that no window held. unread: digests of records of the
    last window that could not be read.
    """

    at: float | None = None
    boot: str | None = None
    seq: int | None = None
    seen: dict[str, None] = field(default_factory=dict)  # digests of the last window's trades, oldest first
    count: int | None = None
    uncounted: int = 0
    unread: set[str] = field(default_factory=set)
    reported_seq: int | None = None  # the bot's own seq in the last status; in the same poll it may be ahead


class PollOverlap:
    """The bot's window as last seen. Saved as a mark of the journal, so the check also spans our own restarts."""

    def __init__(self, mark: str = "", polled: float | None = None, full: int = MIN_WINDOW) -> None:
        """Load the text of the mark that mark() returned.

        polled: Unix seconds of a later poll that saw the same window. full: trades that the bot's window holds.
        """
        saved = loads(mark) if mark else {}
        self.life = BotLife(None, saved.get("boot"), saved.get("seq"), dict.fromkeys(saved.get("seen", ())))
        if saved:
            self.life.at, self.life.count = max(float(saved["at"]), polled or 0.0), saved.get("count")
        self._earlier: list[BotLife] = []  # newest first
        self._is_old_mark = bool(saved) and saved.get("version") != MARK_VERSION
        self._full = full
        self._alternates_for = 0  # polls

    @property
    def two_bots(self) -> bool:
        """Return True while windows of two lives of the bot come in turn: two bots answer at one address."""
        return self._alternates_for > 0

    def check(self, report: BotReport, reading: BotStatusReading | None, asked: float, now: float) -> OverlapResult:
        """Take a whole window, requested at `asked`, and return what is new and the gap before it."""
        reading = reading or BotStatusReading()
        digests = {trade_digest(each.trade): each for each in report.trades}
        boot = _boot(report.trades, reading)
        self._alternates_for = max(0, self._alternates_for - 1)
        self._return_to_earlier_life(digests.keys(), boot)
        life, numbers = self.life, _numbers(report.trades, boot)
        if self._is_old_mark:
            self._is_old_mark = False
            life.seen |= {digest: None for digest, each in digests.items() if trade_digest(each.trade, 1) in life.seen}
        why = self._broken(digests.keys(), boot, numbers) if life.at is not None else ""
        new = [each for digest, each in digests.items() if digest not in life.seen]
        if not why:
            why = self._uncounted(report, reading, len(new), numbers)
        gap = _span(life.at or asked, now, report.trades, why) if why else None
        if life.seen and digests and not _belongs(life, digests.keys(), boot):
            self._begin_life()
        self._remember(digests, boot, numbers, reading, asked)
        self.life.unread = {digest for digest, _ in report.unread}
        return OverlapResult(new, gap)

    def extend(self, report: BotReport, boot: str, now: float) -> list[ReportedTrade] | None:
        """Return what is new after our last number. None if it does not join: only a whole window can say why."""
        life = self.life
        numbers = _numbers(report.trades, boot, life.seq or 0)
        if not numbers or life.at is None or boot != life.boot or _missing(numbers, life.seq or 0):
            return None
        digests = {trade_digest(each.trade): each for each in report.trades}
        new = [each for digest, each in digests.items() if digest not in life.seen]
        life.seen.update(dict.fromkeys(digests))
        if len(life.seen) > MAX_SEEN:
            life.seen = dict.fromkeys(list(life.seen)[-MAX_SEEN // 2 :])
        life.seq, life.at = max(numbers), now
        return new

    def missing_after(self, report: BotReport, reading: BotStatusReading | None) -> int:
        """Return the number after which trades of this life are missing from the report; 0 if none are."""
        boot, life = _boot(report.trades, reading or BotStatusReading()), self.life
        numbers = _numbers(report.trades, boot, life.seq or 0)
        if life.at is None or boot != life.boot or not life.seq or not _missing(numbers, life.seq):
            return 0
        first = life.seq
        while first + 1 in numbers:
            first += 1
        return first

    def mark(self) -> dict[str, str]:
        """Return the mark to save with the trades."""
        life = self.life
        saved = {"version": MARK_VERSION, "at": life.at, "boot": life.boot, "seq": life.seq, "count": life.count}
        return {MARK: dumps(saved | {"seen": list(life.seen)[-MAX_SAVED:]})}

    def _return_to_earlier_life(self, digests: KeysView[str], boot: str | None) -> None:
        """Continue an earlier life if the window belongs to it and not to the current one."""
        if self.life.at is None or _belongs(self.life, digests, boot):
            return
        for life in self._earlier:
            if _belongs(life, digests, boot):
                self._earlier.remove(life)
                self._begin_life()
                self.life = life
                self._alternates_for = ALTERNATION_POLLS
                return

    def _begin_life(self) -> None:
        self._earlier = [self.life, *self._earlier][:MAX_LIVES]
        self.life = BotLife(at=self.life.at)

    def _broken(self, digests: KeysView[str], boot: str | None, numbers: set[int]) -> str:
        """Return why the new window does not join the last one, or ""."""
        life = self.life
        overlap = not digests.isdisjoint(life.seen)
        if boot is not None and life.boot is not None and boot != life.boot:
            return "" if overlap else "the bot restarted and forgot its trades"
        if boot is not None and life.seq is not None and (numbers or not digests):
            return _missing({number for number in numbers if number > life.seq}, life.seq, life.reported_seq)
        if life.seen:
            return "" if overlap else "no trade of the last window is in this one"
        return "the bot's window filled up between two polls" if len(digests) >= self._full else ""

    def _uncounted(self, report: BotReport, reading: BotStatusReading, new: int, numbers: set[int]) -> str:
        """Hold the bot's own count against what was read. Two polls must agree: status and trades race in one."""
        life, count = self.life, reading.trades
        if count is None or numbers:
            return ""
        if life.count is None or count < life.count or life.at is None:
            life.count, life.uncounted = count, 0
            return ""
        new += len({digest for digest, _ in report.unread} - life.unread)
        missing = life.uncounted + count - life.count - new
        life.count = count
        lost = min(missing, life.uncounted)
        life.uncounted = max(missing, -len(report.trades))
        if lost <= 0:
            return ""
        life.uncounted = 0
        return f"the bot counts {count} trades, {lost} more than were read"

    def _remember(
        self, digests: Iterable[str], boot: str | None, numbers: set[int], reading: BotStatusReading, asked: float
    ) -> None:
        life = self.life
        if boot != life.boot or life.seq is None:
            life.seq = 0 if reading.seq is not None else None
        life.seq = max(numbers, default=life.seq)
        life.reported_seq = reading.seq
        if life.count is None:
            life.count = reading.trades
        life.seen, life.boot, life.at = dict.fromkeys(digests), boot, asked


def _span(last: float, now: float, trades: Sequence[ReportedTrade], why: str) -> GapSpan:
    """Return a span that contains what was lost, also after a step of our clock: the bot's own times widen it."""
    start, end = sorted((exact_seconds(last), exact_seconds(now)))
    if last > now and trades:
        end = max(end, trades[0].trade.timestamp)
    return GapSpan(start, end, why)


def _belongs(life: BotLife, digests: KeysView[str], boot: str | None) -> bool:
    """Return True if a window continues this life: the same boot_id where both name one, else a shared trade."""
    if boot is not None and life.boot is not None:
        return boot == life.boot
    return not digests.isdisjoint(life.seen)


def _boot(trades: Sequence[ReportedTrade], reading: BotStatusReading) -> str | None:
    """Return the life of the bot that its newest trade names, else the one of its status."""
    return (trades[-1].trade.boot_id if trades else None) or reading.boot_id


def _numbers(trades: Sequence[ReportedTrade], boot: str | None, above: int = -1) -> set[int]:
    """Return the bot's own numbers of this life; trades that it kept from an earlier one count differently."""
    numbers = (each.seq for each in trades if each.trade.boot_id in (None, boot))
    return {number for number in numbers if number is not None and number > above}


def _missing(numbers: set[int], last: int, reported: int | None = None) -> str:
    """Return which of the bot's numbers after our last one are absent, or ""; an unread record is absent too."""
    top = max(*numbers, reported or 0, last)
    lost = top - last - len(numbers)
    return f"{lost} of the bot's trades after its number {last} are missing" if lost > 0 else ""
