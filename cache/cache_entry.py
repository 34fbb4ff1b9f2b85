"""One key of StaleCache in this process: its value, its answers, and when its source may be asked again."""

from dataclasses import dataclass

from cache.base import Answer
from cache.cached_value import CachedValue

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 15.0  # seconds until the source is asked again, after one failure and after many
MAX_DOUBLINGS = 10


@dataclass(slots=True, eq=False)
class CacheEntry:
    """A value and its answers, made once each, so that callers see by identity that nothing changed.

    Moments are monotonic seconds. All fields are mutable state, changed by the methods below alone.
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

    def set_value(self, value: CachedValue | None, size: int, source: str) -> None:
        """Replace the value; None removes it."""
        self.value, self.size, self.stale_answer = value, size, None
        self.fresh_answer = Answer(value.value, source, value.as_of) if value else None

    def set_cache_checked(self, source: str, until: float) -> None:
        """Note that the shared cache has nothing newer until then; its source name may have changed."""
        self.cache_valid_until = until
        if self.fresh_answer is not None and self.fresh_answer.source != source:
            self.fresh_answer = Answer(self.fresh_answer.value, source, self.fresh_answer.as_of)

    def begin_fetch(self, newer_than: float, moment: float) -> None:
        """Note that a fetch begins."""
        self.fetch_began, self.fetch_newer_than = moment, newer_than

    def back_off(self, error: Exception | None, moment: float) -> None:
        """Note that a fetch gave nothing better, and double the time until the next one."""
        self.failures += 1
        self.error = error
        backoff = FIRST_BACKOFF * 2.0 ** min(self.failures - 1, MAX_DOUBLINGS)
        self.fetch_not_before = moment + min(LONGEST_BACKOFF, backoff)

    def clear_backoff(self) -> None:
        """Note that a fetch succeeded."""
        self.failures, self.fetch_not_before, self.error = 0, 0.0, None

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
