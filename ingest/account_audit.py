"""Comparison of the journal with the exchange and the bot, again and again, and the cause of each difference."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from cluster.component_health import ComponentHealth
from ingest.difference_causes import CauseFinder, Finding
from ingest.journal_ledgers import JournalLedgers
from ingest.reconciliation import BotPositions, ReadMoments, reconciliation_body
from journal.errors import JournalError
from kalshi.account_models import Balance, Fill, Position
from kalshi.cash_models import AccountSettlement
from kalshi.errors import KalshiError
from ledger.account_ledger import AccountLedger
from ledger.difference_tracker import DifferenceTracker
from ledger.reconcile import AccountReading, ReportedPosition, compare, compare_bot

EVERY: Final = 15.0  # seconds between comparisons
SLACK: Final = 2.0  # seconds by which clocks may differ and a read may lag beyond what the exchange says
WAIT: Final = 8.0  # seconds that the journal has to learn what the exchange has shown
FIRST_WAIT: Final = 1.0  # the same for the first comparison, which requests wait for
STEP: Final = 0.25  # seconds between two looks at how far the journal is
NO_KEYS: Final = "no exchange keys are set to compare the account with"


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

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        """Yield the settlements since then."""
        ...


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One comparison: the body of GET /portfolio/reconciliation, and the differences that are open."""

    body: dict[str, Any]
    findings: list[Finding]
    read_at: float  # Unix seconds at which the exchange was read

    @property
    def unexplained(self) -> Decimal:
        """Return the dollars of cash that no named cause explains: reported less expected."""
        amount: Decimal = self.body["cash"]["unexplained"]
        return amount


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
        recent = self._ledgers.recent()
        comparison = compare(ledger, opening, recent, reading)
        mismatches = list(comparison.mismatches)
        if bot is not None:
            polled = _seconds(bot.as_of - SLACK), _seconds(bot.as_of + SLACK)
            mismatches += compare_bot(ledger, recent, bot.quantities, polled)
        tracked = self._tracker.update(mismatches, self._clock())
        if any(each.checks == 1 for each in tracked):
            self._on_difference()
        late = self._complete() <= read_at
        findings = await self._causes.explain(ledger, reading, tracked, late=late)
        moments = ReadMoments(read_at, through, seq)
        body = reconciliation_body(ledger, opening, reading, comparison, findings, bot, moments)
        self.result = AuditResult(body, findings, read_at)
        self._compared.set()
        self._report(findings, [row["ticker"] for row in body["settled_by_revenue"]])

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

    def _report(self, findings: list[Finding], by_revenue: list[str]) -> None:
        now = self._clock()
        self.health.counters["settled_by_revenue"] = len(by_revenue)
        lasting = [each for each in findings if each.degrades(now)]
        if lasting:
            texts = "; ".join(each.text for each in lasting[:5])
            more = f"; and {len(lasting) - 5} more" if len(lasting) > 5 else ""
            self.health.fail(f"the journal and the account differ: {texts}{more}")
        else:
            names = ", ".join(by_revenue[:3])
            self.health.succeed(f"settlements paid other than contracts times payout: {names}" if by_revenue else "")


def _seconds(moment: float) -> Decimal:
    return Decimal(str(round(moment, 6)))
