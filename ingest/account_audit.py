"""Comparison of the journal with the exchange and the bot, again and again, and the cause of each difference."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from cluster.component_health import ComponentHealth
from ingest.difference_causes import CauseFinder, Finding
from ingest.journal_ledgers import JournalLedgers
from journal.errors import JournalError
from kalshi.account_models import Balance, Fill, Position
from kalshi.cash_models import Settlement
from kalshi.errors import KalshiError
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.difference_tracker import DifferenceTracker
from ledger.reconcile import AccountReading, Comparison, Mismatch, ReportedPosition, compare

EVERY: Final = 15.0  # seconds between comparisons
SLACK: Final = 2.0  # seconds by which clocks may differ and a read may lag beyond what the exchange says
WAIT: Final = 8.0  # seconds that the journal has to learn what the exchange has shown
FIRST_WAIT: Final = 1.0  # the same for the first comparison, which requests wait for
STEP: Final = 0.25  # seconds between two looks at how far the journal is
NO_KEYS: Final = "there are no exchange keys to compare the account with"
UNREADABLE: Final = ("interest", "rebates", "promotions", "returned collateral")  # no endpoint tells them


class AuditReads(Protocol):
    """Account reads of the exchange, as kalshi.client.KalshiClient has them. Each method may raise KalshiError."""

    async def user_data_timestamp(self) -> float:
        """Return the Unix seconds up to which its account reads are complete."""
        ...

    async def balance(self) -> Balance:
        """Return the cash."""
        ...

    async def positions(self) -> list[Position]:
        """Return the unsettled positions."""
        ...

    def fills(self, min_ts: float | None = None, *, ticker: str | None = None) -> AsyncIterator[Fill]:
        """Yield the executions since then, of one market."""
        ...

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[Settlement]:
        """Yield the settlements since then."""
        ...


@dataclass(frozen=True, slots=True)
class BotPositions:
    """Positions as the bot reports them: contracts by ticker, + YES, - NO. as_of: Unix seconds."""

    quantities: Mapping[str, Decimal]
    as_of: float


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One comparison: what was read when, what it showed, and the differences that are open with their causes."""

    ledger: AccountLedger
    opening: Decimal
    reading: AccountReading
    read_at: float
    through: float
    comparison: Comparison
    findings: list[Finding]
    bot: BotPositions | None
    seq: int

    @property
    def unexplained(self) -> Decimal:
        """Return the dollars of cash that no named cause explains: reported less expected."""
        sizes = [each.size for each in self.findings if each.figure == "cash"]
        return sizes[0] if sizes else ZERO


class AccountAudit:
    """Compare every `every` seconds; a difference that lasts degrades health.

    complete: Unix seconds up to which the journal has every execution, as far as bot and exchange have told it.
    bot: its positions, None where it reports none. idle_reason: why there is nothing to compare, "" where there is.
    on_difference: called when one appears, to read fills at once.
    """

    def __init__(
        self, ledgers: JournalLedgers, exchange: AuditReads | None, complete: Callable[[], float],
        bot: Callable[[], BotPositions | None], causes: CauseFinder, health: ComponentHealth,
        idle_reason: Callable[[], str] = str,
        on_difference: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.time,
        every: float = EVERY, wait: float = WAIT,
    ) -> None:  # fmt: skip
        self._ledgers = ledgers
        self._exchange = exchange
        self._complete = complete
        self._bot = bot
        self._causes = causes
        self._clock = clock
        self._every = every
        self._wait = wait
        self._on_difference = on_difference
        self._idle_reason = idle_reason
        self._tracker = DifferenceTracker()
        self._anchor: tuple[AccountLedger, Decimal] | None = None  # opening cash where the baseline holds none
        self.health = health
        self.result: AuditResult | None = None
        self._compared = asyncio.Event()  # at least once
        self.failed_since: float | None = None  # Unix seconds of the first of the failed comparisons in a row

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await self.check()
            soon = self.result is None and self._exchange is not None
            await asyncio.sleep(min(self._every, 1.0) if soon else self._every)

    async def check(self) -> None:
        """Compare once; a failure to read keeps the last result."""
        if reason := NO_KEYS if self._exchange is None else self._idle_reason():
            self.health.set_idle(reason)
        ledger = self._ledgers.account()
        if self._exchange is None or reason or ledger is None or not self._ledgers.ready or ledger.baseline is None:
            return
        try:
            reading, read_at, through = await self._read(self._exchange)
            await self._wait_for_journal(read_at)
            await self._judge(ledger, reading, read_at, through)
            self.failed_since = None
        except (KalshiError, JournalError) as error:
            self.failed_since = self.failed_since or self._clock()
            self.health.fail(f"the account cannot be compared: {error}")

    async def _read(self, exchange: AuditReads) -> tuple[AccountReading, float, float]:
        """Return the exchange's side, when it was read and up to when it is complete."""
        begun = self._clock()
        through = await exchange.user_data_timestamp()
        balance, positions = await asyncio.gather(exchange.balance(), exchange.positions())
        read_at = self._clock()
        reported = {
            each.ticker: ReportedPosition(each.quantity, each.cost, each.realized_pnl, each.fees) for each in positions
        }
        earliest, latest = _seconds(min(through, begun) - SLACK), _seconds(read_at + SLACK)
        return AccountReading(balance.balance, reported, earliest, latest), read_at, through

    async def _wait_for_journal(self, moment: float) -> None:
        """Give the journal time to learn what happened until moment."""
        wait = self._wait if self.result is not None else min(self._wait, FIRST_WAIT)
        for _ in range(round(wait / STEP)):
            if self._complete() > moment:
                return
            await asyncio.sleep(STEP)

    async def _judge(self, ledger: AccountLedger, reading: AccountReading, read_at: float, through: float) -> None:
        if ledger.unordered:
            return  # a market is being read again: its sums are not final
        opening = self._opening(ledger, reading)
        seq, bot = self._ledgers.position, self._bot()
        comparison = compare(ledger, opening, self._ledgers.recent(), reading)
        mismatches = [*comparison.mismatches, *_bot_mismatches(ledger, bot)]
        tracked = self._tracker.update(mismatches, self._clock())
        if any(each.checks == 1 for each in tracked):
            self._on_difference()
        late = self._complete() <= read_at
        findings = await self._causes.explain(ledger, reading, tracked, late=late)
        self.result = AuditResult(ledger, opening, reading, read_at, through, comparison, findings, bot, seq)
        self._compared.set()
        self._report(findings)

    async def first_result(self, timeout: float) -> AuditResult | None:
        """Return the last result; wait so many seconds for the first one. None if there is none by then."""
        try:
            async with asyncio.timeout(timeout):
                await self._compared.wait()
        except TimeoutError:
            return None
        return self.result

    @property
    def stale(self) -> bool:
        """True where the last comparison is too old to be called current."""
        return self.result is None or self._clock() - self.result.read_at > 3 * self._every + self._wait

    def _opening(self, ledger: AccountLedger, reading: AccountReading) -> Decimal:
        """Return the baseline's cash; where it holds none, that which the first comparison confirms."""
        if ledger.baseline is not None and ledger.baseline.balance is not None:
            return ledger.baseline.balance
        if self._anchor is None or self._anchor[0] is not ledger:
            self._anchor = ledger, reading.balance - ledger.flows.total
        return self._anchor[1]

    def _report(self, findings: list[Finding]) -> None:
        now = self._clock()
        lasting = [each for each in findings if each.degrades(now)]
        if lasting:
            texts = "; ".join(each.text for each in lasting[:5])
            more = f"; and {len(lasting) - 5} more" if len(lasting) > 5 else ""
            self.health.fail(f"the journal and the account differ: {texts}{more}")
        else:
            self.health.succeed()


