"""Judges a batch: which drafts are new, which entry stands for each of the others, and what to remember of them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from journal import fingerprint
from journal.entries import Draft, Trade
from journal.fingerprint import Candidate, Fingerprint, KnownEntries, KnownId


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A draft that becomes an entry. open: a second reporter may still tell the same execution."""

    seq: int
    draft: Draft
    open: bool


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What to write for a batch; by_draft names, for each draft in order, the seq that stands for it."""

    fresh: list[NewEntry] = field(default_factory=list)
    by_draft: list[int] = field(default_factory=list)
    sightings: list[KnownId] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)  # kept entries that now have both reporters
    heuristic: int = 0


def match(drafts: Sequence[Draft], known: KnownEntries, head: int) -> AppendPlan:
    """The plan for drafts, in order, where head is the last seq and known covers their names, windows and met seqs."""
    return _BatchMatcher(drafts, known).plan(head)


class _BatchMatcher:
    """One batch being judged. A place is a kept seq (> 0), or -1 - i for the draft i that leads a new entry."""

    def __init__(self, drafts: Sequence[Draft], known: KnownEntries) -> None:
        self._drafts = drafts
        self._sightings = {name: list(seen) for name, seen in known.sightings.items()}  # grows with the batch
        self._peers = dict(known.peers)  # by place; grows with the batch
        self._new: list[KnownId] = []  # with places for seqs
        self._places: list[int] = []  # of each draft, as its ids tell
        self._moved: dict[int, int] = {}  # leaders that turned out to be another place, by likeness
        self._closed: set[int] = set()

    def plan(self, head: int) -> AppendPlan:
        for index, draft in enumerate(self._drafts):
            self._places.append(self._by_name(index, draft))
        heuristic = self._pair_alike()
        fresh: list[NewEntry] = []
        seqs: dict[int, int] = {}
        for index, draft in enumerate(self._drafts):
            place = -1 - index
            if self._places[index] == place and place not in self._moved:
                seqs[place] = head + 1 + len(fresh)
                fresh.append(NewEntry(seqs[place], draft, self._may_meet(draft) and place not in self._closed))
        by_draft = [self._seq(place, seqs) for place in self._places]
        closed = sorted(place for place in self._closed if place > 0)
        sightings = [KnownId(seen.name, seen.life, self._seq(seen.seq, seqs)) for seen in self._new]
        return AppendPlan(fresh, by_draft, sightings, closed, heuristic)

    def _by_name(self, index: int, draft: Draft) -> int:
        """The place that the draft's ids tell, its own when they tell none."""
        own, life = fingerprint.report_id(draft), fingerprint.boot_digest(draft)
        seen = fingerprint.find(self._sightings.get(own, ()), life)
        place = seen.seq if seen else self._by_counterpart(draft)
        if place is None:
            place = -1 - index
            if isinstance(draft, Trade):
                self._peers[place] = Candidate.of(place, draft, self._may_meet(draft))
        self._see(KnownId(own, life, place))
        claimed = fingerprint.claim(draft)
        if claimed is not None:
            self._see(KnownId(claimed, "", place))
        return place

    def _by_counterpart(self, draft: Draft) -> int | None:
        if not isinstance(draft, Trade):
            return None
        alike = fingerprint.fingerprint(draft)
        for other in fingerprint.counterparts(draft):
            for seen in self._sightings.get(other, ()):
                peer = self._peers.get(seen.seq)
                if peer and peer.likeness == alike:
                    if peer.open:
                        self._closed.add(seen.seq)
                    return seen.seq
        return None

    def _see(self, sighting: KnownId) -> None:
        seen = self._sightings.setdefault(sighting.name, [])
        if all(other.life != sighting.life for other in seen):
            seen.append(sighting)
            self._new.append(sighting)

    def _pair_alike(self) -> int:
        """Joins what only likeness connects, nearest first, each at most once. How many were joined."""
        groups: dict[Fingerprint, list[Candidate]] = defaultdict(list)
        for peer in self._peers.values():
            if peer.open and peer.seq not in self._closed:
                groups[peer.likeness].append(peer)
        pairs = [pair for group in groups.values() for pair in _near(group)]
        joined = 0
        for earlier, later in sorted(pairs, key=_nearest):
            if earlier.seq not in self._closed and later.seq not in self._closed:
                self._moved[later.seq] = earlier.seq
                self._closed |= {earlier.seq, later.seq}
                joined += 1
        return joined

    def _may_meet(self, draft: Draft) -> bool:
        # A bot that names the fill is believed: a fill with another id is another execution, however alike.
        return isinstance(draft, Trade) and (fingerprint.from_exchange(draft) or draft.fill_id is None)

    def _seq(self, place: int, seqs: dict[int, int]) -> int:
        place = self._moved.get(place, place)
        return place if place > 0 else seqs[place]


def _near(group: list[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Pairs of one likeness, told by different reporters within the window; at least one of them is of the batch."""
    fills = sorted((peer for peer in group if peer.exchange), key=_moment)
    for one in group if fills else ():
        if one.exchange:
            continue
        start = bisect_left(fills, one.timestamp - fingerprint.WINDOW, key=_moment)
        for other in islice(fills, start, None):
            if other.timestamp - one.timestamp > fingerprint.WINDOW:
                break
            if min(one.seq, other.seq) < 0:
                # Kept seqs are positive and a leader's place falls with its index, so the greater came first.
                yield (one, other) if one.seq > other.seq else (other, one)


def _moment(peer: Candidate) -> Decimal:
    return peer.timestamp


def _nearest(pair: tuple[Candidate, Candidate]) -> tuple[object, ...]:
    """Sorts by distance in time; between equals, the order in which they were told."""
    earlier, later = pair
    return abs(earlier.timestamp - later.timestamp), earlier.seq < 0, abs(earlier.seq), abs(later.seq)
