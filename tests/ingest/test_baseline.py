"""The baseline holds cash and positions of one moment, and an execution is in it or after it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from types import SimpleNamespace

import pytest

from ingest.exchange_fills import read_baseline
from kalshi.account_models import Balance, Fill, Position
from kalshi.errors import BadAnswer
from tests.support.exchange import ScriptedExchange, as_client, fill


def clock() -> float:
    """Unix seconds far beyond what the exchange is complete to."""
    return 2000.0


class BusyExchange(ScriptedExchange):
    """An exchange that trades during the first readings of the balance."""

    def __init__(self, trades: int) -> None:
        super().__init__(complete=1000.0)
        self.left = trades

    async def balance(self) -> Balance:
        found = await super().balance()
        if self.left:
            self.left -= 1
            self.fills_made.append(fill(self.left, 999.0))
            self.cash -= 1
        return found


async def test_the_time_of_the_baseline_is_that_of_the_newest_fill_in_it() -> None:
    """A fill beyond what the exchange promises is visible already, and so are its contracts."""

    class AheadExchange(ScriptedExchange):
        async def fills(self, min_ts: float | None = None) -> AsyncIterator[Fill]:
            yield fill(1, 1000.5)

    exchange = AheadExchange(complete=1000.0)
    exchange.held = [Position("A", Decimal(3), Decimal(1), *[Decimal(0)] * 4)]
    found = await read_baseline(as_client(exchange), "live", clock)
    assert (found.timestamp, found.balance, found.positions[0]["quantity"]) == (Decimal("1000.5"), 100, 3)


async def test_the_fills_of_a_minute_are_compared() -> None:
    """Fills are read before and after cash and positions; the baseline has no market without contracts."""
    exchange = ScriptedExchange(complete=1000.0)
    exchange.held = [
        Position(ticker, Decimal(held), Decimal(1), *[Decimal(0)] * 4) for ticker, held in (("A", 0), ("B", -2))
    ]
    found = await read_baseline(as_client(exchange), "live", clock)
    assert exchange.asked == [940.0, 940.0]
    assert (found.timestamp, [row["ticker"] for row in found.positions]) == (1000, ["B"])


async def test_an_account_that_trades_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cash and fills are read before and after the positions until nothing came between, with 0.2 s between."""
    pauses: list[float] = []

    async def paused(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("ingest.exchange_fills.asyncio", SimpleNamespace(sleep=paused))
    found = await read_baseline(as_client(BusyExchange(2)), "demo", clock)
    assert (found.balance, found.mode) == (98, "demo")
    assert pauses == [0.2, 0.2]


async def test_an_account_that_never_stands_still_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No baseline is better than one of two moments; after twenty tries the next reading tries again."""
    exchange, pauses = BusyExchange(100), list[float]()

    async def paused(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("ingest.exchange_fills.asyncio", SimpleNamespace(sleep=paused))
    with pytest.raises(BadAnswer, match="trades without a pause"):
        await read_baseline(as_client(exchange), "live", clock)
    assert len(pauses) == 20
