"""One reading of the exchange: every fill and settlement since the last complete reading, each judged once."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from ingest.attribution import Attribution, Wait
from ingest.exchange_entries import settlement_of, trade_of, transfer_of
from ingest.poll_overlap import GapSpan
from journal.entries import Draft, Mode
from kalshi.account_models import Balance, Fill, Position
from kalshi.cash_models import AccountSettlement, BankTransfer
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

MARGIN: Final = 15.0  # seconds that each reading goes back before what is known, for clocks and late rows
TRANSFERS_EVERY: Final = 60.0  # seconds between two readings of deposits and withdrawals, which have no filter by time
MAX_IDS: Final = 20_000  # ids of rows that the journal has, so that rows within the margin cost it nothing


class ExchangeReads(Protocol):
    """Account reads of the exchange, as kalshi.client.KalshiClient has them. Each method may raise KalshiError."""

    async def user_data_timestamp(self) -> float:
        """Return the Unix seconds up to which its account reads are complete."""
        ...

    def fills(self, min_ts: float | None = None) -> AsyncIterator[Fill]:
        """Yield every execution since then, however old."""
        ...

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        """Yield every settlement since then."""
        ...

    async def positions(self) -> list[Position]:
        """Return the open positions."""
        ...

    async def balance(self) -> Balance:
        """Return the cash."""
        ...

    async def transfers(self) -> list[BankTransfer]:
        """Return all deposits and withdrawals."""
        ...


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Start of the next reading in Unix seconds. Nothing before `begun`, the journal's first start, is ever read."""

    begun: float
    fills: float
    settlements: float

    @classmethod
    def load(cls, marks: Mapping[str, str]) -> "Watermarks | None":
        """Read the journal's marks; None before the first start."""
        if "begun" not in marks:
            return None
        begun = float(marks["begun"])
        return cls(begun, float(marks.get("fills", begun)), float(marks.get("settlements", begun)))

    def marks(self) -> dict[str, str]:
        """Return the marks to save."""
        return {"begun": str(self.begun), "fills": str(self.fills), "settlements": str(self.settlements)}


@dataclass(slots=True)
class FillBatch:
    """Result of one reading. undecided: seconds until a fill without a known maker can be judged, 0 for none."""

    drafts: list[Draft] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    filled: list[GapSpan] = field(default_factory=list)  # gaps over which the reading is complete
    known: Watermarks = field(default_factory=lambda: Watermarks(0, 0, 0))
    undecided: float = 0.0


class FillReader:
    """Reads and judges; its only state is the ids of rows that the journal has."""

    def __init__(self, exchange: ExchangeReads, attribution: Attribution, clock: Callable[[], float]) -> None:
        self._exchange = exchange
        self._attribution = attribution
        self._clock = clock
        self._saved: dict[str, None] = {}  # oldest first
        self._transfers_due = 0.0  # Unix seconds
        self.transfer_error = ""  # why deposits and withdrawals could not be read the last time

    def saved(self, ids: list[str]) -> None:
        """Remember rows that the journal has now."""
        self._saved.update(dict.fromkeys(ids))
        for old in list(self._saved)[: max(0, len(self._saved) - MAX_IDS)]:
            del self._saved[old]

    async def read(self, known: Watermarks, mode: Mode) -> FillBatch:
        """Return everything since `known`, and the gaps that this fills. Raises KalshiError."""
        # The gaps are taken first and the exchange's own clock is read before its rows: a gap is filled only when
        # rows that were read afterwards are complete beyond its end.
        gaps = list(self._attribution.gaps)
        # A clock that is ahead of ours must not move the watermark past what has yet to happen.
        complete = min(self._clock(), await self._exchange.user_data_timestamp())
        batch = FillBatch(filled=[gap for gap in gaps if float(gap.end) <= complete])
        fills_to = await self._fills(min([known.fills, *(float(gap.start) for gap in gaps)]), known, mode, batch)
        await self._settlements(known, mode, batch)
        await self._transfers(known, mode, batch)
        batch.drafts.sort(key=lambda draft: draft.timestamp)
        batch.known = Watermarks(
            known.begun, max(known.fills, min(complete, fills_to)), max(known.settlements, complete)
        )  # fmt: skip
        return batch

    async def _fills(self, since: float, known: Watermarks, mode: Mode, batch: FillBatch) -> float:
        """Judge each new fill. Return the Unix seconds up to which all are judged."""
        judged_to = float("inf")
        async for fill in self._exchange.fills(min_ts=max(known.begun, since - MARGIN)):
            if fill.fill_id in self._saved or fill.timestamp < Decimal(known.begun):
                continue
            verdict = self._attribution.judge(fill.timestamp, fill.order_id, fill.client_order_id, self._clock())
            if isinstance(verdict, Wait):
                judged_to = min(judged_to, float(fill.timestamp))
                batch.undecided = max(batch.undecided, verdict.seconds)
                continue
            batch.drafts.append(trade_of(fill, verdict, mode))
            batch.ids.append(fill.fill_id)
        return judged_to

    async def _settlements(self, known: Watermarks, mode: Mode, batch: FillBatch) -> None:
        async for paid in self._exchange.settlements(min_ts=max(known.begun, known.settlements - MARGIN)):
            row_id = f"{paid.ticker} {paid.settled}"
            if row_id not in self._saved and paid.settled >= Decimal(known.begun):
                batch.drafts.append(settlement_of(paid, mode))
                batch.ids.append(row_id)

    async def _transfers(self, known: Watermarks, mode: Mode, batch: FillBatch) -> None:
        if self._clock() < self._transfers_due:
            return
        self._transfers_due = self._clock() + TRANSFERS_EVERY
        try:
            rows = await self._exchange.transfers()
        except KalshiError as error:  # a key without this scope must not stop fills and settlements
            if str(error) != self.transfer_error:
                log.warning("deposits and withdrawals cannot be read, cash may stay unexplained: %s", error)
            self.transfer_error = str(error)
            return
        self.transfer_error = ""
        for row in rows:
            row_id = f"{row.direction} {row.transfer_id} {row.status}"
            if row_id not in self._saved and row.timestamp >= Decimal(known.begun):
                batch.drafts.append(transfer_of(row, mode))
                batch.ids.append(row_id)
