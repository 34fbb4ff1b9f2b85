"""Comparisons of an account by a clock moved by hand: pauses, waits, the opening cash, and the rows of the answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from cluster.component_health import ComponentHealth
from ingest.reconciliation import NO_KEYS, AccountAudit
from ingest.supervisor import Supervisor
from kalshi.errors import KalshiError
from kalshi.market_models import Market
from kalshi.records import RecordReader
from tests.support import drafts, payloads
from tests.support.audited_account import START, AuditedAccount, audited_account, entry_of
from tests.support.exchange import as_client


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[AuditedAccount]:
    """An account that has traded three times, and all of it is in the journal."""
    async with audited_account(tmp_path) as made:
        yield made


def audit_of(account: AuditedAccount, **more: Any) -> AccountAudit:
    """Return another audit of the account."""
    values: dict[str, Any] = {"exchange": as_client(account.exchange), "wait": 0.0, **more}
    health = ComponentHealth("reconciliation", account.clock)
    return AccountAudit(account.ledgers, values["exchange"], cast(Supervisor, account), health, values["wait"])


async def pauses_of(audit: AccountAudit, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> list[float]:
    """Return the pause before each step, and the one after the last."""
    pauses: list[float] = []

    async def waited(event: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > len(steps):
            raise asyncio.CancelledError
        steps[len(pauses) - 1]()

    with monkeypatch.context() as patched:
        patched.setattr("ingest.reconciliation.wait_for", waited)
        with pytest.raises(asyncio.CancelledError):
            await audit.run()
    return pauses


async def test_failed_comparisons_are_repeated_as_long_after_as_they_have_failed(
    account: AuditedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause after failures grows from one second to fifteen, which is the pause after a success."""
    await account.check()

    def fail(seconds: float) -> Callable[[], None]:
        def failing() -> None:
            account.exchange.error = KalshiError("no answer")
            account.clock.now += seconds

        return failing

    def recover() -> None:
        account.exchange.error = None

    steps = (fail(0), fail(0.5), fail(5.5), fail(8), fail(100), recover, fail(3))
    pauses = await pauses_of(account.audit, monkeypatch, *steps)
    assert pauses == [15.0, 1.0, 1.0, 6.0, 14.0, 15.0, 15.0, 1.0]
    assert account.audit.failed_since == account.clock.now


