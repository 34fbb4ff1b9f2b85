"""One key of StaleCache in this process: its value with its age, and when its source may be asked again."""

from dataclasses import dataclass
from typing import Any, Literal

from cache.base import Answer
from cache.decimal_json import dumps, loads

Freshness = Literal["fresh", "incomplete", "expired"]
CLOCK_TOLERANCE = 5.0  # seconds by which another host's clock may be ahead of ours
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 15.0  # seconds until the source is asked again, after one failure and after many
MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class CachedValue:
    """A value as its source gave it.

    as_of: Unix seconds at which the source was asked. complete_to: Unix seconds up to which the source contained every
    event when it was asked, by its own word; 0 if it did not say.
    """

    value: Any
    as_of: float
    complete_to: float = 0.0

    def freshness(self, now: float, ttl: float, newer_than: float) -> Freshness:
        """Return fresh, incomplete (read before the source contained the event at newer_than, 0: none) or expired.

        A value from the future, after a clock was set back, is expired: its age is unknown.
        """
        if not -CLOCK_TOLERANCE <= now - self.as_of < ttl:
            return "expired"
        return "incomplete" if newer_than and self.complete_to <= newer_than else "fresh"

    def encode(self) -> bytes:
        """Return the JSON text, decimals exact."""
        return dumps([self.as_of, self.complete_to, self.value]).encode("ascii")

    def is_encoded_in(self, raw: bytes) -> bool:
        """Return True if raw is this value's text. Compares the time alone, so a large value is not parsed again."""
        return raw.startswith(f"[{dumps(self.as_of)},".encode("ascii"))

    @classmethod
    def decode(cls, raw: bytes) -> "CachedValue | None":
        """Return the value of such a text, or None for anything else: a shared store may hold anything."""
        try:
            as_of, complete_to, value = loads(raw)
            return cls(value, float(as_of), float(complete_to))
        except (ValueError, TypeError, RecursionError):
            return None


@dataclass(slots=True, eq=False)
class CacheEntry:
    """A value and its answers, made once each, so that callers see by identity that nothing changed.

    Moments are monotonic seconds. StaleCache alone changes the fields.
    """

    value: CachedValue | None = None
    size: int = 0  # bytes of the encoded value
    fresh_answer: Answer | None = None
    stale_answer: Answer | None = None
    cache_valid_until: float = 0.0  # until then the shared cache is not read again
    failures: int = 0  # fetches in a row that gave nothing better
    fetch_began: float = 0.0
    fetch_not_before: float = 0.0
    fetch_newer_than: float = 0.0  # the event (Unix seconds) that the last fetch had to include
    error: Exception | None = None

    def set_cache_checked(self, source: str, until: float) -> None:
        """Note that the shared cache has nothing newer until then; its source name may have changed."""
        self.cache_valid_until = until
        if self.fresh_answer is not None and self.fresh_answer.source != source:
            self.fresh_answer = Answer(self.fresh_answer.value, source, self.fresh_answer.as_of)

    def back_off(self, error: Exception | None, moment: float) -> None:
        """Note that a fetch gave nothing better, and double the time until the next one."""
        self.failures += 1
        self.error = error
        backoff = FIRST_BACKOFF * 2.0 ** min(self.failures - 1, MAX_DOUBLINGS)
        self.fetch_not_before = moment + min(LONGEST_BACKOFF, backoff)

    def must_wait(self, newer_than: float, moment: float) -> bool:
        """Return True if the source must not be asked yet. An event since the last fetch shortens the wait."""
        if self.error is None and newer_than > self.fetch_newer_than:
            return moment < min(self.fetch_not_before, self.fetch_began + FIRST_BACKOFF)
        return moment < self.fetch_not_before

    def as_stale(self, value: CachedValue, source: str) -> Answer:
        """Return the answer with stale=True."""
        if self.stale_answer is None or self.stale_answer.as_of != value.as_of:
            self.stale_answer = Answer(value.value, source, value.as_of, stale=True)
        return self.stale_answer
