"""Which execution a report is about: the rules that keep one execution one entry, whoever tells it and how often.

Within a reporter: the bot's boot_id (when given), trade_id, timestamp and content; the exchange's fill id.
Across reporters: the fill id; else, one to one, the nearest report that looks alike within ten seconds.
Never across modes. Everything here is synchronous and knows no database.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

from cache.decimal_json import plain
from journal.entries import Baseline, Draft, Gap, Settlement, Trade

EXCHANGE: Final = "kalshi_api"
"""The source of a trade that the exchange itself reported."""

WINDOW: Final = Decimal(10)
"""Seconds by which two reports of one execution may differ when no id connects them."""

Fingerprint = tuple[str, str, str, Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class KnownId:
    """A name under which an entry is known. life is the bot's boot, "" for any."""

    name: str
    life: str
    seq: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trade as the rules see it. open: no second reporter has been matched to it yet."""

    seq: int
    exchange: bool
    timestamp: Decimal
    likeness: Fingerprint
    open: bool

    @classmethod
    def of(cls, seq: int, trade: Trade, open: bool = True) -> "Candidate":
        """The peer that a report makes."""
        return cls(seq, from_exchange(trade), trade.timestamp, fingerprint(trade), open)


@dataclass(frozen=True, slots=True)
class KnownEntries:
    """What the journal knows already that may bear on a batch: sightings by name, kept trades by seq."""

    sightings: Mapping[str, Sequence[KnownId]] = field(default_factory=dict)
    peers: Mapping[int, Candidate] = field(default_factory=dict)


def from_exchange(trade: Trade) -> bool:
    """Whether the exchange itself is the reporter, so that the id is a fill id."""
    return trade.source == EXCHANGE


def fingerprint(trade: Trade) -> Fingerprint:
    """What two reports of one execution have in common, in YES terms: BUY no p is SELL yes 1 - p."""
    return trade.mode, trade.ticker, trade.yes_side, trade.quantity, trade.yes_price


def report_id(draft: Draft) -> str:
    """The name by which a reporter's second telling of the same thing is known."""
    match draft:
        case Trade() if from_exchange(draft):
            return fill_name(draft.mode, draft.fill_id or draft.trade_id)
        case Trade():
            return _digest("bot", draft.trade_id, draft.timestamp, *fingerprint(draft))
        case Settlement():
            return _digest("settlement", draft.mode, draft.ticker, draft.timestamp)
        case Gap():
            return _digest("gap", draft.start, draft.end, draft.why)
        case Baseline():
            return _digest("baseline")


def boot_digest(draft: Draft) -> str:
    """Which boot of the bot tells it, "" when it does not say."""
    return _digest(draft.boot_id)[:16] if isinstance(draft, Trade) and draft.boot_id else ""


def fill_name(mode: str, fill_id: str) -> str:
    """The name of an exchange's fill."""
    return _digest("fill", mode, fill_id)


def claim(draft: Draft) -> str | None:
    """The name under which a bot's trade awaits a fill: its fill_id, else its trade_id, which may be one."""
    if not isinstance(draft, Trade) or from_exchange(draft):
        return None
    return _digest("claim", draft.mode, draft.fill_id or draft.trade_id)


def counterparts(trade: Trade) -> list[str]:
    """The names by which another reporter's entry of the same execution may be found, if it also looks alike."""
    if from_exchange(trade):
        return [_digest("claim", trade.mode, trade.fill_id or trade.trade_id)]
    if trade.fill_id is None:
        return [fill_name(trade.mode, trade.trade_id)]
    # The bot's own claim too: a fill id names one execution in every life of the bot.
    return [fill_name(trade.mode, trade.fill_id), _digest("claim", trade.mode, trade.fill_id)]


def report_ids(drafts: Iterable[Draft]) -> list[str]:
    """Every name to look up before a batch can be judged."""
    wanted: dict[str, None] = {}
    for draft in drafts:
        wanted[report_id(draft)] = None
        if isinstance(draft, Trade):
            wanted.update(dict.fromkeys(counterparts(draft)))
        if (claimed := claim(draft)) is not None:
            wanted[claimed] = None
    return list(wanted)


def windows(
    drafts: Iterable[Draft], known: Mapping[str, Sequence[KnownId]]
) -> list[tuple[str, Decimal, Decimal, bool]]:
    """Where likely peers of the trades without a known name lie: ticker, from, to, reporter; overlaps joined.

    The reporter is the other one (true: the exchange), for nobody is the peer of his own kind: a bot that trades one
    market fast would otherwise be compared with all that it has just done.
    """
    moments: dict[tuple[str, bool], list[Decimal]] = defaultdict(list)
    for draft in drafts:
        if isinstance(draft, Trade) and find(known.get(report_id(draft), ()), boot_digest(draft)) is None:
            moments[draft.ticker, not from_exchange(draft)].append(draft.timestamp)
    found: list[tuple[str, Decimal, Decimal, bool]] = []
    for (ticker, exchange), times in moments.items():
        stretches: list[tuple[Decimal, Decimal]] = []
        for time in sorted(times):
            if stretches and time - WINDOW <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], time + WINDOW)
            else:
                stretches.append((time - WINDOW, time + WINDOW))
        found += [(ticker, since, until, exchange) for since, until in stretches]
    return found


def sharing_an_id(drafts: Iterable[Draft], known: Mapping[str, Sequence[KnownId]]) -> set[int]:
    """The seqs of kept entries that share an id with a trade of another reporter, so that likeness must decide."""
    return {
        sighting.seq
        for draft in drafts
        if isinstance(draft, Trade) and find(known.get(report_id(draft), ()), boot_digest(draft)) is None
        for other in counterparts(draft)
        for sighting in known.get(other, ())
    }


def find(sightings: Iterable[KnownId], life: str) -> KnownId | None:
    """The sighting that a report from this life repeats: its own life's, or where one side names no life."""
    for sighting in sightings:
        if sighting.life == life or not sighting.life or not life:
            return sighting
    return None


def _digest(*parts: str | Decimal) -> str:
    # Hashed, so that ids of any length, case and script are told apart alike by every database; quoted, so that no
    # two lists of parts share a text.
    texts = [quoted(part if isinstance(part, str) else plain(part)) for part in parts]
    return blake2b(",".join(texts).encode(), digest_size=16).hexdigest()
