"""KalshiClient over HTTP: each noun read from a signed request."""

from decimal import Decimal

import aiohttp
import pytest

from kalshi.client import KalshiClient
from kalshi.errors import NotConfigured
from tests.support import payloads
from tests.support.kalshi import FakeKalshi


@pytest.fixture
async def kalshi():
    """A scripted exchange."""
    async with FakeKalshi() as fake:
        yield fake


@pytest.fixture
async def client(kalshi):
    """A client with keys."""
    async with aiohttp.ClientSession() as session:
        yield kalshi.client(session)


async def test_balance_is_exact_and_of_one_subaccount(kalshi, client):
    """The exact text is read, not the truncated cents, and the subaccount is always named."""
    kalshi.answer("GET /portfolio/balance", payloads.BALANCE)
    balance = await client.balance()
    assert balance.balance == Decimal("98.0186")
    assert balance.portfolio_value == Decimal("1.98")
    assert balance.by_exchange_index == {0: Decimal("98.0186")}
    assert kalshi.asked("/portfolio/balance")[0].query == {"subaccount": "0"}


async def test_account_calls_without_keys_name_the_settings(kalshi):
    """Nothing is sent, and the error says which settings are missing; markets work all the same."""
    async with aiohttp.ClientSession() as session:
        client = KalshiClient.over(session, kalshi.url)
        with pytest.raises(NotConfigured) as caught:
            await client.balance()
        assert caught.value.missing == ("KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH")
        assert kalshi.calls == []
        kalshi.answer("GET /markets/A.B-1", {"market": payloads.MARKET})
        assert (await client.market("A.B-1")).yes_bid == Decimal("0.52")
        assert "KALSHI-ACCESS-KEY" not in kalshi.calls[0].headers