async def test_the_first_comparison_is_tried_every_second(
    account: AuditedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison is tried each second until it has a result, and not again without keys."""
    pauses = await pauses_of(
        account.audit, monkeypatch, lambda: None, lambda: setattr(account.audit, "failed_since", None)
    )
    assert pauses == [1.0] * 3  # the ledgers have read nothing yet
    audit = audit_of(account, exchange=None)
    assert await pauses_of(audit, monkeypatch) == [15.0]
    assert (audit.health.state, audit.health.reason) == ("idle", NO_KEYS)


async def test_a_result_is_current_for_three_comparisons(account: AuditedAccount) -> None:
    """A result is current for three pauses and the time that the journal may be behind; none is not current."""
    audit = audit_of(account, wait=8.0)
    assert audit.stale
    await account.ledgers.catch_up()
    await audit.check()
    read_at = account.clock.now
    assert await audit.first_result(0) is audit.result
    for seconds, stale in ((53.0, False), (53.5, True)):
        account.clock.now = read_at + seconds
        assert audit.stale is stale


async def test_there_may_be_no_first_result_in_time(account: AuditedAccount) -> None:
    """A request waits no longer than it says."""
    assert await account.audit.first_result(0.01) is None


@pytest.mark.parametrize(("complete", "first", "later"), [(0.0, 4, 32), (START + 100, 4, 32), (START + 100.1, 0, 0)])
async def test_the_journal_has_time_to_catch_up(
    account: AuditedAccount, monkeypatch: pytest.MonkeyPatch, complete: float, first: int, later: int
) -> None:
    """A second at the first comparison, which requests wait for, and eight later, in quarters of a second."""
    audit, waits = audit_of(account, wait=8.0), list[float]()
    account.complete = complete
    await account.ledgers.catch_up()
    sleep = asyncio.sleep

    async def counted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("ingest.reconciliation.asyncio.sleep", counted)
    for steps in (first, later):
        waits.clear()
        await audit.check()
        assert [wait for wait in waits if wait] == [0.25] * steps


@pytest.mark.parametrize(("complete", "cause"), [(START + 130, "read late"), (START + 130.1, "missed")])
async def test_a_difference_is_late_until_the_journal_is_complete_beyond_the_reading(
    account: AuditedAccount, complete: float, cause: str
) -> None:
    """The moment of the reading itself is not beyond it."""
    account.exchange.buy(4, 7, "0.5", "0.05")
    account.complete = complete
    assert (await account.causes())[("quantity", "A")] == (cause, 7)


async def test_the_first_comparison_confirms_the_opening_cash_that_the_baseline_lacks(tmp_path: Path) -> None:
    """Cash that comes later is a difference."""
    async with audited_account(tmp_path, opening=None) as account:
        cash = (await account.check())["cash"]
        assert (cash["opening"], cash["reported"], cash["unexplained"]) == (100, Decimal("81.7"), 0)
        account.exchange.cash += 5
        cash = (await account.check())["cash"]
        assert (cash["opening"], cash["unexplained"]) == (100, 5)


async def test_no_comparison_is_made_while_a_market_is_read_again(account: AuditedAccount) -> None:
    """No comparison is made while sums are not final; the one after it is made."""
    await account.ledgers.catch_up()
    ledger = account.ledgers.account()
    assert ledger is not None
    ledger.unordered.add("A")
    await account.audit.check()
    assert account.audit.result is None
    ledger.unordered.clear()
    await account.audit.check()
    assert account.audit.result is not None


async def test_a_bot_on_paper_is_not_compared(account: AuditedAccount) -> None:
    """The audit is idle with the reason, and the last result stays."""
    await account.check()
    before = account.audit.result
    account.no_account_reason = lambda: "on paper"  # type: ignore[method-assign]
    await account.check()
    assert (account.audit.health.state, account.audit.health.reason) == ("idle", "on paper")
    assert account.audit.result is before


@pytest.mark.parametrize("missing", ["baseline", "first pass"])
async def test_no_comparison_is_made_before_the_journal_is_read(account: AuditedAccount, missing: str) -> None:
    """A journal that is not read to its end, or has no baseline, is not compared: all would be a difference."""
    await account.ledgers.catch_up()
    ledger = account.ledgers.account()
    assert ledger is not None
    if missing == "baseline":
        ledger.baseline = None
    else:
        account.ledgers.ready = False
    await account.audit.check()
    assert (account.audit.result, account.audit.failed_since) == (None, None)


async def test_a_new_difference_reads_the_fills_once(account: AuditedAccount) -> None:
    """The fills are read once for a difference, and again for each difference that comes later."""
    account.exchange.cash += 1
    for _ in range(3):
        await account.check()
    assert account.noticed == 1
    account.exchange.buy(4, 7, "0.5", "0.05")
    await account.check()
    assert account.noticed == 2


@pytest.mark.parametrize(("count", "more"), [(5, ""), (7, "; and 2 more")])
async def test_health_names_five_differences_that_last(account: AuditedAccount, count: int, more: str) -> None:
    """The number of the others stands behind them."""
    for number in range(count - 1):
        account.exchange.buy(4 + number, 7, "0.5", "0.05", ticker=f"M{number}")
    account.exchange.executions.clear()
    await account.check(4)
    reason = account.audit.health.reason
    assert reason.startswith("the journal and the account differ: account: cash differs by ")
    assert (reason.count(" differs by "), reason.endswith(more or "(unknown)")) == (5, True)


async def test_health_names_three_markets_that_paid_by_revenue(account: AuditedAccount) -> None:
    """Health names three such markets and the number of all."""
    names = ["P1", "P2", "P3", "P4"]
    await account.add(*(
        drafts.settlement(
            ticker=ticker, result="scalar", value=Decimal("0.5"), yes_quantity=Decimal(0), revenue=Decimal(2),
            timestamp=Decimal(str(START + 50)),
        )
        for ticker in names
    ))  # fmt: skip
    account.exchange.cash += 8
    await account.check()
    assert account.audit.health.reason == "settlements paid other than contracts times payout: P1, P2, P3"
    assert account.audit.health.counters["settled_by_revenue"] == 4


async def test_a_row_has_the_causes_of_its_market_alone(account: AuditedAccount) -> None:
    """A market without contracts on any side has no row, unless it has a difference; the bot's side may be unknown."""
    account.exchange.buy(4, 7, "0.5", "0.05", ticker="B")
    account.bot = {"C": Decimal(2), "Z": Decimal(0), "A": Decimal(30), "OLD": Decimal(4)}, START + 90
    rows = {row["ticker"]: row for row in (await account.check())["positions"]}
    causes = {ticker: row["causes"] for ticker, row in rows.items()}
    assert causes == {"A": [], "B": ["missed"], "C": ["unknown"], "OLD": []}
    assert [(row["journal"], row["exchange"], row["bot"]) for row in rows.values()] == [
        (30, 30, 30), (0, 7, 0), (0, 0, 2), (4, 4, 4),
    ]  # fmt: skip
    account.bot = None, 0.0
    assert all(row["bot"] is None for row in (await account.check())["positions"])


async def test_each_side_has_its_own_time(account: AuditedAccount) -> None:
    """The exchange's is complete up to its own timestamp, the bot's is that of the poll; None without one."""
    account.exchange.complete_to = START + 123.4567
    account.bot = {"A": Decimal(30), "OLD": Decimal(4)}, START + 90.1234
    sides = (await account.check())["sides"]
    assert sides == {
        "journal": {"as_of": START + 130, "seq": 4},
        "exchange": {"as_of": START + 130, "complete_to": START + 123.457},
        "bot": {"as_of": START + 90.123},
    }
    account.bot = None, 0.0
    assert (await account.check())["sides"]["bot"] == {"as_of": None}


async def test_the_value_of_positions_is_compared(account: AuditedAccount) -> None:
    """Positions are valued at the exchange's prices; unknown without them; a market without contracts is not valued."""
    quotes = {f"{side}_dollars": "0.5000" for side in ("yes_bid", "yes_ask", "no_bid", "no_ask")}
    account.exchange.worth = Decimal(17)
    assert (await account.check())["value"] == {
        "journal": None, "exchange": 17, "difference": None, "cause": None,
    }  # fmt: skip
    account.exchange.markets = [
        Market.from_api(RecordReader(payloads.MARKET | quotes | {"ticker": ticker}, "e")) for ticker in ("A", "OLD")
    ]
    assert (await account.check())["value"] == {"journal": 17, "exchange": 17, "difference": 0, "cause": None}
    account.exchange.worth = Decimal(20)
    assert (await account.check())["value"] == {"journal": 17, "exchange": 20, "difference": 3, "cause": "mark"}
    account.exchange.buy(4, 7, "0.5", "0.05")
    assert (await account.check())["value"]["cause"] == "missed"


async def test_a_fill_at_the_edge_of_the_clocks_is_no_difference(account: AuditedAccount) -> None:
    """A trade two seconds after the reading may be in it: clocks differ by as much."""
    before = account.exchange.cash
    fill = account.exchange.buy(132, 7, "0.5", "0.05")
    await account.add(entry_of(fill))
    assert (await account.check())["differences"] == []
    assert account.exchange.cash < before


async def test_a_wake_up_counts_once(account: AuditedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake-up causes one comparison, after which the pause is a whole one again."""
    await account.check()
    woken: list[bool] = []

    async def waited(event: asyncio.Event, seconds: float) -> None:
        woken.append(event.is_set())
        if len(woken) == 2:
            raise asyncio.CancelledError
        account.audit.wake()

    monkeypatch.setattr("ingest.reconciliation.wait_for", waited)
    with pytest.raises(asyncio.CancelledError):
        await account.audit.run()
    assert woken == [False, False]
