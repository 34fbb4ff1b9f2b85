"""What is said of the bot: online, offline or stalled, in which mode, since when; it changes slowly, on purpose."""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from cache.decimal_json import dumps, loads
from ingest.bot_payload import BotStatusReading
from journal.entries import Mode

Status = Literal["online", "offline", "stalled"]
FAILURES_TO_OFFLINE: Final = 2  # one lost poll is weather
STALLED_AFTER: Final = 15.0  # seconds without a turn of the bot's own loop; left again below half of it


@dataclass(slots=True)
class BotStatus:
    """The bot as the last polls showed it. note() is told each poll and says whether the world must be told."""

    since: float  # Unix seconds of the last change of status
    status: Status = "offline"
    mode: Mode = "live"
    reason: str = "not asked yet"
    trades: int = 0
    seen: bool = False  # whether this bot ever answered, in this life or an earlier one of ours
    failures: int = 0  # polls in a row that failed

    def note(self, reading: BotStatusReading | None, trouble: str, trades: int, now: float) -> bool:
        """One poll: its status answer (None when the poll failed, and then trouble says why). True on a change."""
        before = (self.status, self.mode, self.reason)
        if reading is None:
            self._failed(trouble)
        else:
            self._answered(reading, trades)
        if self.status != before[0]:
            self.since = now
        return before != (self.status, self.mode, self.reason)

    def _failed(self, trouble: str) -> None:
        self.failures += 1
        # Before the first good answer there is nothing to wait for: it is offline and this is why.
        if self.failures >= FAILURES_TO_OFFLINE or self.status == "offline":
            self.status, self.reason = "offline", trouble

    def _answered(self, reading: BotStatusReading, trades: int) -> None:
        self.failures, self.seen, self.mode = 0, True, reading.mode
        self.trades = trades if reading.trades is None else reading.trades
        age = reading.loop_age or 0.0
        limit = STALLED_AFTER / 2 if self.status == "stalled" else STALLED_AFTER
        if age > limit:
            self.status, self.reason = "stalled", f"answers, but its own loop has not turned for {STALLED_AFTER:g} s"
        else:
            self.status, self.reason = "online", ""

    def resume(self, data: str) -> None:
        """Go on from the status that the last holder of the lease left behind, so that a restart is no change.

        Raises ValueError, KeyError or TypeError when this is none.
        """
        kept = loads(data)
        if kept["status"] not in get_args(Status) or kept["mode"] not in get_args(Mode):
            raise ValueError(f"no status of a bot: {data:.60}")
        self.status, self.mode, self.reason = kept["status"], kept["mode"], kept["reason"] or ""
        self.since, self.trades = float(kept["since"]), kept["trades"]

    @property
    def data(self) -> str:
        """The JSON text of a bot_status event."""
        return dumps({
            "status": self.status, "since": round(self.since, 3), "mode": self.mode,
            "reason": self.reason or None, "trades": self.trades,
        })  # fmt: skip


def news(data: str) -> dict[str, Any]:
    """A bot_status without the number of trades: where this differs, the world must be told."""
    kept: dict[str, Any] = loads(data)
    kept.pop("trades", None)
    return kept


@dataclass(frozen=True, slots=True)
class BotSnapshot:
    """What the worker that polls tells the others: the bot's status and how fresh what it knows is (Unix seconds)."""

    status: str  # the JSON text of bot_status
    polled: float = 0.0  # when the last good poll was asked
    swept: float = 0.0  # when the exchange's fills were last read as a whole
    at: float = 0.0  # when this was told: of two, the later one counts, whichever way was slower

    def dump(self) -> str:
        """Its JSON text, for the lease row and the relay."""
        return dumps({"status": self.status, "polled": self.polled, "swept": self.swept, "at": self.at})

    @classmethod
    def load(cls, text: str) -> "BotSnapshot":
        """The pulse in such a text. Raises ValueError when it is none, or when nobody could go on from its status."""
        try:
            kept = loads(text)
            BotStatus(0.0).resume(kept["status"])
            return cls(kept["status"], float(kept["polled"]), float(kept["swept"]), float(kept["at"]))
        except (TypeError, KeyError, RecursionError) as wrong:
            raise ValueError(f"no pulse: {text:.60}") from wrong
