"""Positions against fills: what moves between two reads is no difference, what stays is one."""

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.account_check import AccountCheck
from bot.account_fills import AccountFills
from bot.errors import VenueUnavailable
from kalshi import errors
from tests.support.trading import D


class Exchange:
    """Positions of KXA as told one after the other; the last stays. None: no answer."""

    def __init__(self, told: Sequence[int | None]) -> None:
        self.told = list(told)
        self.filled, self.pace = 1, 0

    async def positions(self) -> list[Any]:
        quantity = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        if quantity is None:
            raise errors.Unreachable("no answer")
        return [SimpleNamespace(ticker="KXA", quantity=D(quantity))]

    async def user_data_timestamp(self) -> float:
        return 1000.0

    async def fills(self, min_ts: float) -> AsyncIterator[Any]:
        """As many more at each reading as the test says."""
        self.filled += self.pace
        for number in range(self.filled):
            yield SimpleNamespace(fill_id=f"f{number}", timestamp=D(1000))

    async def walk(self) -> None:
        """Nothing new."""

    async def settlements(self) -> None:
        """Nothing paid."""


def reconciler(told: Sequence[int | None]) -> AccountCheck:
    """Our fills say five."""
    exchange, account = Exchange(told), AccountFills()
    account.trade("KXA", "BUY", D(5))
    return AccountCheck(exchange, account, exchange)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between tries."""
    monkeypatch.setattr("bot.account_check._PAUSE", 0.0)


@pytest.mark.parametrize(
    ("told", "differs"),
    [
        pytest.param([5], False, id="they agree"),
        pytest.param([4, 5], False, id="a read that trailed"),
        pytest.param([4, 3, 6, 4, 2], False, id="moving all the time: no verdict now"),
        pytest.param([6], True, id="one contract that no fill explains"),
    ],
)
async def test_differences(told: list[int | None], differs: bool) -> None:
    """Only what stays the same through all tries counts."""
    words = await reconciler(told).differences()
    assert bool(words) == differs
    if differs:
        assert words == "KXA: our fills say 5, the exchange 6"


async def test_no_answer_is_no_verdict() -> None:
    """Unreachable is neither agreement nor difference."""
    with pytest.raises(VenueUnavailable):
        await reconciler([None]).differences()


async def test_a_beginning_that_cannot_be_read_is_tried_again_later() -> None:
    """An account that trades without a pause, an exchange that is away: nothing is taken up, for it would be wrong."""
    exchange, account = Exchange([5]), AccountFills()
    one = AccountCheck(exchange, account, exchange)  # type: ignore[arg-type]
    exchange.pace = 1
    with pytest.raises(VenueUnavailable, match="trades without a pause"):
        await one.begin()
    exchange.pace, exchange.told = 0, [None]
    with pytest.raises(VenueUnavailable, match="no answer"):
        await one.begin()
    assert account.positions == {}
    assert not account.knows("f0")
