"""One reading of the exchange: every new fill, settlement and transfer, each attributed once, as drafts."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Final

from ingest.bot_status import BotStatus
from ingest.gaps import GAPS_MARK, WINDOW_MARK, GapSpan, OpenGaps, PollOverlap, exact_seconds
from journal.entries import Baseline, Draft, Mode, Origin, Settlement, Trade, Transfer
from journal.errors import JournalDamaged
from kalshi.account_models import Fill
from kalshi.client import KalshiClient
from kalshi.errors import BadAnswer, KalshiError

log = logging.getLogger(__name__)

SOURCE: Final = "kalshi_api"
MAX_ORDERS: Final = 4096  # order ids, far more than a bot fills within the time that a report can be late
MARGIN: Final = 15.0  # seconds that each reading goes back before what is known, for clocks and late rows
CLOCK_ERROR: Final = 60.0  # seconds by which the end of a gap may be ahead of a clock that is right
TRANSFERS_EVERY: Final = 60.0  # seconds between two readings of deposits and withdrawals, which have no filter by time
MAX_IDS: Final = 20_000  # ids of rows that the journal has, so that rows within the margin cost it nothing
BASELINE_TRIES: Final = 20
BASELINE_PAUSE: Final = 0.2  # seconds between two tries
BASELINE_FILLS: Final = 60.0  # seconds of fills that are compared before and after


class Attribution:
    """Evidence from the bot's reports, and the decision: a fill is the bot's, or of the account beside it.

    The bot made a fill if its prefix stands on the order's client id, if it reported the order id, or if it was seen
    at all and could not report at that moment (an outage, a gap). The account made it if the order bears another
    client id; else only if the bot was polled, is complete over that moment, and did not report it. Until then it
    waits: the bot's own report comes within two polls. The journal drops what the bot reported meanwhile, so a wrong
    guess can never write an execution twice.

    bot: its status at the last poll. gaps: when it could not report. interval: seconds between two polls.
    """

    def __init__(self, bot: BotStatus, gaps: OpenGaps, interval: float) -> None:
        self.bot, self.gaps = bot, gaps
        self._patience = 2 * interval  # seconds within which the bot reports an execution
        self._orders: dict[str, None] = {}  # order ids that the bot reported, oldest first
        self.prefix: str | None = None  # of the bot's client order ids
        self.complete_to = 0.0  # Unix seconds before which the bot has reported everything

    def add_reported(self, trades: Iterable[Trade]) -> None:
        _store(self._orders, (trade.order_id for trade in trades if trade.order_id is not None), MAX_ORDERS)

    def judge(self, fill: Fill, now: float) -> Origin | float:
        """Return bot, account, or the seconds after which to decide again. now: Unix seconds."""
        if fill.order_id in self._orders or (self.prefix and (fill.client_order_id or "").startswith(self.prefix)):
            return "bot"
        if not self.bot.seen or (self.prefix and fill.client_order_id):
            return "account"
        if self.gaps.covers(fill.timestamp):
            return "bot"
        happened = float(fill.timestamp)
        if self.bot.status == "offline":
            return "bot" if happened > self.complete_to - self._patience else "account"
        if self.complete_to < happened + self._patience:  # not polled since the bot's time to report was over
            left = happened + self._patience - now
            return max(0.1, min(left, self._patience)) if left > 0 else self._patience / 2
        return "account"


def _store(ids: dict[str, None], more: Iterable[str], most: int) -> None:
    """Add ids as the newest; the oldest beyond the limit are dropped."""
    for each in more:
        ids.pop(each, None)
        ids[each] = None
    for old in list(ids)[: max(0, len(ids) - most)]:
        del ids[old]


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
        return {name: str(moment) for name, moment in asdict(self).items()}


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
        self._exchange, self._attribution, self._clock = exchange, attribution, clock
        self._saved: dict[str, None] = {}  # oldest first
        self._transfers_due = 0.0  # Unix seconds
        self._transfer_error = ""  # why deposits and withdrawals could not be read the last time

    def saved(self, ids: list[str]) -> None:
        _store(self._saved, ids, MAX_IDS)

    async def read(self, known: Watermarks, mode: Mode) -> FillBatch:
        """Return everything since `known`, and the gaps that this fills. Raises KalshiError."""
        # The gaps are taken first and the exchange's own clock is read before its rows: a gap is filled only when
        # rows that were read afterwards are complete beyond its end.
        gaps = list(self._attribution.gaps)
        # A clock that is ahead of ours must not move the watermark past what has yet to happen.
        now = self._clock()
        complete = min(now, await self._exchange.user_data_timestamp())
        # An end in the future was measured by a clock that was ahead. The next reading begins at `complete`.
        batch = FillBatch([gap for gap in gaps if not complete < float(gap.end) <= now + CLOCK_ERROR], known)
        fills_to = await self._fills(min([known.fills, *(float(gap.start) for gap in gaps)]), mode, batch)
        async for paid in self._exchange.settlements(min_ts=max(known.begun, known.settlements - MARGIN)):
            self._add(batch, f"{paid.ticker} {paid.settled}", Settlement(
                timestamp=paid.settled, ticker=paid.ticker, event_ticker=paid.event_ticker, result=paid.result,
                value=paid.payout, yes_quantity=paid.yes_quantity, no_quantity=paid.no_quantity,
                revenue=paid.revenue, fee=paid.fee, source=SOURCE, mode=mode,
            ))  # fmt: skip
        await self._transfers(mode, batch)
        batch.drafts.sort(key=lambda draft: draft.timestamp)
        fills, settlements = max(known.fills, min(complete, fills_to)), max(known.settlements, complete)
        batch.known = Watermarks(known.begun, fills, settlements)
        return batch

    def _is_new(self, row_id: str, timestamp: Decimal, batch: FillBatch) -> bool:
        return row_id not in self._saved and timestamp >= Decimal(batch.known.begun)

    def _add(self, batch: FillBatch, row_id: str, draft: Draft) -> None:
        if self._is_new(row_id, draft.timestamp, batch):
            batch.drafts.append(draft)
            batch.ids.append(row_id)

    async def _fills(self, since: float, mode: Mode, batch: FillBatch) -> float:
        """Attribute each new fill. Return the Unix seconds up to which all are attributed."""
        judged_to = float("inf")
        async for fill in self._exchange.fills(min_ts=max(batch.known.begun, since - MARGIN)):
            if not self._is_new(fill.fill_id, fill.timestamp, batch):
                continue
            origin = self._attribution.judge(fill, self._clock())
            if isinstance(origin, float):
                judged_to = min(judged_to, float(fill.timestamp))
                batch.undecided = max(batch.undecided, origin)
            else:
                self._add(batch, fill.fill_id, trade_of(fill, origin, mode))
        return judged_to

    async def _transfers(self, mode: Mode, batch: FillBatch) -> None:
        if self._clock() < self._transfers_due:
            return
        self._transfers_due = self._clock() + TRANSFERS_EVERY
        before, self._transfer_error = self._transfer_error, ""
        try:
            rows = await self._exchange.transfers()
        except KalshiError as error:  # a key without this scope must not stop fills and settlements
            self._transfer_error = str(error)
            if self._transfer_error != before:
                log.warning("deposits and withdrawals cannot be read, cash may stay unexplained: %s", error)
            return
        for row in rows:
            self._add(batch, f"{row.direction} {row.transfer_id} {row.status}", Transfer(
                row.timestamp, row.direction, row.amount, row.fee, row.transfer_id, row.status, SOURCE, mode
            ))  # fmt: skip


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
        cash, positions = (await exchange.balance()).balance, await exchange.positions()
        after = await recent()
        if before == after and cash == (await exchange.balance()).balance:
            rows = [
                {
                    "ticker": each.ticker, "quantity": each.quantity, "cost": each.cost,
                    "average_price": each.average_price, "realized_pnl": each.realized_pnl, "fees": each.fees,
                }
                for each in positions
                if each.quantity
            ]  # fmt: skip
            return Baseline(max([exact_seconds(complete), *after.values()]), rows, SOURCE, mode, balance=cash)
        await asyncio.sleep(BASELINE_PAUSE)
    raise BadAnswer("the account trades without a pause, so that its cash and positions cannot be read together")


def check_marks(marks: Mapping[str, str]) -> Mapping[str, str]:
    """Return the marks. Raises JournalDamaged, which names the one that a leader cannot begin with."""
    readers: dict[str, Callable[[str], object]] = {
        WINDOW_MARK: PollOverlap, GAPS_MARK: OpenGaps, "begun": lambda _: Watermarks.load(marks),
    }  # fmt: skip
    for name, read in readers.items():
        try:
            read(marks.get(name, ""))
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            what = f"the mark {name} of the journal cannot be read ({error!r:.80}), so nothing is recorded"
            raise JournalDamaged(f"{what}; restore a backup") from None
    return marks
