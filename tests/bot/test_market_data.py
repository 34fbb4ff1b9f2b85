"""Tests of market data over HTTP: failures and renamed fields are errors that are retried, not bugs."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from bot.backtest.in_process_client import InProcessCalls
from bot.errors import VenueUnavailable
from bot.market_data import MarketData
from kalshi.client import KalshiClient
from simulator.in_process import InProcessExchange
from tests.support.eventually import eventually
from tests.support.in_process_bot import InProcessBot
from tests.support.simulator import Simulator, running_simulator
from tests.support.venues import client, quoted

Call = Callable[[MarketData, str], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "quotes": lambda prices, ticker: prices.quotes([ticker]),
    "choose": lambda prices, ticker: prices.choose(3),
    "recent": lambda prices, ticker: prices.recent(ticker, 5),
    "state": lambda prices, ticker: prices.state(),
    "fee_rule": lambda prices, ticker: prices.fee_rule(ticker),
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prime") as running:
        yield running


@pytest.fixture
async def prices(simulator: Simulator) -> AsyncIterator[tuple[MarketData, str]]:
    """MarketData, and a market that has been traded."""
    simulator.clear()
    async with aiohttp.ClientSession() as session:
        reader = client(session, simulator, attempt=0.5)
        ticker = await quoted(reader, simulator)
        simulator.fill(ticker, "bid", "1.00", "0.5500")
        yield MarketData(reader, time.monotonic, time.time), ticker
    simulator.clear()


@pytest.mark.parametrize("name", CALLS)
async def test_a_failing_exchange_is_unavailable_and_then_works(
    name: str, prices: tuple[MarketData, str], simulator: Simulator
) -> None:
    """The call raises VenueUnavailable and works again once the fault has passed."""
    await CALLS[name](*prices)
    simulator.fault("error", status=500)
    with pytest.raises(VenueUnavailable, match="500"):
        await CALLS[name](*prices)
    simulator.clear()

    async def works() -> bool:
        with suppress(VenueUnavailable):  # the circuit is open for a moment
            await CALLS[name](*prices)
            return True
        return False

    await eventually(works)


@pytest.mark.parametrize(
    ("name", "field", "op"),
    [
        ("quotes", "markets", "rename"), ("quotes", "yes_bid_dollars", "retype"), ("quotes", "price_ranges", "remove"),
        ("quotes", "step", "retype"), ("choose", "volume_fp", "rename"), ("recent", "trades", "rename"),
        ("recent", "yes_price_dollars", "rename"), ("state", "trading_active", "rename"),
        ("fee_rule", "event_ticker", "rename"), ("fee_rule", "series", "rename"),
        ("fee_rule", "fee_type", "remove"), ("fee_rule", "fee_multiplier", "remove"),
    ],
)  # fmt: skip
async def test_a_changed_field_is_named(
    prices: tuple[MarketData, str], simulator: Simulator, name: str, field: str, op: str
) -> None:
    """The error names the field."""
    simulator.fault("field", op=op, field=field)
    with pytest.raises(VenueUnavailable, match=field):
        await CALLS[name](*prices)


class SpoiledCalls(InProcessCalls):
    """Calls whose answers have another value in one field."""

    def __init__(self, exchange: InProcessExchange, field: str, value: Any) -> None:
        super().__init__(exchange)
        self.field, self.value = field, value

    async def request(self, *rest: Any, **more: Any) -> Any:
        return _spoiled(await super().request(*rest, **more), self.field, self.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("step", "half a cent"), ("step", "NaN"), ("step", "0.0000"), ("step", "-0.0100"), ("price_ranges", []),
        ("fee_multiplier", "dear"),
    ],
)  # fmt: skip
async def test_a_value_that_cannot_be_used_is_named(field: str, value: Any) -> None:
    """A number that cannot be read, and a grid without a step, are errors with the field's name."""
    bot = InProcessBot()
    ticker = bot.market()
    calls: Any = SpoiledCalls(bot.exchange, field, value)
    prices = MarketData(KalshiClient(calls), bot.time, bot.time)
    with pytest.raises(VenueUnavailable, match=field):
        await CALLS["fee_rule" if field == "fee_multiplier" else "quotes"](prices, ticker)


def _spoiled(answer: Any, field: str, value: Any) -> Any:
    if isinstance(answer, list):
        return [_spoiled(each, field, value) for each in answer]
    if isinstance(answer, dict):
        return {key: value if key == field else _spoiled(each, field, value) for key, each in answer.items()}
    return answer
