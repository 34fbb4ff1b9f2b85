"""The client, the portfolio and the push against the simulated exchange as a process: the real shapes, together."""

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from kalshi.account_models import Fill
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.errors import BadRequest, KalshiError, NotAllowed, NotFound
from kalshi.fill_socket import Connected, FillSocket
from kalshi.markets import Markets
from kalshi.portfolio import Portfolio
from tests.support.eventually import eventually
from tests.support.simulator import running_simulator


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A quiet exchange: nothing happens but what a test does."""
    with running_simulator(tmp_path_factory.mktemp("keys")) as it:
        yield it


def client_of(exchange: Any, session: aiohttp.ClientSession, key: str = "demo-ed25519") -> KalshiClient:
    return KalshiClient.over(session, exchange.url, Signer.from_file(key, exchange.keys[key]))


def keeper() -> StaleCache:
    return StaleCache(MemoryCache(), "kalshi_api", (KalshiError,), (NotFound, BadRequest))


@pytest.mark.parametrize("key", ["demo-rsa", "demo-ed25519"])
async def test_every_read_is_understood(exchange: Any, session: aiohttp.ClientSession, key: Any) -> None:
    """With both kinds of key; the tier and the costs are learnt on the way."""
    client = client_of(exchange, session, key)
    page = await client.markets({"limit": 3, "status": "open"})
    ticker = page.rows[0].ticker
    exchange.quote(ticker, "0.40", "0.44")
    exchange.fill(ticker, "bid", "2.00", "0.44")
    assert (await client.balance()).balance < 10_000
    assert ticker in {position.ticker for position in await client.positions()}
    fills = [fill async for fill in client.fills()]
    assert fills[0].ticker == ticker
    assert [fill.fill_id for fill in (await client.fills_page(limit=1)).rows] == [fills[0].fill_id]
    assert (await client.orders()).rows
    assert [row async for row in client.settlements()] == []
    assert (await client.market(ticker)).yes_bid == Decimal("0.40")
    assert (await client.orderbook(ticker)).yes[0].price == Decimal("0.40")
    assert (await client.status()).trading_active
    assert await client.user_data_timestamp() > 0
    assert [market.ticker for market in await client.markets_named([ticker, "NOPE"])] == [ticker]
    with pytest.raises(NotFound):
        await client.market("NOPE")
    assert client.calls.limits.costs.costs


async def test_a_wrong_key_is_reported(exchange: Any, session: aiohttp.ClientSession) -> None:
    """The signature of one key under the name of the other."""
    signer = Signer.from_file("demo-rsa", exchange.keys["demo-ed25519"])
    with pytest.raises(NotAllowed):
        await KalshiClient.over(session, exchange.url, signer).balance()


async def test_positions_add_up_to_fills_and_a_trade_makes_stale(exchange: Any, session: aiohttp.ClientSession) -> None:
    """Fills in YES terms sum up to the position; after a trade the answer is fresh again, with it."""
    client = client_of(exchange, session)
    portfolio, markets = Portfolio(client, keeper()), Markets(client, keeper())
    ticker = (await markets.list({"limit": 5, "status": "open"})).value["markets"][4]["ticker"]
    exchange.quote(ticker, "0.30", "0.34")
    before = await portfolio.positions()
    assert ticker not in {row["ticker"] for row in before.value["positions"]}
    exchange.fill(ticker, "ask", "3.00", "0.30")
    exchange.fill(ticker, "bid", "1.00", "0.34")
    newest = [fill async for fill in client.fills(ticker=ticker)]
    portfolio.touched(float(newest[0].timestamp))

    async def settled() -> Any:
        answer = await portfolio.positions()
        return None if answer.stale else answer

    answer = await eventually(settled, within=10)
    row = next(row for row in answer.value["positions"] if row["ticker"] == ticker)
    moved = sum(fill.quantity if fill.side == "BUY" else -fill.quantity for fill in newest)
    assert row["quantity"] == moved == -2
    assert (row["outcome"], row["title"] is not None) == ("no", True)
    assert row["mark"] == 1 - Decimal("0.32")


async def test_a_fill_is_pushed_within_a_second(exchange: Any, session: aiohttp.ClientSession) -> None:
    """Connected comes first; the pushed fill equals the one of REST."""
    client = client_of(exchange, session)
    ticker = (await client.markets({"limit": 1, "status": "open"})).rows[0].ticker
    exchange.quote(ticker, "0.50", "0.52")
    push = FillSocket(session, exchange.ws_url, Signer.from_file("demo-rsa", exchange.keys["demo-rsa"]))
    async with aclosing(push.events()) as events:
        assert isinstance(await anext(events), Connected)
        exchange.fill(ticker, "bid", "1.00", "0.52")
        async with asyncio.timeout(1.0):
            pushed = await anext(events)
    assert isinstance(pushed, Fill)

    async def found() -> Any:
        return next((fill for fill in (await client.fills_page()).rows if fill.fill_id == pushed.fill_id), None)

    fill = await eventually(found)
    assert (fill.yes_price, fill.quantity, fill.fee, fill.side) == (
        pushed.yes_price, pushed.quantity, pushed.fee, pushed.side,
    )  # fmt: skip
    assert abs(fill.timestamp - pushed.timestamp) < Decimal("0.002")
