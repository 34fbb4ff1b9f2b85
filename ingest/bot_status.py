"""Status of the bot: online, offline or stalled, its own activity and mode, and the snapshot that workers share."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from cache.decimal_json import dumps, loads
from ingest.bot_status_payload import Activity, BotStatusReading
from journal.entries import Mode

Status = Literal["online", "offline", "stalled"]
FAILURES_TO_OFFLINE: Final = 2  # tolerate one failed poll
STALLED_AFTER: Final = 15.0  # seconds without a turn of the bot's own loop; left again below half of it
NOT_POLLED: Final = "not polled yet"
UNHEALTHY: Final[frozenset[Activity]] = frozenset({"halted", "refused", "stopped", "other"})


@dataclass(slots=True)
class BotStatus:
    """The bot as the last polls showed it.

    mode is None until the bot has named it, or has no status URL at all; then it holds until the bot names another.
    """

    since: float  # Unix seconds of the last change of status
    status: Status = "offline"
    activity: Activity | None = None
    mode: Mode | None = None
    reason: str = NOT_POLLED
    trades: int = 0
    seen: bool = False  # the bot answered at least once, to this process or to an earlier leader
    failures: int = 0  # failed polls in a row
    positions: Mapping[str, Decimal] | None = None  # contracts by ticker, + YES, - NO, where the bot reports them
    monotonic: Callable[[], float] = time.monotonic
    _loop_time: Decimal | None = field(default=None, repr=False)  # the last timestamp of the bot's status
    _loop_moved: float = field(default=0.0, repr=False)  # monotonic seconds at which it last changed

    def note(self, reading: BotStatusReading | None, trouble: str, trades: int, now: float) -> bool:
        """Take one poll and return True if clients need a new event.

        reading: the status response, None if the poll failed for the reason in trouble. now: Unix seconds.
        """
        before = self._shown()
        if reading is None:
            self._fail(trouble)
        else:
            self._take(reading, trades)
        if self.status != before[0]:
            self.since = now
        return before != self._shown()

    def set_mode_without_status(self) -> None:
        """Take a bot that has no status URL for live: it names no other mode."""
        if self.mode is None:
            self.mode = "live"

    def _shown(self) -> tuple[object, ...]:
        return self.status, self.activity, self.mode, self.reason

    def _fail(self, trouble: str) -> None:
        self.failures += 1
        # Before the first good answer there is nothing to wait for.
        if self.failures >= FAILURES_TO_OFFLINE or self.status == "offline":
            self.status, self.activity, self.reason = "offline", None, trouble

    def _take(self, reading: BotStatusReading, trades: int) -> None:
        self.failures, self.seen, self.mode = 0, True, reading.mode or "live"
        self.trades = trades if reading.trades is None else reading.trades
        self.activity, self.reason, self.positions = reading.activity, reading.reason, reading.positions
        limit = STALLED_AFTER / 2 if self.status == "stalled" else STALLED_AFTER
        if self._loop_age(reading) > limit:
            self.status, self.reason = "stalled", f"answers, but its own loop has not turned for {STALLED_AFTER:g} s"
        else:
            self.status = "online"

    def _loop_age(self, reading: BotStatusReading) -> float:
        """Return seconds since the bot's loop turned. Its own timestamps are compared with each other alone."""
        now = self.monotonic()
        if reading.loop_time != self._loop_time:
            self._loop_time, self._loop_moved = reading.loop_time, now
        if reading.loop_age is not None:
            return reading.loop_age
        return 0.0 if reading.loop_time is None else now - self._loop_moved

    def resume(self, data: str) -> None:
        """Continue from the status that the last leader left, so that a takeover changes nothing.

        Raises ValueError, KeyError or TypeError: data is not a bot_status.
        """
        saved = loads(data)
        activity, mode = saved.get("activity"), saved["mode"]
        known = saved["status"] in get_args(Status) and (mode is None or mode in get_args(Mode))
        if not known or (activity is not None and activity not in get_args(Activity)):
            raise ValueError(f"not a bot_status: {data:.60}")
        since, trades = float(saved["since"]), int(saved["trades"])
        self.status, self.activity, self.mode, self.reason = saved["status"], activity, mode, saved["reason"] or ""
        self.since, self.trades = since, trades

    @property
    def data(self) -> str:
        """Return the JSON text of a bot_status event."""
        return dumps({
            "status": self.status, "activity": self.activity, "since": round(self.since, 3), "mode": self.mode,
            "reason": self.reason or None, "trades": self.trades,
        })  # fmt: skip


def without_trade_count(data: str) -> dict[str, Any]:
    """Return a bot_status without its number of trades: clients need an event only if the rest differs."""
    status: dict[str, Any] = loads(data)
    status.pop("trades", None)
    return status


def is_unhealthy(status: dict[str, Any]) -> bool:
    """Return True if this bot_status degrades the service's health."""
    return status["status"] != "online" or status.get("activity") in UNHEALTHY


@dataclass(frozen=True, slots=True)
class BotSnapshot:
    """The leader's knowledge of the bot, for the lease row and the relay. Times are Unix seconds."""

    status: str  # the JSON text of bot_status
    polled: float = 0.0  # when the last good poll was requested
    swept: float = 0.0  # when the exchange's fills were last read as a whole; the name of version 0.1 on the wire
    at: float = 0.0  # when this was made: of two snapshots the later one counts
    positions: Mapping[str, Decimal] | None = None  # of the bot, where it reports them

    def dump(self) -> str:
        """Return the JSON text."""
        return dumps({
            "status": self.status, "polled": self.polled, "swept": self.swept, "at": self.at,
            "positions": self.positions,
        })  # fmt: skip

    @classmethod
    def load(cls, text: str) -> "BotSnapshot":
        """Read such a text. Raises ValueError: not a snapshot."""
        try:
            saved = loads(text)
            BotStatus(0.0).resume(saved["status"])
            positions = saved.get("positions")
            return cls(
                saved["status"], float(saved["polled"]), float(saved["swept"]), float(saved["at"]),
                None if positions is None else {ticker: Decimal(count) for ticker, count in positions.items()},
            )  # fmt: skip
        except (TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
            raise ValueError(f"not a bot snapshot: {text:.60}") from error
