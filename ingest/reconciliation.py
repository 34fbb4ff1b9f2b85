"""Comparison of the journal with the exchange and the bot, again and again: the body of /portfolio/reconciliation."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from cluster.component_health import ComponentHealth, wait_for
from ingest.difference_causes import CauseFinder
from ingest.gaps import exact_seconds
from ingest.journal_ledgers import JournalLedgers
from ingest.supervisor import Supervisor
from journal.errors import JournalError
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.marks import compare_value, value_position
from ledger.reconcile import AccountReading, Comparison, Difference, DifferenceTracker, compare, compare_bot
from ledger.records import ReportedPosition

EVERY: Final = 15.0  # seconds between comparisons
SLACK: Final = 2.0  # seconds by which clocks may differ and a read may lag beyond what the exchange says
WAIT: Final = 8.0  # seconds that the journal has to learn what the exchange has shown
FIRST_WAIT: Final = 1.0  # the same for the first comparison, which requests wait for
STEP: Final = 0.25  # seconds between two looks at how far the journal is
NO_KEYS: Final = "no exchange keys are set to compare the account with"
UNREADABLE: Final = (  # no endpoint tells them
    "interest", "rebates", "promotions", "returned collateral", "raised settlement floors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One comparison: the body of GET /portfolio/reconciliation, and the differences that are open."""

    body: dict[str, Any]
    differences: list[Difference]
    read_at: float  # Unix seconds at which the exchange was read


class AccountAudit:
    """Compare every EVERY seconds; a difference that lasts degrades health.

    supervisor: has the time up to which the journal is complete, the bot's positions, and the reason to skip a
    comparison; reads fills at once when a difference appears. wait: seconds for the journal to catch up.
    """

    def __init__(
        self, ledgers: JournalLedgers, exchange: KalshiClient | None, supervisor: Supervisor, health: ComponentHealth,
        wait: float = WAIT,
    ) -> None:  # fmt: skip
        self._ledgers, self._exchange, self._supervisor, self._wait = ledgers, exchange, supervisor, wait
        self._tracker = DifferenceTracker()
        self._anchor: tuple[AccountLedger, Decimal] | None = None  # opening cash where the baseline holds none
        self._compared = asyncio.Event()  # at least once
        self._wake = asyncio.Event()
        self.health = health
        self.result: AuditResult | None = None
        self.failed_since: float | None = None  # Unix seconds of the first of the failed comparisons in a row

    async def run(self) -> None:
        while True:
            self._wake.clear()
            await self.check()
            await wait_for(self._wake, self._pause())

    def wake(self) -> None:
        """Compare now: the exchange has recovered."""
        self._wake.set()

    def _pause(self) -> float:
        """Return the seconds until the next comparison. Failed ones are repeated, as long after as they have failed."""
        if self.result is None and self._exchange is not None:
            return 1.0
        if self.failed_since is None:
            return EVERY
        return min(EVERY, max(1.0, self.health.clock() - self.failed_since))

    async def check(self) -> None:
        """Compare once; a failure to read keeps the last result."""
        if reason := NO_KEYS if self._exchange is None else self._supervisor.no_account_reason():
            self.health.set_idle(reason)
        ledger = self._ledgers.account()
        if self._exchange is None or reason or ledger is None or not self._ledgers.ready or ledger.baseline is None:
            return
        try:
            await self._compare(ledger, self._exchange)
            self.failed_since = None
        except (KalshiError, JournalError) as error:
            self.failed_since = self.failed_since or self.health.clock()
            self.health.fail(f"the account cannot be compared: {error}")

    async def first_result(self, timeout: float) -> AuditResult | None:
        """Return the last result; wait so many seconds for the first one. None if there is none by then."""
        await wait_for(self._compared, timeout)
        return self.result

    @property
    def stale(self) -> bool:
        """True where the last comparison is too old to be called current."""
        return self.result is None or self.health.clock() - self.result.read_at > 3 * EVERY + self._wait

    async def _read(self, exchange: KalshiClient) -> tuple[AccountReading, float, float]:
        """Return the exchange's side, when it was read and up to when it is complete."""
        begun = self.health.clock()
        through = await exchange.user_data_timestamp()
        balance, positions = await asyncio.gather(exchange.balance(), exchange.positions())
        read_at = self.health.clock()
        reported = {
            each.ticker: ReportedPosition(each.quantity, each.cost, each.realized_pnl, each.fees) for each in positions
        }
        earliest, latest = exact_seconds(min(through, begun) - SLACK), exact_seconds(read_at + SLACK)
        return AccountReading(balance.balance, reported, earliest, latest, balance.portfolio_value), read_at, through

    async def _compare(self, ledger: AccountLedger, exchange: KalshiClient) -> None:
        reading, read_at, through = await self._read(exchange)
        await self._wait_for_journal(read_at)
        if ledger.unordered:
            return  # a market is being read again: its sums are not final
        seq, opening = self._ledgers.position, self._opening(ledger, reading)
        bot, polled = self._supervisor.bot_positions()
        recent = self._ledgers.recent()
        comparison = compare(ledger, opening, recent, reading)
        differences = list(comparison.differences)
        if bot is not None:
            moment = exact_seconds(polled - SLACK), exact_seconds(polled + SLACK)
            differences += compare_bot(ledger, recent, bot, moment)
        differences = self._tracker.update(differences, self.health.clock())
        if any(each.checks == 1 for each in differences):
            self._supervisor.request_backfill()
        late = self._supervisor.complete_to() <= read_at
        differences = await CauseFinder(self._ledgers.journal, exchange, ledger, reading, late).explain(differences)
        body = reconciliation_body(ledger, opening, reading, comparison, differences, bot)
        body["value"] = await self._value(ledger, exchange, reading.worth, differences)
        body["sides"] = {
            "journal": {"as_of": round(read_at, 3), "seq": seq},
            "exchange": {"as_of": round(read_at, 3), "complete_to": round(through, 3)},
            "bot": {"as_of": round(polled, 3) if bot is not None else None},
        }
        self.result = AuditResult(body, differences, read_at)
        self._compared.set()
        lasting = [each.text for each in differences if each.degrades(float(reading.latest))]
        self._report(lasting, [row["ticker"] for row in body["settled_by_revenue"]])

    async def _value(
        self, ledger: AccountLedger, exchange: KalshiClient, reported: Decimal | None, differences: list[Difference]
    ) -> dict[str, Any]:
        """Return the value of the open positions on both sides; unknown while the exchange does not send prices."""
        held = {ticker: book for ticker, book in ledger.books.items() if book.quantity}
        marks: dict[str, Decimal | None] = {}
        with suppress(KalshiError):
            marks = {market.ticker: market.mark for market in await exchange.markets_named(held)}
        values = [value_position(book.quantity, book.cost, marks.get(ticker)).value for ticker, book in held.items()]
        return compare_value(values, reported, [each.cause for each in differences if each.figure == "quantity"])

    async def _wait_for_journal(self, moment: float) -> None:
        """Give the journal time to learn what happened until moment."""
        wait = self._wait if self.result is not None else min(self._wait, FIRST_WAIT)
        for _ in range(round(wait / STEP)):
            if self._supervisor.complete_to() > moment:
                return
            await asyncio.sleep(STEP)

    def _opening(self, ledger: AccountLedger, reading: AccountReading) -> Decimal:
        """Return the baseline's cash; where it holds none, that which the first comparison confirms."""
        if ledger.baseline is not None and ledger.baseline.balance is not None:
            return ledger.baseline.balance
        if self._anchor is None or self._anchor[0] is not ledger:
            self._anchor = ledger, reading.balance - ledger.flows.total
        return self._anchor[1]

    def _report(self, lasting: list[str], by_revenue: list[str]) -> None:
        self.health.counters["settled_by_revenue"] = len(by_revenue)
        if lasting:
            more = f"; and {len(lasting) - 5} more" if len(lasting) > 5 else ""
            self.health.fail(f"the journal and the account differ: {'; '.join(lasting[:5])}{more}")
        else:
            names = ", ".join(by_revenue[:3])
            self.health.succeed(f"settlements paid other than contracts times payout: {names}" if by_revenue else "")


