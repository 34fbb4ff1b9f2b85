"""One reading of the exchange: every new fill, settlement and transfer, each attributed once, as drafts."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ingest.attribution import Attribution, Wait
from ingest.gaps import GapSpan, exact_seconds
from journal.entries import Baseline, Draft, Mode, Origin, Settlement, Trade, Transfer
from kalshi.account_models import Fill, Position
from kalshi.client import KalshiClient
from kalshi.errors import BadAnswer, KalshiError
from ledger.amounts import average

log = logging.getLogger(__name__)

SOURCE: Final = "kalshi_api"
MARGIN: Final = 15.0  # seconds that each reading goes back before what is known, for clocks and late rows
TRANSFERS_EVERY: Final = 60.0  # seconds between two readings of deposits and withdrawals, which have no filter by time
MAX_IDS: Final = 20_000  # ids of rows that the journal has, so that rows within the margin cost it nothing
BASELINE_TRIES: Final = 20
BASELINE_PAUSE: Final = 0.2  # seconds between two tries
BASELINE_FILLS: Final = 60.0  # seconds of fills that are compared before and after


def trade_of(fill: Fill, origin: Origin, mode: Mode) -> Trade:
    """Return a fill as a trade of YES; its id is the exchange's."""
    return Trade(
        timestamp=fill.timestamp, ticker=fill.ticker, side=fill.side, quantity=fill.quantity, price=fill.yes_price,
        trade_id=fill.fill_id, source=SOURCE, mode=mode, fee=fill.fee, order_id=fill.order_id, origin=origin,
        fill_id=fill.fill_id,
    )  # fmt: skip


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
    """Result of one reading. undecided: seconds until a fill without a known maker can be attributed, 0 for none."""

    filled: list[GapSpan]  # gaps over which the reading is complete
    known: Watermarks
    drafts: list[Draft] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    undecided: float = 0.0


class FillReader:
    """Read and attribute fills; the only state is the ids of rows that the journal has."""

    def __init__(self, exchange: KalshiClient, attribution: Attribution, clock: Callable[[], float]) -> None:
        self._exchange = exchange
        self._attribution = attribution
        self._clock = clock
        self._saved: dict[str, None] = {}  # oldest first
        self._transfers_due = 0.0  # Unix seconds
        self._transfer_error = ""  # why deposits and withdrawals could not be read the last time

    def saved(self, ids: list[str]) -> None:
        """Store the ids of rows that the journal has now."""
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
        batch = FillBatch([gap for gap in gaps if float(gap.end) <= complete], known)
        fills_to = await self._fills(min([known.fills, *(float(gap.start) for gap in gaps)]), mode, batch)
        await self._settlements(mode, batch)
        await self._transfers(mode, batch)
        batch.drafts.sort(key=lambda draft: draft.timestamp)
        batch.known = Watermarks(
            known.begun, max(known.fills, min(complete, fills_to)), max(known.settlements, complete)
        )  # fmt: skip
        return batch

    def _is_new(self, row_id: str, timestamp: Decimal, batch: FillBatch) -> bool:
        return row_id not in self._saved and timestamp >= Decimal(batch.known.begun)

    async def _fills(self, since: float, mode: Mode, batch: FillBatch) -> float:
        """Attribute each new fill. Return the Unix seconds up to which all are attributed."""
        judged_to = float("inf")
        async for fill in self._exchange.fills(min_ts=max(batch.known.begun, since - MARGIN)):
            if not self._is_new(fill.fill_id, fill.timestamp, batch):
                continue
            verdict = self._attribution.judge(fill, self._clock())
            if isinstance(verdict, Wait):
                judged_to = min(judged_to, float(fill.timestamp))
                batch.undecided = max(batch.undecided, verdict.seconds)
                continue
            batch.drafts.append(trade_of(fill, verdict, mode))
            batch.ids.append(fill.fill_id)
        return judged_to

    async def _settlements(self, mode: Mode, batch: FillBatch) -> None:
        known = batch.known
        async for paid in self._exchange.settlements(min_ts=max(known.begun, known.settlements - MARGIN)):
            row_id = f"{paid.ticker} {paid.settled}"
            if not self._is_new(row_id, paid.settled, batch):
                continue
            # An unknown payout is 0: as many YES as NO were held, and no profit depends on it.
            batch.drafts.append(Settlement(
                timestamp=paid.settled, ticker=paid.ticker, event_ticker=paid.event_ticker, result=paid.result,
                value=Decimal(0) if paid.payout is None else paid.payout, yes_quantity=paid.yes_quantity,
                no_quantity=paid.no_quantity, revenue=paid.revenue, fee=paid.fee, source=SOURCE, mode=mode,
            ))  # fmt: skip
            batch.ids.append(row_id)

    async def _transfers(self, mode: Mode, batch: FillBatch) -> None:
        if self._clock() < self._transfers_due:
            return
        self._transfers_due = self._clock() + TRANSFERS_EVERY
        try:
            rows = await self._exchange.transfers()
        except KalshiError as error:  # a key without this scope must not stop fills and settlements
            if str(error) != self._transfer_error:
                log.warning("deposits and withdrawals cannot be read, cash may stay unexplained: %s", error)
            self._transfer_error = str(error)
            return
        self._transfer_error = ""
        for row in rows:
            row_id = f"{row.direction} {row.transfer_id} {row.status}"
            if self._is_new(row_id, row.timestamp, batch):
                batch.drafts.append(Transfer(
                    row.timestamp, row.direction, row.amount, row.fee, row.transfer_id, row.status, SOURCE, mode
                ))  # fmt: skip
                batch.ids.append(row_id)


async def read_baseline(exchange: KalshiClient, mode: Mode, clock: Callable[[], float]) -> Baseline:
    """Return cash and positions that hold the same executions: none came while they were read.

    Its timestamp is that of the newest of them, so that an execution is in the baseline or after it and never in both.
    Raises KalshiError, also for an account that trades without a pause.
    """

    async def recent() -> dict[str, Decimal]:
        return {fill.fill_id: fill.timestamp async for fill in exchange.fills(min_ts=complete - BASELINE_FILLS)}

    for _ in range(BASELINE_TRIES):
        complete = min(clock(), await exchange.user_data_timestamp())
        before = await recent()
        cash = (await exchange.balance()).balance
        positions = await exchange.positions()
        after = await recent()
        if before == after and cash == (await exchange.balance()).balance:
            moment = max([exact_seconds(complete), *after.values()])
            return Baseline(moment, _position_rows(positions), SOURCE, mode, balance=cash)
        await asyncio.sleep(BASELINE_PAUSE)
    raise BadAnswer("the account trades without a pause, so that its cash and positions cannot be read together")


def _position_rows(positions: list[Position]) -> list[dict[str, Any]]:
    return [
        {
            "ticker": each.ticker, "quantity": each.quantity, "cost": each.cost,
            "average_price": average(each.cost, each.quantity),
            "realized_pnl": each.realized_pnl, "fees": each.fees,
        }
        for each in positions
        if each.quantity
    ]  # fmt: skip
