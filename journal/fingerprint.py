"""Names and fingerprints by which reports of one execution are recognised, from bot and exchange alike.

Within the bot's reports: mode, trade_id, timestamp and content, in any process of the bot. Within the exchange's: the
fill id. Across the two: the fill id; else, one to one, the nearest report with the same fingerprint within ten seconds.
Never across modes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, Literal

from cache.decimal_json import plain
from journal import codec
from journal.entries import Baseline, Draft, Gap, Kind, Settlement, Trade, Transfer

EXCHANGE: Final = "kalshi_api"  # the source of a trade that the exchange itself reported
WINDOW: Final = Decimal(10)  # seconds by which two reports of one execution may differ when no id connects them

Fingerprint = tuple[str, str, str, Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class KnownId:
    """A name under which an entry is known.

    content: digest of the report's content, where the name does not include it; "" elsewhere. (Version 0.1 wrote the
    digest of the bot's boot_id there; its names include the content.)
    """

    name: str
    content: str
    seq: int


KnownIds = Mapping[str, Sequence[KnownId]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recorded execution that a report may be about. open: no second reporter has been matched to it yet."""

    seq: int
    exchange: bool
    timestamp: Decimal
    fingerprint: Fingerprint
    open: bool

    @classmethod
    def of(cls, seq: int, trade: Trade, open: bool = True) -> "Candidate":
        """Return the candidate that a trade makes under seq."""
        return cls(seq, from_exchange(trade), trade.timestamp, fingerprint(trade), open)


def from_exchange(trade: Trade) -> bool:
    """Return True if the exchange itself is the reporter, so that the id is a fill id."""
    return trade.source == EXCHANGE


def fingerprint(trade: Trade) -> Fingerprint:
    """Return what two reports of one execution have in common, in YES terms: BUY no p is SELL yes 1 - p."""
    return trade.mode, trade.ticker, trade.yes_side, trade.quantity, trade.yes_price


def report_name(draft: Draft) -> str:
    """Return the name under which a draft's entry is known to later reports of the same thing."""
    match draft:
        case Trade() if from_exchange(draft):
            return _named("fill", draft)
        case Trade():
            return _digest("trade", draft.mode, draft.trade_id, draft.timestamp)
        case Settlement():
            return _digest("settlement", draft.mode, draft.ticker, draft.timestamp)
        case Transfer():
            return _digest("transfer", draft.mode, draft.direction, draft.transfer_id, draft.status)
        case Gap():
            numbers = [str(number) for number in (draft.from_seq, draft.to_seq) if number is not None]
            return _digest("gap", draft.start, draft.end, draft.why, *numbers)
        case Baseline():
            return _digest("baseline") if draft.balance is None else _digest("baseline", "balance")


def void_name(draft: Draft) -> str:
    """Return the name of the corrections that take a trade back, because draft's content is another entry's."""
    return _digest("void", report_name(draft))


def content_digest(draft: Draft) -> str:
    """Return the digest of a bot's trade's content; "" where the name includes the content."""
    return _digest(*fingerprint(draft))[:16] if isinstance(draft, Trade) and not from_exchange(draft) else ""


def old_names(draft: Draft) -> list[str]:
    """Return the other names under which the same report may be known: of version 0.1, a void, or a wider entry."""
    match draft:
        case Trade(corrects=None) if not from_exchange(draft):
            return [_digest("bot", draft.trade_id, draft.timestamp, *fingerprint(draft))]
        case Trade(corrects=int(), quantity=0):
            return [void_name(draft)]  # in an archive; what the bot reported instead is another entry there
        case Baseline(balance=None):
            return [_digest("baseline", "balance")]
    return []


def claim_name(draft: Draft) -> str | None:
    """Return the name under which a bot's trade waits for a fill: by its fill_id, else its trade_id (may be one)."""
    return _named("claim", draft) if isinstance(draft, Trade) and not from_exchange(draft) else None


def counterpart_names(trade: Trade) -> list[str]:
    """Return the names by which another reporter's entry of the same execution may be found, if fingerprints agree."""
    if from_exchange(trade):
        return [_named("claim", trade)]
    # The bot's own claim too: a fill id names one execution in every process of the bot.
    return [_named("fill", trade), *([_named("claim", trade)] if trade.fill_id is not None else [])]


def _named(use: Literal["fill", "claim"], trade: Trade) -> str:
    """Return the name of the exchange's fill of a trade, or of the bot's claim to it."""
    return _digest(use, trade.mode, trade.fill_id or trade.trade_id)


def own_ids(entries: Iterable[tuple[int, Kind, str]]) -> list[KnownId]:
    """Return the names by which trades among entries (seq, kind, body) are corrected; version 0.1 stored none."""
    drafts = [(seq, codec.draft(kind, body)) for seq, kind, body in entries if kind == "trade"]
    return [KnownId(report_name(draft), content_digest(draft), seq) for seq, draft in drafts]


def names_of(drafts: Iterable[Draft]) -> list[str]:
    """Return every name to look up before a batch can be matched."""
    wanted: dict[str, None] = {}
    for draft in drafts:
        names = [report_name(draft), *old_names(draft)]
        if isinstance(draft, Trade):
            names += [*counterpart_names(draft), _named("claim", draft)]
        wanted.update(dict.fromkeys(names))
    return list(wanted)


def known_seq(draft: Draft, ids: KnownIds) -> int | None:
    """Return the seq of the entry that already holds this very report, None if it is new."""
    content = content_digest(draft)
    for known in ids.get(report_name(draft), ()):
        if known.content == content:
            return known.seq
    for name in old_names(draft):
        for known in ids.get(name, ()):
            return known.seq
    return None


def windows(drafts: Iterable[Draft], ids: KnownIds) -> list[tuple[str, Decimal, Decimal, bool]]:
    """Return where candidates for new trades lie: ticker, from, to, reporter (True: the exchange); overlaps joined.

    The reporter is the other one: reports of one reporter are never matched by fingerprint.
    """
    moments: dict[tuple[str, bool], list[Decimal]] = defaultdict(list)
    for trade in _new_trades(drafts, ids):
        moments[trade.ticker, not from_exchange(trade)].append(trade.timestamp)
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


def sharing_an_id(drafts: Iterable[Draft], ids: KnownIds) -> set[int]:
    """Return the seqs of entries that share an id with a new trade, so that the content must decide."""
    return {
        known.seq
        for trade in _new_trades(drafts, ids)
        for name in (report_name(trade), *counterpart_names(trade))
        for known in ids.get(name, ())
    }


def _new_trades(drafts: Iterable[Draft], ids: KnownIds) -> Iterator[Trade]:
    for draft in drafts:
        if isinstance(draft, Trade) and known_seq(draft, ids) is None:
            yield draft


@lru_cache(maxsize=4096)  # each is needed several times while its batch is matched
def _digest(*parts: str | Decimal) -> str:
    # Hashed, so that ids of any length, case and script are distinct in every database; quoted, so that no two lists
    # of parts share a text.
    texts = [quoted(part if isinstance(part, str) else plain(part)) for part in parts]
    return blake2b(",".join(texts).encode(), digest_size=16).hexdigest()