def reconciliation_body(
    ledger: AccountLedger, opening: Decimal, reading: AccountReading, comparison: Comparison,
    differences: list[Difference], bot: Mapping[str, Decimal] | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the body. The journal's figures are those of the moment that the exchange's figures fit best."""
    other = {"fees_unreported": -comparison.unreported_fees} if comparison.unreported_fees else {}
    open_cash = (each.size for each in differences if each.figure == "cash")
    return {
        "since": ledger.begun,
        "cash": {
            "opening": opening, **comparison.flows.as_mapping(), "other": other, "expected": comparison.expected,
            "reported": reading.balance, "unexplained": next(open_cash, ZERO), "unreadable": list(UNREADABLE),
        },
        "positions": _position_rows(reading, differences, bot),
        "differences": [each.as_json(float(reading.latest)) for each in differences],
        "settled_by_revenue": [
            {"ticker": book.ticker, "revenue": book.revenue, "difference": book.revenue_difference}
            for book in ledger.books.values()
            if book.revenue_difference
        ],
    }  # fmt: skip


def _position_rows(
    reading: AccountReading, differences: list[Difference], bot: Mapping[str, Decimal] | None
) -> list[dict[str, Any]]:
    """Return a row for each market with a position on any side, or with a difference."""
    reported = {ticker: row.quantity for ticker, row in reading.positions.items()}
    ours, causes = dict(reported), dict[str, set[str]]()
    for each in differences:
        if each.figure == "quantity":
            ours[each.ticker] = each.ours
        if each.ticker:
            causes.setdefault(each.ticker, set()).add(each.cause)
    held = [ticker for side in (reported, bot or {}) for ticker, quantity in side.items() if quantity]
    return [
        {
            "ticker": ticker, "journal": ours.get(ticker, ZERO), "exchange": reported.get(ticker, ZERO),
            "bot": bot.get(ticker, ZERO) if bot is not None else None, "causes": sorted(causes.get(ticker, ())),
        }
        for ticker in sorted({*held, *causes})
    ]  # fmt: skip