def _bot_mismatches(ledger: AccountLedger, bot: BotPositions | None) -> list[Mismatch]:
    """Return the markets of which the bot reports another position than the journal."""
    if bot is None:
        return []
    found = []
    ours = {ticker: book.quantity for ticker, book in ledger.books.items() if book.quantity}
    for ticker in sorted(ours.keys() | bot.quantities.keys()):
        mine, theirs = ours.get(ticker, ZERO), bot.quantities.get(ticker, ZERO)
        if mine != theirs:
            found.append(Mismatch("bot_quantity", ticker, mine, theirs, frozenset([theirs - mine])))
    return found


def _seconds(moment: float) -> Decimal:
    return Decimal(str(round(moment, 6)))


def audit_json(result: AuditResult) -> dict[str, Any]:
    """Return the body of GET /portfolio/reconciliation."""
    ledger, comparison, reading = result.ledger, result.comparison, result.reading
    flows = ledger.flows
    other = {"fees_unreported": -comparison.unreported_fees} if comparison.unreported_fees else {}
    return {
        "mode": None, "since": ledger.begun,
        "cash": {
            "opening": result.opening, **flows.as_mapping(), "other": other, "expected": comparison.expected,
            "reported": reading.balance, "unexplained": result.unexplained, "unreadable": list(UNREADABLE),
        },
        "positions": _position_rows(result),
        "differences": [each.as_json() for each in result.findings],
        "settled_by_revenue": [
            {"ticker": book.ticker, "revenue": book.revenue, "difference": book.revenue_difference}
            for book in ledger.books.values()
            if book.revenue_difference
        ],
        "sides": {
            "journal": {"as_of": round(result.read_at, 3), "seq": result.seq},
            "exchange": {"as_of": round(result.read_at, 3), "complete_to": round(result.through, 3)},
            "bot": {"as_of": round(result.bot.as_of, 3) if result.bot else None},
        },
    }  # fmt: skip


def _position_rows(result: AuditResult) -> list[dict[str, Any]]:
    """One row for each market that one of the sides holds or of which they differ."""
    books, reported, bot = result.ledger.books, result.reading.positions, result.bot
    causes: dict[str, list[str]] = {}
    for each in result.findings:
        if each.ticker:
            causes.setdefault(each.ticker, []).append(each.cause)
    held = {ticker for ticker, book in books.items() if book.quantity}
    held |= {ticker for ticker, row in reported.items() if row.quantity} | causes.keys()
    held |= {ticker for ticker, quantity in (bot.quantities if bot else {}).items() if quantity}
    return [
        {
            "ticker": ticker, "journal": books[ticker].quantity if ticker in books else ZERO,
            "exchange": reported[ticker].quantity if ticker in reported else ZERO,
            "bot": bot.quantities.get(ticker, ZERO) if bot else None, "causes": sorted(set(causes.get(ticker, []))),
        }
        for ticker in sorted(held)
    ]  # fmt: skip
