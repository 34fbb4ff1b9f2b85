"""Matches a batch of drafts against the journal: new entries, known entries, and the ids to store of each."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from operator import attrgetter

from journal import fingerprint
from journal.entries import Draft, Trade
from journal.fingerprint import Candidate, Fingerprint, KnownId, KnownIds


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A draft that becomes an entry. open: a second reporter may still report the same execution."""

    seq: int
    draft: Draft
    open: bool


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """The writes of a batch. by_draft: for each draft, in order, the seq of its entry; 0 where there is none."""

    fresh: list[NewEntry]
    by_draft: list[int]
    ids: list[KnownId]
    closed: list[int]  # recorded entries to which nothing more may be matched
    heuristic: int  # matched by fingerprint and time alone


def match(drafts: Sequence[Draft], ids: KnownIds, candidates: Mapping[int, Candidate], head: int) -> AppendPlan:
    """Return the plan for drafts, in order. ids and candidates: what fingerprint finds for them. head: the last seq."""
    return _BatchMatcher(drafts, ids, candidates).plan(head)


class _BatchMatcher:
    """One batch being matched.

    A place is the seq of a recorded entry (> 0), or -1 - i for an entry that draft i makes, or 0 for no entry: a trade
    that is voided and was never recorded.
    """

    def __init__(self, drafts: Sequence[Draft], ids: KnownIds, candidates: Mapping[int, Candidate]) -> None:
        self._drafts = drafts
        self._ids = {name: list(known) for name, known in ids.items()}  # grows with the batch
        self._candidates = dict(candidates)  # by place; grows with the batch
        self._new: list[KnownId] = []  # with places for seqs
        self._places: list[int] = []  # of each draft, by its ids
        self._moved: dict[int, int] = {}  # places of the batch that turned out to be another place
        self._corrected: dict[int, int] = {}  # for each place that is a correction, the place that it corrects
        self._closed: set[int] = set()

    def plan(self, head: int) -> AppendPlan:
        for index, draft in enumerate(self._drafts):
            self._places.append(self._place(index, draft))
        heuristic = self._pair_alike()
        seqs: dict[int, int] = {}
        for own, place in enumerate(self._places, 1):
            # A correction that turned out to be another entry is still written, to void what it corrects.
            if place == -own and (place not in self._moved or place in self._corrected):
                seqs[place] = head + 1 + len(seqs)
        fresh = [self._new_entry(place, seqs) for place in seqs]
        by_draft = [self._seq(place, seqs) for place in self._places]
        closed = sorted(place for place in self._closed if place > 0)
        ids = [KnownId(known.name, known.content, self._seq(known.seq, seqs)) for known in self._new]
        # The ids of a trade that is taken back lead to its counterpart, and each entry has one of its own.
        voids = [(self._drafts[-1 - place], seq) for place, seq in seqs.items() if place in self._moved]
        ids += [KnownId(fingerprint.void_name(draft), fingerprint.content_digest(draft), seq) for draft, seq in voids]
        return AppendPlan(fresh, by_draft, ids, closed, heuristic)

    def _new_entry(self, place: int, seqs: dict[int, int]) -> NewEntry:
        draft = self._drafts[-1 - place]
        open = self._may_match(draft) and place not in self._closed
        if place in self._corrected:
            assert isinstance(draft, Trade), "only trades are corrected"
            void = place in self._moved
            quantity = Decimal(0) if void else draft.quantity
            draft = replace(draft, corrects=self._seq(self._corrected[place], seqs), quantity=quantity)
            open = open and not void and self._candidates[place].open
        return NewEntry(seqs[place], draft, open)

    def _place(self, index: int, draft: Draft) -> int:
        """Return the place of the entry that has the draft's ids, else its own; store its ids."""
        place = fingerprint.known_seq(draft, self._ids)
        if place is None:
            place = self._unknown(-1 - index, draft) if isinstance(draft, Trade) else -1 - index
        if place:
            self._remember(KnownId(fingerprint.report_name(draft), fingerprint.content_digest(draft), place))
            if (claimed := fingerprint.claim_name(draft)) is not None:
                self._remember(KnownId(claimed, fingerprint.content_digest(draft), place))
        return place

    def _unknown(self, own: int, trade: Trade) -> int:
        """Return the place of a trade without a known id: a counterpart's, or its own."""
        counterpart = self._counterpart(trade)
        corrected = self._corrects(trade)
        if corrected is not None and corrected != counterpart:
            self._correct(own, trade, corrected)
            if counterpart is not None:
                self._moved[own] = counterpart
            return own
        if counterpart is not None:
            return counterpart
        if not trade.quantity:
            return 0
        self._candidates[own] = Candidate.of(own, trade, self._may_match(trade))
        return own

    def _corrects(self, trade: Trade) -> int | None:
        """Return the place of the trade that this report corrects, None if it corrects none."""
        if fingerprint.from_exchange(trade):
            return None
        places = [known.seq for known in self._ids.get(fingerprint.report_name(trade), ())]
        if places:
            # The first to be written: the trade itself, then its corrections follow.
            return min((place for place in places if place > 0), default=max(places))
        return trade.corrects

    def _correct(self, own: int, trade: Trade, corrected: int) -> None:
        """Make own a correction, which takes the place of all earlier content for the reports that follow."""
        self._corrected[own] = corrected
        before = {known.seq for known in self._ids.get(fingerprint.report_name(trade), ())} | {corrected}
        open = any(self._is_open(place) for place in before)
        self._closed |= {place for place in before if self._is_open(place)}
        self._candidates[own] = Candidate.of(own, trade, open and self._may_match(trade) and trade.quantity > 0)

    def _is_open(self, place: int) -> bool:
        candidate = self._candidates.get(place)
        return candidate is not None and candidate.open and place not in self._closed

    def _counterpart(self, trade: Trade) -> int | None:
        alike = fingerprint.fingerprint(trade)
        for name in fingerprint.counterpart_names(trade):
            for known in self._ids.get(name, ()):
                candidate = self._candidates.get(known.seq)
                if candidate and candidate.fingerprint == alike:
                    if candidate.open:
                        self._closed.add(known.seq)
                    return known.seq
        return None

    def _remember(self, new: KnownId) -> None:
        ids = self._ids.setdefault(new.name, [])
        if all(known.content != new.content for known in ids):
            ids.append(new)
            self._new.append(new)

    def _pair_alike(self) -> int:
        """Join what only the fingerprint connects, nearest first, each at most once. Return how many were joined."""
        groups: dict[Fingerprint, list[Candidate]] = defaultdict(list)
        for candidate in self._candidates.values():
            if candidate.open and candidate.seq not in self._closed and candidate.seq not in self._moved:
                groups[candidate.fingerprint].append(candidate)
        pairs = [pair for group in groups.values() for pair in _near(group)]
        joined = 0
        for earlier, later in sorted(pairs, key=_nearest):
            if earlier.seq not in self._closed and later.seq not in self._closed:
                self._moved[later.seq] = earlier.seq
                self._closed |= {earlier.seq, later.seq}
                joined += 1
        return joined

    def _may_match(self, draft: Draft) -> bool:
        # The fill id that a bot reports decides: a fill with another id is another execution, however alike.
        return isinstance(draft, Trade) and (fingerprint.from_exchange(draft) or draft.fill_id is None)

    def _seq(self, place: int, seqs: dict[int, int]) -> int:
        place = self._moved.get(place, place)
        return place if place >= 0 else seqs[place]


def _near(group: list[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Yield pairs of different reporters within the window, earlier first; at least one is of the batch."""
    fills = sorted((candidate for candidate in group if candidate.exchange), key=attrgetter("timestamp"))
    for one in group if fills else ():
        if one.exchange:
            continue
        start = bisect_left(fills, one.timestamp - fingerprint.WINDOW, key=attrgetter("timestamp"))
        for other in islice(fills, start, None):
            if other.timestamp - one.timestamp > fingerprint.WINDOW:
                break
            if min(one.seq, other.seq) < 0:
                # Recorded seqs are positive and a place of the batch falls with its index: the greater came first.
                yield (one, other) if one.seq > other.seq else (other, one)


def _nearest(pair: tuple[Candidate, Candidate]) -> tuple[object, ...]:
    """Sort by distance in time; between equals, in the order of the reports."""
    earlier, later = pair
    return abs(earlier.timestamp - later.timestamp), earlier.seq < 0, abs(earlier.seq), abs(later.seq)
