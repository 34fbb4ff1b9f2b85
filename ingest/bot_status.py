"""Status of the bot: its response, its online state over the polls, and the snapshot that workers share."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from cache.decimal_json import dumps, loads
from ingest import bot_payload as fields
from ingest.bot_payload import Record, UnreadableRecord
from journal.entries import Mode

Status = Literal["online", "offline", "stalled"]
Activity = Literal["trading", "paused", "halted", "refused", "stopped", "other"]
FAILURES_TO_OFFLINE: Final = 2  # tolerate one failed poll
STALLED_AFTER: Final = 15.0  # seconds without a turn of the bot's own loop; left again below half of it
NOT_POLLED: Final = "not polled yet"
UNHEALTHY: Final[frozenset[Activity]] = frozenset({"halted", "refused", "stopped", "other"})

ACTIVITY_WORDS: Final[dict[str, Activity]] = {
    **dict.fromkeys(("trading", "running", "ok", "online", "active", "up", "healthy", "alive", "started"), "trading"),
    **dict.fromkeys(("paused", "pause", "pausing", "suspended", "idle", "waiting", "maintenance"), "paused"),
    **dict.fromkeys(("halted", "halt", "killed", "killswitch", "emergencystop", "locked"), "halted"),
    **dict.fromkeys(("refused", "rejected", "blocked", "denied"), "refused"),
    **dict.fromkeys(("stopped", "stop", "stopping", "shutdown", "exited", "terminated", "finished"), "stopped"),
}
REASON_FIELDS: Final = ("reason", "halt_reason", "trouble", "error", "message", "detail")


@dataclass(frozen=True, slots=True)
class BotStatusReading:
    """One status response. A field that the bot does not give is None."""

    mode: Mode | None = None
    activity: Activity | None = None
    reason: str = ""
    loop_age: float | None = None  # seconds since the bot's own loop last turned
    loop_time: Decimal | None = None  # the response's timestamp, compared only with earlier ones of the same bot
    trades: int | None = None  # the bot's own count
    boot_id: str | None = None
    seq: int | None = None  # the number of its newest trade
    order_prefix: str | None = None
    positions: Mapping[str, Decimal] | None = None  # contracts by ticker, + YES, - NO


def read_status(answer: object) -> BotStatusReading:
    """Read a status response; unknown and unreadable fields count as absent. Raises UnreadableRecord: not an object."""
    if not isinstance(answer, Mapping):
        raise UnreadableRecord("not an object")
    activity, unknown_word = read_activity(answer)
    reason = _text(answer, *REASON_FIELDS)
    if unknown_word:
        reason = f'the bot says "{unknown_word}"' + (f": {reason}" if reason else "")
    ages = (fields.optional(fields.number, answer, name) for name in ("loop_age", "last_loop_age"))
    return BotStatusReading(
        fields.read_mode(answer), activity, reason,
        loop_age=next((float(age) for age in ages if age is not None), None),
        loop_time=fields.optional(fields.seconds_of, answer, "timestamp"),
        trades=fields.optional_count(answer, "trades", "trade_count", "trades_count", "total_trades"),
        boot_id=fields.optional(fields.token, answer, "boot_id"),
        seq=fields.optional_count(answer, "seq", "last_seq"),
        order_prefix=fields.optional(fields.token, answer, "order_prefix"),
        positions=fields.optional(_positions, answer, "positions"),
    )  # fmt: skip


def read_activity(record: Record) -> tuple[Activity | None, str]:
    """Return the activity for the word of a status; ("other", word) for a word that the table does not have."""
    for flag in ("halted", "paused"):
        if record.get(flag) is True:
            return ACTIVITY_WORDS[flag], ""
    found: Activity | None = None
    for word in filter(None, (_text(record, name) for name in ("activity", "state", "status"))):
        known = ACTIVITY_WORDS.get(fields.normalized(word))
        if known is None:
            return "other", word
        if found in (None, "trading"):  # a word of trouble in a later field outweighs "ok" in an earlier one
            found = known
    if record.get("running") is False and found in (None, "trading"):
        return "stopped", ""
    return ("trading" if found is None and record.get("running") is True else found), ""


def _positions(answer: Record, name: str) -> dict[str, Decimal]:
    """Read {ticker: contracts}; one number that cannot be read makes all of them unreadable."""
    value = answer.get(name)
    if not isinstance(value, Mapping) or not all(isinstance(ticker, str) for ticker in value):
        raise UnreadableRecord(f"{name}: not an object")
    return {ticker: fields.number(value, ticker) for ticker in value}


def _text(record: Record, *names: str) -> str:
    """Return the first non-empty text of these fields in printable characters, at most 200; "" for none."""
    texts = (value for value in map(record.get, names) if isinstance(value, str) and value.strip())
    text = "".join(each if each.isprintable() else " " for each in next(texts, "")[:1000])
    return " ".join(text.split())[:200]


@dataclass(slots=True)
class BotStatus:
    """The bot as the last polls showed it."""

    since: float  # Unix seconds of the last change of status
    status: Status = "offline"
    activity: Activity | None = None
    mode: Mode | None = None  # None until the bot names one or has no status URL; holds until it names another
    reason: str = NOT_POLLED
    trades: int = 0
    seen: bool = False  # the bot answered at least once, to this process or to an earlier leader
    failures: int = 0  # failed polls in a row
    positions: Mapping[str, Decimal] | None = None  # contracts by ticker, + YES, - NO, where the bot reports them
    monotonic: Callable[[], float] = time.monotonic
    _loop_time: Decimal | None = field(default=None, repr=False)  # the last timestamp of the bot's status
    _loop_moved: float = field(default=0.0, repr=False)  # monotonic seconds at which it last changed

    def note(self, reading: BotStatusReading | None, trouble: str, trades: int, now: float) -> bool:
        """Process one poll (reading: None if it failed, for trouble). Return True if clients need an event."""
        before = self.status, self.activity, self.mode, self.reason
        if reading is None:
            self._fail(trouble)
        else:
            self._take(reading, trades)
        if self.status != before[0]:
            self.since = now
        return before != (self.status, self.activity, self.mode, self.reason)

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
        """Continue from the last leader's status. Raises ValueError, KeyError or TypeError for another text."""
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
    positions: Mapping[str, Decimal] | None = None  # contracts by ticker, + YES, - NO, where the bot reports them

    def dump(self) -> str:
        """Return the JSON text."""
        return dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "BotSnapshot | None":
        """Read such a text; None for an empty one and one of another version."""
        try:
            saved = loads(text)
            BotStatus(0.0).resume(saved["status"])
            positions = saved.get("positions")
            return cls(
                saved["status"], float(saved["polled"]), float(saved["swept"]), float(saved["at"]),
                None if positions is None else {ticker: Decimal(count) for ticker, count in positions.items()},
            )  # fmt: skip
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
            return None
