"""Held: what this process knows of one key, and the decision when its source may be asked again."""

from dataclasses import dataclass

from cache.base import Answer
from cache.cached_value import CachedValue

FIRST, LONGEST = 1.0, 15.0  # seconds before the source is asked again, after one try in vain and after many


@dataclass(slots=True, eq=False)
class CacheEntry:
    """A record and its answers, made once each, so that readers can tell by identity that nothing has changed.

    Moments are monotonic seconds. All of it is mutable state, changed by the methods below alone.
    """

    record: CachedValue | None = None
    size: int = 0  # of the record's text
    answer: Answer | None = None  # as it is told while fresh
    old: Answer | None = None  # as it is told while stale
    checked: float = 0.0  # until then the cache need not be looked at again
    tries: int = 0  # in a row that brought nothing better
    asked: float = 0.0  # when the last of them began
    ask_at: float = 0.0  # the source is left alone until then
    since: float = 0.0  # the news that the last try was about
    error: Exception | None = None

    def take(self, record: CachedValue | None, size: int, source: str) -> None:
        """Hold this record from now on, or none."""
        self.record, self.size, self.old = record, size, None
        self.answer = Answer(record.value, source, record.as_of) if record else None

    def look(self, source: str, until: float) -> None:
        """The cache was looked at and had nothing newer; its name may have changed."""
        self.checked = until
        if self.answer is not None and self.answer.source != source:
            self.answer = Answer(self.answer.value, source, self.answer.as_of)

    def begin(self, since: float, moment: float) -> None:
        """The source is being asked, with these news in mind."""
        self.asked, self.since = moment, since

    def leave_alone(self, error: Exception | None, moment: float) -> None:
        """A try brought nothing better: the next is further off."""
        self.tries += 1
        self.error = error
        self.ask_at = moment + min(LONGEST, FIRST * 2.0 ** min(self.tries - 1, 10))

    def settle(self) -> None:
        """A try brought what was wanted."""
        self.tries, self.ask_at, self.error = 0, 0.0, None

    def must_wait(self, since: float, moment: float) -> bool:
        """Is the source to be left alone? News since the last try shorten the wait, for they change the question."""
        if self.error is None and since > self.since:
            return moment < min(self.ask_at, self.asked + FIRST)
        return moment < self.ask_at

    def stale(self, record: CachedValue, source: str) -> Answer:
        """The record as it is told while stale."""
        if self.old is None or self.old.as_of != record.as_of:
            self.old = Answer(record.value, source, record.as_of, stale=True)
        return self.old
