"""Portfolio and Markets over HTTP: our words and units, marks, freshness after a trade, and the last good value."""

import time
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from cache.decimal_json import dumps
from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from kalshi.client import KalshiClient
from kalshi.errors import BadRequest, ExchangeFault, FieldError, KalshiError, NotConfigured, NotFound
from kalshi.markets import Markets
from kalshi.portfolio import Portfolio
from tests.support import payloads
from tests.support.clock import Clock
from tests.support.kalshi import FakeKalshi, Reply


@pytest.fixture
def clock() -> Any:
    return Clock(time.time())


@pytest.fixture
def kalshi(kalshi: FakeKalshi) -> Any:
    """A scripted exchange with one of everything."""
    kalshi.answer("GET /exchange/user_data_timestamp", payloads.as_of("2026-06-11T07:00:00Z"))
    kalshi.answer("GET /portfolio/balance", payloads.BALANCE)
    kalshi.answer("GET /portfolio/positions", {"market_positions": [payloads.POSITION], "event_positions": []})
    kalshi.answer("GET /portfolio/fills", {"fills": [payloads.FILL], "cursor": ""})
    kalshi.answer("GET /historical/fills", {"fills": [], "cursor": ""})
    kalshi.answer("GET /portfolio/orders", {"orders": [payloads.ORDER], "cursor": "more"})
    kalshi.answer("GET /portfolio/settlements", {"settlements": [payloads.SETTLEMENT], "cursor": ""})
    kalshi.answer("GET /markets", {"markets": [payloads.MARKET], "cursor": ""})
    kalshi.answer("GET /markets/PRES24-GOP", {"market": payloads.MARKET})
    return kalshi


def keeper(clock: Clock) -> StaleCache:
    cache = MemoryCache(clock=clock)
    return StaleCache(cache, "kalshi_api", (KalshiError,), (NotFound, BadRequest), clock=clock, monotonic=clock)


@pytest.fixture
async def portfolio(kalshi: FakeKalshi, clock: Clock) -> Any:
    """A portfolio with keys, over memory."""
    async with aiohttp.ClientSession() as session:
        yield Portfolio(kalshi.client(session), keeper(clock), clock=clock)


@pytest.fixture
async def markets(kalshi: FakeKalshi, clock: Clock) -> Any:
    """Markets without keys."""
    async with aiohttp.ClientSession() as session:
        yield Markets(KalshiClient.over(session, kalshi.url), keeper(clock))


async def test_balance(portfolio: Portfolio) -> None:
    """Exact dollars, and cash by shard."""
    answer = await portfolio.balance()
    assert dumps(answer.value) == (
        '{"balance":98.0186,"portfolio_value_reported":1.98,"currency":"USD","by_exchange_index":{"0":98.0186}}'
    )
    assert (answer.source, answer.stale) == ("kalshi_api", False)


