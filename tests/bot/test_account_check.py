"""Tests of the account check: only a lasting difference counts, and the opening positions hold the whole past."""

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.account_check import AccountCheck
from bot.account_fills import OVERLAP, AccountFills
from bot.errors import VenueUnavailable
from kalshi import errors
from tests.support.trading import D

NOW = 10_000.0


class Exchange:
    """Positions of KXA, one answer after the other; the last stays. None: no answer."""

    def __init__(self, answers: Sequence[int | None]) -> None:
        self.answers = list(answers)
        self.times = [NOW]  # of the account's fills
        self.now = NOW
        self.pace = 0  # fills that are added at each reading
        self.read_since: list[float] = []

    async def positions(self) -> list[Any]:
        quantity = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if quantity is None:
            raise errors.Unreachable("no answer")
        return [SimpleNamespace(ticker="KXA", quantity=D(quantity), cost=D(0))]

    async def user_data_timestamp(self) -> float:
        return self.now

    async def balance(self) -> Any:
        return SimpleNamespace(balance=D("12.5"))

    async def fills(self, min_ts: float) -> AsyncIterator[Any]:
        self.times += [NOW] * self.pace
        self.read_since.append(min_ts)
        for number, at in enumerate(self.times):
            if at >= min_ts:
                yield SimpleNamespace(fill_id=f"f{number}", timestamp=D(str(at)))

    async def settlements(self, min_ts: float) -> AsyncIterator[Any]:
        rows: list[Any] = []
        for row in rows:
            yield row

    async def read_all(self) -> None:
        """Return no new fills."""

    async def read_settlements(self) -> None:
        """Return no new payouts."""


class Pauses:
    """A sleep that only counts."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def check_of(
    answers: Sequence[int | None], account: AccountFills | None = None
) -> tuple[AccountCheck, Exchange, Pauses]:
    """A check of an account whose fills add up to five contracts of KXA."""
    exchange, account, pauses = Exchange(answers), account or AccountFills(), Pauses()
    account.trade("KXA", "BUY", D(5))
    check = AccountCheck(exchange, account, exchange, sleep=pauses.sleep)  # type: ignore[arg-type]
    return check, exchange, pauses


@pytest.mark.parametrize(
    ("answers", "differs", "pauses"),
    [
        pytest.param([5], False, 0, id="equal at once"),
        pytest.param([4, 5], False, 1, id="one late read"),
        pytest.param([4, 3, 6, 4, 2], False, 1, id="different each time"),
        pytest.param([6], True, 4, id="one contract that no fill explains"),
    ],
)
async def test_only_a_difference_that_lasts_is_reported(answers: list[int | None], differs: bool, pauses: int) -> None:
    """Five reads with a pause before each but the first; a read that agrees or moves ends the check."""
    check, _, waits = check_of(answers)
    words = await check.differences()
    assert words == ("KXA: our fills say 5, the exchange 6" if differs else "")
    assert len(waits.seconds) == pauses
    assert all(seconds > 0 for seconds in waits.seconds)


async def test_an_exchange_that_does_not_answer_is_unavailable() -> None:
    """A failed read is neither agreement nor difference."""
    check, _, _ = check_of([None])
    with pytest.raises(VenueUnavailable, match="no answer"):
        await check.differences()


async def test_opening_positions_need_a_quiet_account_that_answers() -> None:
    """While fills keep coming, or nothing answers, no opening positions are taken."""
    account = AccountFills()
    check, exchange, _ = check_of([5], account)
    exchange.pace = 1
    with pytest.raises(VenueUnavailable, match="trades without a pause"):
        await check.begin()
    exchange.pace, exchange.answers = 0, [None]
    with pytest.raises(VenueUnavailable, match="no answer"):
        await check.begin()
    assert account.low_water == 0


@pytest.mark.parametrize("age", [0, 1, 60, 130, 2 * OVERLAP - 1, 2 * OVERLAP + 1, 3600, 86_400])
async def test_no_fill_before_the_opening_positions_is_counted(age: int) -> None:
    """However old a fill of the past is, it belongs to the opening positions."""
    account = AccountFills()
    check, exchange, _ = check_of([5], account)
    exchange.times = [NOW - age]
    await check.begin()
    assert account.is_counted("f0", D(str(NOW - age)))
    assert account.positions == {"KXA": 5}
    assert not account.is_counted("later", D(str(NOW + 1)))


async def test_a_difference_lasts_while_the_bot_trades() -> None:
    """Ours and theirs grow by the same in each try: it is the difference that stays."""
    account = AccountFills()
    check, exchange, _ = check_of([6, 7, 8, 9, 10], account)
    reads: list[str] = []

    async def read_all() -> None:
        reads.append("fills")
        if reads.count("fills") > 1:
            account.trade("KXA", "BUY", D(1))

    async def read_settlements() -> None:
        reads.append("payouts")

    exchange.read_all, exchange.read_settlements = read_all, read_settlements  # type: ignore[method-assign]
    assert await check.differences() == "KXA: our fills say 9, the exchange 10"
    assert reads == ["fills", "payouts"] * 5


async def test_positions_that_were_read_are_passed_on() -> None:
    """At the start and at each comparison; half a second lies between two tries."""
    exchange, account, pauses = Exchange([4, 4, 5]), AccountFills(), Pauses()
    seen: list[list[Any]] = []
    account.trade("KXA", "BUY", D(5))
    check = AccountCheck(exchange, account, exchange, seen.append, pauses.sleep)  # type: ignore[arg-type]
    assert await check.differences() == ""
    assert [[row.quantity for row in rows] for rows in seen] == [[4], [4], [5]]
    assert pauses.seconds == [0.5, 0.5]
    await check.begin()
    assert [row.quantity for row in seen[-1]] == [5]
    assert await check.cash() == (D("12.5"), D(0))


async def test_the_opening_positions_know_the_payouts_of_a_day() -> None:
    """A market that paid out is not compared; fills are read from four minutes before, and not before 0."""
    account = AccountFills()
    check, exchange, _ = check_of([5], account)
    requested: list[float] = []

    async def settlements(min_ts: float) -> AsyncIterator[Any]:
        requested.append(min_ts)
        yield SimpleNamespace(ticker="KXP", settled=D(str(NOW)))

    exchange.settlements = settlements  # type: ignore[method-assign]
    await check.begin()
    assert requested == [NOW - 86_400]
    assert exchange.read_since == [NOW - 240, NOW - 240]
    assert not account.settle("KXP", D(str(NOW + 1)))
    exchange.now = 100.0
    await check.begin()
    assert exchange.read_since[-1] == 0.0


async def test_a_pause_lies_between_two_tries_of_the_opening() -> None:
    """Five of them, half a second apart."""
    check, exchange, pauses = check_of([5])
    exchange.pace = 1
    with pytest.raises(VenueUnavailable):
        await check.begin()
    assert pauses.seconds == [0.5] * 5
    assert len(exchange.read_since) == 10
