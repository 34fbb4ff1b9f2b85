"""One reading of the exchange: every fill and settlement since we last knew all, each judged once, as drafts."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from ingest.attribution import Attribution, Wait
from ingest.exchange_entries import settlement_of, trade_of
from ingest.poll_overlap import GapSpan
from journal.entries import Draft, Mode
from kalshi.account_models import Fill, Position
from kalshi.cash_models import Settlement

MARGIN: Final = 15.0  # seconds that each sweep reaches back before what is known, for clocks and late rows
REMEMBERED: Final = 20_000  # ids of rows that the journal has, so that the margin costs it nothing


class ExchangeReads(Protocol):
    """What we read of the exchange (kalshi.client.KalshiClient has it). Every method may raise KalshiError."""

    async def user_data_timestamp(self) -> float:
        """Up to when its account reads are complete (Unix seconds)."""
        ...

    def fills(self, min_ts: float | None = None) -> AsyncIterator[Fill]:
        """Every execution since then, however old."""
        ...

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[Settlement]:
        """Every settlement since then."""
        ...

    async def positions(self) -> list[Position]:
        """What the account holds."""
        ...


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Where the next sweep begins. begun: nothing before is ever read (the journal's first start). Unix seconds."""

    begun: float
    fills: float
    settlements: float

    @classmethod
    def load(cls, marks: Mapping[str, str]) -> "Watermarks | None":
        """As the journal's marks say; None before the first start."""
        if "begun" not in marks:
            return None
        begun = float(marks["begun"])
        return cls(begun, float(marks.get("fills", begun)), float(marks.get("settlements", begun)))

    def marks(self) -> dict[str, str]:
        """The marks to keep."""
        return {"begun": str(self.begun), "fills": str(self.fills), "settlements": str(self.settlements)}


@dataclass(slots=True)
class FillBatch:
    """What one sweep brought. waiting: seconds until a fill without a known maker can be judged, 0 for none."""

    drafts: list[Draft] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    healed: list[GapSpan] = field(default_factory=list)
    known: Watermarks = field(default_factory=lambda: Watermarks(0, 0, 0))
    waiting: float = 0.0


class FillReader:
    """Reads and judges; keeps nothing but the ids of what the journal already has."""

    def __init__(self, exchange: ExchangeReads, origins: Attribution, clock: Callable[[], float]) -> None:
        self._exchange = exchange
        self._origins = origins
        self._clock = clock
        self._kept: dict[str, None] = {}  # ids of rows that the journal has, oldest first

    def kept(self, ids: list[str]) -> None:
        """The journal has these rows now."""
        self._kept.update(dict.fromkeys(ids))
        for old in list(self._kept)[: max(0, len(self._kept) - REMEMBERED)]:
            del self._kept[old]

    async def sweep(self, known: Watermarks, mode: Mode) -> FillBatch:
        """Everything since known, and the open holes. Raises KalshiError."""
        # The holes are taken first and the exchange's own clock is read before its rows: a hole is healed only
        # when rows that were read afterwards are complete beyond its end.
        holes = list(self._origins.holes)
        # A clock that is ahead of ours must not carry the mark over what has yet to happen.
        complete = min(self._clock(), await self._exchange.user_data_timestamp())
        swept = FillBatch(healed=[hole for hole in holes if float(hole.end) <= complete])
        fills_to = await self._fills(min([known.fills, *(float(hole.start) for hole in holes)]), known, mode, swept)
        await self._settlements(known, mode, swept)
        swept.drafts.sort(key=lambda draft: draft.timestamp)
        swept.known = Watermarks(
            known.begun, max(known.fills, min(complete, fills_to)), max(known.settlements, complete)
        )  # fmt: skip
        return swept

    async def _fills(self, since: float, known: Watermarks, mode: Mode, swept: FillBatch) -> float:
        """Judge each new fill; up to when all are judged."""
        judged_to = float("inf")
        async for fill in self._exchange.fills(min_ts=max(known.begun, since - MARGIN)):
            if fill.fill_id in self._kept or fill.timestamp < Decimal(known.begun):
                continue
            verdict = self._origins.judge(fill.timestamp, fill.order_id, fill.client_order_id, self._clock())
            if isinstance(verdict, Wait):
                judged_to = min(judged_to, float(fill.timestamp))
                swept.waiting = max(swept.waiting, verdict.seconds)
                continue
            swept.drafts.append(trade_of(fill, verdict, mode))
            swept.ids.append(fill.fill_id)
        return judged_to

    async def _settlements(self, known: Watermarks, mode: Mode, swept: FillBatch) -> None:
        async for paid in self._exchange.settlements(min_ts=max(known.begun, known.settlements - MARGIN)):
            name = f"{paid.ticker} {paid.settled}"
            if name not in self._kept and paid.settled >= Decimal(known.begun):
                swept.drafts.append(settlement_of(paid, mode))
                swept.ids.append(name)