async def test_positions_have_marks_and_titles(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """Mark is the middle of the quotes; value, unrealized P&L and average price follow exactly."""
    answer = await portfolio.positions()
    assert dumps(answer.value["positions"]) == (
        '[{"ticker":"PRES24-GOP","title":"Who wins?","quantity":3,"outcome":"yes","cost":2.5,"average_price":0.833333,'
        '"mark":0.53,"value":1.59,"unrealized_pnl":-0.91,"realized_pnl":0,"fees":0.0189}]'
    )
    assert answer.value["count"] == 1
    assert kalshi.requested("/portfolio/positions")[0].query == {
        "settlement_status": "unsettled", "limit": "1000", "subaccount": "0",
    }  # fmt: skip
    assert kalshi.requested("/markets")[0].query == {"tickers": "PRES24-GOP", "limit": "100"}


async def test_a_no_position_is_marked_in_no_terms(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """Three NO at a YES mark of 0.53 are worth 0.47 each; a flat row has neither outcome nor value to lose."""
    flat = {"ticker": "FLAT", "position_fp": "0.00", "market_exposure_dollars": "0.000000"}
    rows = [payloads.POSITION | {"position_fp": "-3.00"}, payloads.POSITION | flat]
    kalshi.answer("GET /portfolio/positions", {"market_positions": rows, "event_positions": []})
    no, none = (await portfolio.positions()).value["positions"]
    assert (no["outcome"], no["mark"], no["value"]) == ("no", Decimal("0.47"), Decimal("1.41"))
    assert (none["outcome"], none["average_price"], none["mark"], none["value"]) == (None, None, None, 0)
    assert kalshi.requested("/markets")[0].query["tickers"] == "PRES24-GOP"


async def test_positions_stand_without_marks(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """Without prices the fields that depend on them are null, and the rest is returned."""
    kalshi.answer("GET /markets", Reply(400, {"msg": "no"}))
    answer = await portfolio.positions()
    row = answer.value["positions"][0]
    assert (row["mark"], row["value"], row["unrealized_pnl"], row["title"]) == (None, None, None, None)
    assert (row["cost"], answer.value["marks_as_of"], answer.stale) == (Decimal("2.5"), None, False)


async def test_marks_are_renewed_and_positions_are_not(kalshi: FakeKalshi, portfolio: Portfolio, clock: Clock) -> None:
    """Prices every 15 seconds in one batched call, positions by their own tier; the same object meanwhile."""
    await portfolio.positions()
    one = await portfolio.positions()
    assert await portfolio.positions() is one
    clock.now += 15
    await portfolio.positions()
    assert len(kalshi.requested("/markets")) == 2
    assert len(kalshi.requested("/portfolio/positions")) == 1


async def test_fills_in_yes_terms(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """An ask is a SELL of YES at the YES price, whatever outcome the taker had in mind."""
    sell = {"fill_id": "f-2", "book_side": "ask", "outcome_side": "no", "is_taker": False}
    kalshi.answer("GET /portfolio/fills", {"fills": [payloads.FILL | sell], "cursor": "abc"})
    answer = await portfolio.fills(limit=1)
    assert dumps(answer.value) == (
        '{"fills":[{"fill_id":"f-2","order_id":"o-1","timestamp":1781159370.164956,"ticker":"PRES24-GOP","side":"SELL",'
        '"outcome":"yes","quantity":10,"price":0.52,"fee":0.0175,"is_taker":false}],"count":1,"next":"abc"}'
    )


async def test_fills_lead_on_into_the_historical_tier(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """The last live page's next is where the past begins; the last page there has none."""
    kalshi.answer("GET /historical/fills", {"fills": [payloads.FILL | {"fill_id": "old"}], "cursor": "p2"})
    first = await portfolio.fills()
    assert first.value["next"] == "past:"
    second = await portfolio.fills(cursor="past:")
    assert (second.value["fills"][0]["fill_id"], second.value["next"]) == ("old", "past:p2")
    kalshi.answer("GET /historical/fills", {"fills": [], "cursor": ""})
    assert (await portfolio.fills(cursor="past:p2")).value["next"] is None
    assert kalshi.requested("/historical/fills")[-1].query == {"limit": "100", "subaccount": "0", "cursor": "p2"}


async def test_orders_and_settlements(portfolio: Portfolio) -> None:
    """The exchange's orders and settlements with the names of our API."""
    orders = (await portfolio.orders(status="canceled")).value
    assert (orders["next"], orders["orders"][0]["filled"], orders["orders"][0]["cost"]) == ("more", 4, Decimal("2.08"))
    settlement = (await portfolio.settlements()).value["settlements"][0]
    assert (settlement["revenue"], settlement["value"], settlement["timestamp"]) == (3, 1, 1781222400)


async def test_orders_lead_on_into_the_historical_tier(kalshi: FakeKalshi, portfolio: Portfolio) -> None:
    """The last page of the live tier is not the end: older orders exist under /historical/orders alone."""
    kalshi.answer("GET /portfolio/orders", {"orders": [payloads.ORDER], "cursor": ""})
    kalshi.answer("GET /historical/orders", {"orders": [payloads.ORDER | {"order_id": "old"}], "cursor": "p2"})
    first = (await portfolio.orders()).value
    assert first["next"] == "past:"
    second = (await portfolio.orders(cursor=first["next"])).value
    assert (second["orders"][0]["order_id"], second["next"]) == ("old", "past:p2")
    kalshi.answer("GET /historical/orders", {"orders": [], "cursor": ""})
    assert (await portfolio.orders(cursor="past:p2")).value["next"] is None
    assert (await portfolio.orders(status="resting")).value["next"] is None


async def test_after_a_trade_an_answer_is_stale_until_the_exchange_includes_it(
    kalshi: FakeKalshi, portfolio: Portfolio, clock: Clock
) -> None:
    """The exchange's own time, read before the answer, decides; it is read again with backoff."""
    first = await portfolio.balance()
    assert not first.stale
    at = first.as_of - 1
    portfolio.touched(at)
    kalshi.answer("GET /portfolio/balance", payloads.balance("90.0000"))
    lagging = await portfolio.balance()
    assert (lagging.stale, lagging.value["balance"]) == (True, 90)
    assert (await portfolio.balance()).stale
    assert len(kalshi.requested("/portfolio/balance")) == 2
    clock.now += 1
    passed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at + 2))
    kalshi.answer("GET /exchange/user_data_timestamp", payloads.as_of(passed))
    assert not (await portfolio.balance()).stale
    assert [call.path for call in kalshi.calls[-2:]] == ["/exchange/user_data_timestamp", "/portfolio/balance"]


async def test_without_the_reads_own_time_an_answer_still_comes(
    kalshi: FakeKalshi, portfolio: Portfolio, clock: Clock
) -> None:
    """Fresh as long as nothing has happened; stale after a trade, which it may not include."""
    kalshi.answer("GET /exchange/user_data_timestamp", Reply(404, {}))
    answer = await portfolio.balance()
    assert not answer.stale
    portfolio.touched(answer.as_of - 100)
    assert (await portfolio.balance()).stale


async def test_a_trade_from_the_future_counts_as_now(portfolio: Portfolio, clock: Clock) -> None:
    """A bot whose clock is an hour ahead must not make everything stale for an hour."""
    portfolio.touched(clock.now + 3600)
    assert portfolio.changed == clock.now
    portfolio.touched(5.0)
    assert portfolio.changed == clock.now


async def test_without_the_exchange_the_last_good_value_is_returned(
    kalshi: FakeKalshi, portfolio: Portfolio, clock: Clock
) -> None:
    """Renamed fields and server faults alike; without an old value the error is raised."""
    await portfolio.balance()
    kalshi.answer("GET /portfolio/balance", {"renamed": 1})
    clock.now += 3600
    answer = await portfolio.balance()
    assert (answer.stale, answer.value["balance"]) == (True, Decimal("98.0186"))
    kalshi.answer("GET /portfolio/settlements", {"settlements": [{}]})
    with pytest.raises(FieldError, match=r"GET /portfolio/settlements: field 'ticker' is missing"):
        await portfolio.settlements()


async def test_without_keys_the_settings_are_named(kalshi: FakeKalshi, clock: Clock) -> None:
    """At once, and without a call."""
    async with aiohttp.ClientSession() as session:
        portfolio = Portfolio(KalshiClient.over(session, kalshi.url), keeper(clock))
        with pytest.raises(NotConfigured, match="KALSHI_API_KEY and KALSHI_RSA_KEY_PATH"):
            await portfolio.positions()
    assert kalshi.calls == []


async def test_the_list_of_markets(kalshi: FakeKalshi, markets: Markets) -> None:
    """Filters pass through, except empty and unknown ones; 0 and 1 do not count as quotes."""
    empty = {"yes_bid_dollars": "0.0000", "yes_ask_dollars": "0.0000", "no_bid_dollars": "1.0000",
             "no_ask_dollars": "1.0000", "last_price_dollars": "0.0000"}  # fmt: skip
    kalshi.answer("GET /markets", {"markets": [payloads.MARKET, payloads.MARKET | empty], "cursor": "n"})
    answer = await markets.list({"status": "open", "limit": 2, "cursor": "", "color": "red"})
    assert kalshi.calls[0].query == {"status": "open", "limit": "2"}
    assert (answer.value["count"], answer.value["next"]) == (2, "n")
    first, second = answer.value["markets"]
    assert (first["yes_bid"], first["no_ask"], first["last_price"]) == (
        Decimal("0.52"), Decimal("0.48"), Decimal("0.53"),
    )  # fmt: skip
    quotes = {second[name] for name in ("yes_bid", "yes_ask", "no_bid", "no_ask", "last_price")}
    assert quotes == {None}
    assert first["open_time"] == 1767225600


async def test_one_market_and_one_that_is_not(kalshi: FakeKalshi, markets: Markets) -> None:
    """A ticker the exchange does not know is NotFound, and stays so for a moment without another call."""
    assert (await markets.one("PRES24-GOP")).value["rules"] == "If …"
    for _ in range(3):
        with pytest.raises(NotFound):
            await markets.one("NOPE")
    assert len(kalshi.requested("/markets/NOPE")) == 1


@pytest.mark.parametrize("ticker", ["", ".", "..", "a/b", "a\\b", "a\nb", "x" * 300, "\u2028"])
async def test_a_text_that_cannot_be_a_ticker_is_not_sent(kalshi: FakeKalshi, markets: Markets, ticker: str) -> None:
    """A ticker that could name another path is not found, without a call."""
    with pytest.raises(NotFound):
        await markets.one(ticker)
    assert kalshi.calls == []


@pytest.mark.parametrize(
    ("ticker", "sent"),
    [("KXBTC-25.5", "KXBTC-25.5"), ("ÄB", "%C3%84B"), ("a b?c#d%2F", "a%20b%3Fc%23d%252F"), ("..a", "..a")],
)
async def test_strange_tickers_stay_one_segment(kalshi: FakeKalshi, markets: Markets, ticker: str, sent: Any) -> None:
    """Quoted as a whole, so that nothing of it is read as path, query or fragment."""
    with pytest.raises(NotFound):
        await markets.one(ticker)
    assert kalshi.calls[0].path == f"/markets/{sent}"


async def test_another_market_than_requested_is_an_error(kalshi: FakeKalshi, markets: Markets) -> None:
    """A record of another market is an error."""
    kalshi.answer("GET /markets/OTHER", {"market": payloads.MARKET})
    with pytest.raises(FieldError, match="should be 'OTHER'"):
        await markets.one("OTHER")


async def test_two_accounts_do_not_share_answers(kalshi: FakeKalshi, clock: Clock) -> None:
    """Keys in the cache contain environment, key and subaccount."""
    async with aiohttp.ClientSession() as session:
        names = {
            kalshi.client(session).account, kalshi.client(session, 1).account,
            KalshiClient.over(session, "http://elsewhere", kalshi.signer).account,
            KalshiClient.over(session, kalshi.url).account,
        }  # fmt: skip
    assert len(names) == 4


async def test_an_error_of_the_exchange_is_raised_without_an_old_value(kalshi: FakeKalshi, clock: Clock) -> None:
    """After the retries that fit in the time."""
    kalshi.answer("GET /portfolio/balance", Reply(503, {"error": {"code": "unavailable"}}))
    async with aiohttp.ClientSession() as session:
        client = kalshi.client(session)
        client.calls.total = 0.5
        with pytest.raises(ExchangeFault, match="HTTP 503 unavailable"):
            await Portfolio(client, keeper(clock)).balance()
