"""Whether anything can have fallen between two polls: the overlap check, and the bot's own seq where it counts."""

from collections.abc import KeysView, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from cache.decimal_json import dumps, loads
from ingest.bot_payload import BotReport, BotStatusReading, ReportedTrade
from journal.entries import Trade

BRIEF_WINDOW: Final = 100  # trades that a bot holds at least; an empty one that comes back full may have run over
MOST_SEEN: Final = 20_000  # trades told since the last whole window, which may fail for hours while news comes
REMEMBERED: Final = 200  # of the last window's trades, newest: enough to know an overlap again after our own restart


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A time (Unix seconds) in which executions may have been missed, and why we think so."""

    start: Decimal
    end: Decimal
    why: str

    def joined(self, other: "GapSpan", why: str = "") -> "GapSpan":
        """One hole over both and what lies between; its reason is the first one's unless another is given."""
        return GapSpan(min(self.start, other.start), max(self.end, other.end), why or self.why)


@dataclass(frozen=True, slots=True)
class OverlapResult:
    """What a report adds: the trades that the last one did not hold, oldest first, and the hole before them."""

    new: list[Trade]
    hole: GapSpan | None = None


def identity(trade: Trade) -> str:
    """A bot's trade told from all its others: ids may be reused after a restart, so time and content belong to it."""
    what = (trade.boot_id, trade.trade_id, trade.timestamp, trade.ticker, trade.side, trade.quantity, trade.price)
    return blake2b(repr((*what, trade.outcome)).encode(), digest_size=8).hexdigest()


class PollOverlap:
    """The bot's window as last seen. It is kept as a mark of the journal, so the check also spans our own restarts."""

    def __init__(self, mark: str = "", polled: float | None = None, full: int = BRIEF_WINDOW) -> None:
        """mark: what dump gave. polled: a later time at which the same window was seen again, if one is known.

        full: trades that the bot's window holds at least.
        """
        kept = loads(mark) if mark else {}
        self.at: float | None = float(kept["at"]) if kept else None  # when the last good window was asked for
        self.boot: str | None = kept.get("boot")
        self.seq: int | None = kept.get("seq")
        self._seen: dict[str, None] = dict.fromkeys(kept.get("seen", ()))  # the last window's trades, oldest first
        self._full = full
        self._told: int | None = None  # how far the bot counted in the poll before; in this one it may be ahead
        if self.at is not None and polled is not None:
            self.at = max(self.at, polled)

    def check(self, report: BotReport, reading: BotStatusReading | None, asked: float, now: float) -> OverlapResult:
        """Take a whole window, asked for at `asked`: what is new in it, and whether it joins the last one."""
        keys = {identity(each.trade): each.trade for each in report.trades}
        boot = _boot(report.trades, reading)
        numbers = _numbers(report.trades, boot)
        why = self._broken(keys.keys(), boot, numbers) if self.at is not None else ""
        hole = GapSpan(seconds(self.at or 0.0), seconds(now), why) if why else None
        new = [trade for key, trade in keys.items() if key not in self._seen]
        self._seen = dict.fromkeys(keys)
        counts = reading is not None and reading.seq is not None
        if boot != self.boot or self.seq is None:
            self.seq = max(numbers, default=0 if counts else None)
        self.seq = max(numbers, default=self.seq)
        self._told = reading.seq if reading is not None else None
        self.boot, self.at = boot, asked
        return OverlapResult(new, hole)

    def extend(self, report: BotReport, boot: str, now: float) -> OverlapResult | None:
        """Take what the bot told after our last seq. None when it does not join: only a whole window can say why."""
        numbers = {number for number in _numbers(report.trades, boot) if number > (self.seq or 0)}
        if not numbers or self.at is None or boot != self.boot or _missing(numbers, self.seq or 0):
            return None
        keys = {identity(each.trade): each.trade for each in report.trades}
        new = [trade for key, trade in keys.items() if key not in self._seen]
        self._seen.update(dict.fromkeys(keys))
        if len(self._seen) > MOST_SEEN:
            self._seen = dict.fromkeys(list(self._seen)[-MOST_SEEN // 2 :])
        self.seq, self.at = max(numbers), now
        return OverlapResult(new)

    def jumped(self, report: BotReport, reading: BotStatusReading | None) -> int:
        """The number after which trades of this life of the bot are missing from the report; 0 when none are."""
        boot = _boot(report.trades, reading)
        numbers = {number for number in _numbers(report.trades, boot) if number > (self.seq or 0)}
        if self.at is None or boot != self.boot or not self.seq or not _missing(numbers, self.seq):
            return 0
        first = self.seq
        while first + 1 in numbers:
            first += 1
        return first

    def dump(self) -> str:
        """The mark to keep with the trades."""
        newest = list(self._seen)[-REMEMBERED:]
        return dumps({"at": self.at, "boot": self.boot, "seq": self.seq, "seen": newest})

    def _broken(self, keys: KeysView[str], boot: str | None, numbers: set[int]) -> str:
        """Why the new window does not join the last one; empty when it does."""
        overlap = not keys.isdisjoint(self._seen)
        if boot is not None and self.boot is not None and boot != self.boot:
            return "" if overlap else "the bot restarted and forgot its trades"
        if boot is not None and self.seq is not None and (numbers or not keys):
            return _missing({number for number in numbers if number > self.seq}, self.seq, self._told)
        if self._seen:
            return "" if overlap else "no trade of the last window is in this one"
        return "the bot's window filled up between two polls" if len(keys) >= self._full else ""


def seconds(time: float) -> Decimal:
    """A clock's float as exact Unix seconds, to the microsecond."""
    return Decimal(str(round(time, 6)))


def _boot(trades: Sequence[ReportedTrade], reading: BotStatusReading | None) -> str | None:
    """Which life of the bot this is: as its newest trade says, else as its status does."""
    if trades and trades[-1].trade.boot_id:
        return trades[-1].trade.boot_id
    return reading.boot_id if reading is not None else None


def _numbers(trades: Sequence[ReportedTrade], boot: str | None) -> set[int]:
    """The bot's own numbers of this life; trades it kept from an earlier one count differently."""
    return {each.seq for each in trades if each.seq is not None and each.trade.boot_id in (None, boot)}


def _missing(numbers: set[int], last: int, told: int | None = None) -> str:
    """Why the bot's numbers after our last one are not all there; a record that we could not read is missing too."""
    top = max(*numbers, told or 0, last)
    lost = top - last - len(numbers)
    return f"{lost} of the bot's trades after its number {last} are missing" if lost > 0 else ""
