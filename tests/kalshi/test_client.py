"""KalshiClient over HTTP: each noun read from a signed request."""

from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kalshi.client import KalshiClient
from kalshi.errors import BadAnswer, NotConfigured
from tests.support import payloads
from tests.support.kalshi import FakeKalshi


@pytest.fixture
def client(kalshi: FakeKalshi, session: aiohttp.ClientSession) -> Any:
    """A client with keys."""
    return kalshi.client(session)


async def test_balance_is_exact_and_of_one_subaccount(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """The exact text is read, not the truncated cents, and the subaccount is always named."""
    kalshi.answer("GET /portfolio/balance", payloads.BALANCE)
    balance = await client.balance()
    assert balance.balance == Decimal("98.0186")
    assert balance.portfolio_value == Decimal("1.98")
    assert balance.by_exchange_index == {0: Decimal("98.0186")}
    assert kalshi.requested("/portfolio/balance")[0].query == {"subaccount": "0"}


async def test_account_calls_without_keys_name_the_settings(kalshi: FakeKalshi) -> None:
    """Nothing is sent, and the error names the missing settings; markets work all the same."""
    async with aiohttp.ClientSession() as session:
        client = KalshiClient.over(session, kalshi.url)
        with pytest.raises(NotConfigured) as caught:
            await client.balance()
        assert caught.value.missing == ("KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH")
        assert kalshi.calls == []
        kalshi.answer("GET /markets/A.B-1", {"market": payloads.MARKET})
        assert (await client.market("A.B-1")).yes_bid == Decimal("0.52")
        assert "KALSHI-ACCESS-KEY" not in kalshi.calls[0].headers


async def output(rows: Any) -> list[str]:
    return [row.fill_id async for row in rows]


def fills(*names: str, cursor: str = "") -> dict[str, Any]:
    return {"fills": [payloads.FILL | {"fill_id": name} for name in names], "cursor": cursor}


async def test_recent_fills_come_from_the_live_tier_alone(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """Page after page, each once; the time is rounded down to whole seconds; the historical tier is not read."""
    kalshi.answer("GET /historical/cutoff", payloads.CUTOFF)
    kalshi.answer("GET /portfolio/fills", fills("c", "b", cursor="2"), fills("b", "a"))
    since = 1781159370.9  # after the cutoff
    assert await output(client.fills(min_ts=since)) == ["c", "b", "a"]
    first, second = kalshi.requested("/portfolio/fills")
    assert first.query == {"limit": "1000", "subaccount": "0", "min_ts": "1781159370"}
    assert second.query == first.query | {"cursor": "2"}
    assert kalshi.requested("/historical/fills") == []


@pytest.mark.parametrize("min_ts", [None, 1780272000.0, 1780275599.0], ids=["all", "at the cutoff", "near the cutoff"])
async def test_older_fills_come_from_the_historical_tier_too(
    kalshi: FakeKalshi, client: KalshiClient, min_ts: Any
) -> None:
    """A row that moves between the tiers meanwhile is returned once."""
    kalshi.answer("GET /historical/cutoff", payloads.CUTOFF)
    kalshi.answer("GET /portfolio/fills", fills("c", "b"))
    kalshi.answer("GET /historical/fills", fills("b", "a"))
    assert await output(client.fills(min_ts=min_ts, ticker="PRES24-GOP")) == ["c", "b", "a"]
    assert kalshi.requested("/historical/fills")[0].query["ticker"] == "PRES24-GOP"


async def test_a_walk_in_circles_is_an_error(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """The exchange answers an unknown cursor with page one and no error."""
    kalshi.answer("GET /portfolio/fills", fills("b", "a", cursor="forgotten"))
    with pytest.raises(BadAnswer, match="circles"):
        await output(client.fills())


async def test_positions_and_settlements_are_walked(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """Both to the end, of one subaccount, with the requested status."""
    other = payloads.POSITION | {"ticker": "OTHER"}
    pages = [{"market_positions": [payloads.POSITION], "event_positions": [], "cursor": "2"},
             {"market_positions": [other], "event_positions": []}]  # fmt: skip
    kalshi.answer("GET /portfolio/positions", *pages)
    assert [row.ticker for row in await client.positions("all")] == ["PRES24-GOP", "OTHER"]
    assert kalshi.calls[-1].query["settlement_status"] == "all"
    kalshi.answer("GET /portfolio/settlements", {"settlements": [payloads.SETTLEMENT], "cursor": None})
    assert [row.revenue async for row in client.settlements(min_ts=5)] == [3]
    assert kalshi.calls[-1].query == {"limit": "1000", "subaccount": "0", "min_ts": "5"}


async def test_transfers_are_deposits_and_withdrawals(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """Both endpoints, every page, in the order of their present states; they know no subaccount."""
    later = payloads.DEPOSIT | {"id": "d-2", "status": "pending", "finalized_ts": None, "created_ts": 1781170000}
    taken = payloads.DEPOSIT | {"id": "w-1", "finalized_ts": 1781165000}
    pages = {"deposits": [later], "cursor": "2"}, {"deposits": [payloads.DEPOSIT], "cursor": ""}
    kalshi.answer("GET /portfolio/deposits", *pages)
    kalshi.answer("GET /portfolio/withdrawals", {"withdrawals": [taken], "cursor": None})
    found = await client.transfers()
    assert [(row.transfer_id, row.direction, row.status) for row in found] == [
        ("d-1", "deposit", "applied"), ("w-1", "withdrawal", "applied"), ("d-2", "deposit", "pending"),
    ]  # fmt: skip
    assert kalshi.requested("/portfolio/withdrawals")[0].query == {"limit": "500"}


async def test_a_subaccount_is_used_alike(kalshi: FakeKalshi) -> None:
    """The exchange's own defaults differ from call to call."""
    kalshi.answer("GET /portfolio/balance", payloads.BALANCE)
    kalshi.answer("GET /portfolio/positions", {"market_positions": [], "event_positions": []})
    kalshi.answer("GET /portfolio/fills", fills())
    kalshi.answer("GET /historical/fills", fills())
    kalshi.answer("GET /portfolio/orders", {"orders": []})
    kalshi.answer("GET /portfolio/settlements", {"settlements": []})
    async with aiohttp.ClientSession() as session:
        client = kalshi.client(session, subaccount=7)
        await client.balance()
        await client.positions()
        await output(client.fills())
        await client.orders()
        await client.settlements_page()
    requested = [call for call in kalshi.calls if call.path.startswith(("/portfolio", "/historical"))]
    assert len(requested) == 6
    assert {call.query["subaccount"] for call in requested} == {"7"}


async def test_many_markets_are_read_a_hundred_at_a_time(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """Each once, in any order and with repeated names."""
    kalshi.answer("GET /markets", {"markets": [payloads.MARKET]})
    await client.markets_named([f"M{n % 150:03}" for n in range(300)])
    requested = [len(call.query["tickers"].split(",")) for call in kalshi.requested("/markets")]
    assert requested == [100, 50]


async def test_the_small_reads(kalshi: FakeKalshi, client: KalshiClient) -> None:
    """Order, orderbook, status, the reads' own time."""
    kalshi.answer("GET /portfolio/orders/o-1", {"order": payloads.ORDER})
    kalshi.answer("GET /markets/A-1/orderbook", payloads.ORDERBOOK)
    kalshi.answer("GET /exchange/status", payloads.STATUS)
    kalshi.answer("GET /exchange/user_data_timestamp", payloads.as_of("2026-06-11T06:29:30.5Z"))
    assert (await client.order("o-1")).filled == 4
    assert (await client.orderbook("A-1", depth=3)).yes[0].price == Decimal("0.52")
    assert kalshi.requested("/markets/A-1/orderbook")[0].query == {"depth": "3"}
    assert (await client.status()).trading_active
    assert await client.user_data_timestamp() == 1781159370.5


async def test_with_an_rsa_key_too() -> None:
    """The older kind of key signs reads as well, and a query is not part of what is signed."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    async with FakeKalshi(key) as kalshi, aiohttp.ClientSession() as session:
        kalshi.answer("GET /portfolio/orders", {"orders": [payloads.ORDER], "cursor": ""})
        page = await kalshi.client(session).orders(status="canceled")
        assert [row.order_id for row in page.rows] == ["o-1"]
        assert kalshi.calls[-1].query == {"limit": "100", "status": "canceled", "subaccount": "0"}
