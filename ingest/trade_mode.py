"""Mode of a bot's trades: the trade's own word, else the status's; unknown until one of them names it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ingest.bot_payload import ReportedTrade
from ingest.poll_overlap import GapSpan, seconds
from journal.entries import Mode, Trade

ANNOUNCE_AFTER: Final = 60.0  # seconds that trades may wait for their mode before a gap says so
MAX_WAITING: Final = 20_000


class TradeModes:
    """Trades whose mode nobody has named wait here; a change of the bot's mode between two polls makes a gap."""

    def __init__(self, mode: Mode | None = None) -> None:
        """Begin with the mode that the bot last named, None if it never did."""
        self._mode = mode
        self._boot: str | None = None  # of the newest trade
        self._waiting: list[ReportedTrade] = []
        self._waiting_since: float | None = None  # Unix seconds
        self._announced = False

    def __len__(self) -> int:
        """Return the number of trades that wait."""
        return len(self._waiting)

    def resolve(
        self, new: Sequence[ReportedTrade], mode: Mode | None, now: float
    ) -> tuple[list[Trade], GapSpan | None]:
        """Return the trades whose mode is known, in order, and a gap for those that can never be known.

        mode: as the bot's status names it, None for unknown. now: Unix seconds.
        """
        if mode is None:
            return self._wait(new, now)
        before, self._mode = self._mode, mode
        gap = None
        ready = list(new)
        if before is not None and before != mode:
            ambiguous = [each for each in new if each.own_mode is None and not self._is_new_life(each)]
            ready = [each for each in new if each not in ambiguous]
            gap = _mode_changed(ambiguous, before, mode)
        if new:
            self._boot = new[-1].trade.boot_id
        ready = [*self._waiting, *ready]
        self._waiting, self._waiting_since, self._announced = [], None, False
        return [replace(each.trade, mode=each.own_mode or mode) for each in ready], gap

    def _wait(self, new: Sequence[ReportedTrade], now: float) -> tuple[list[Trade], GapSpan | None]:
        ready = [each.trade for each in new if each.own_mode is not None]
        self._waiting += [each for each in new if each.own_mode is None]
        if not self._waiting:
            return ready, None
        if self._waiting_since is None:
            self._waiting_since = now
        dropped, self._waiting = self._waiting[:-MAX_WAITING], self._waiting[-MAX_WAITING:]
        if dropped:
            return ready, _span(dropped, "more trades than can wait for the bot's mode")
        if now - self._waiting_since < ANNOUNCE_AFTER or self._announced:
            return ready, None
        self._announced = True
        gap = _span(self._waiting, "the bot's status cannot be read, so the mode of its trades is unknown")
        return ready, replace(gap, end=max(gap.end, seconds(now)))

    def _is_new_life(self, each: ReportedTrade) -> bool:
        return each.trade.boot_id is not None and each.trade.boot_id != self._boot


def _mode_changed(trades: Sequence[ReportedTrade], before: Mode, mode: Mode) -> GapSpan | None:
    if not trades:
        return None
    return _span(trades, f"the bot changed from {before} to {mode} and its trades name no mode")


def _span(trades: Sequence[ReportedTrade], why: str) -> GapSpan:
    moments = [each.trade.timestamp for each in trades]
    return GapSpan(min(moments), max(moments), f"{len(trades)} trades: {why}")
