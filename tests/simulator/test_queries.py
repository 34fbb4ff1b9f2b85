"""Tests of queries that any client may send: pages of every list, limits, filters, unknown parameters, 404 bodies."""

from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import ExchangeOptions

LISTS: dict[str, tuple[str, str, int]] = {
    "/markets": ("markets", "ticker", 1000), "/events": ("events", "event_ticker", 200),
    "/markets/trades": ("trades", "trade_id", 1000), "/portfolio/fills": ("fills", "fill_id", 1000),
    "/portfolio/orders": ("orders", "order_id", 1000), "/portfolio/settlements": ("settlements", "ticker", 1000),
    "/portfolio/positions": ("market_positions", "ticker", 1000), "/portfolio/deposits": ("deposits", "id", 500),
    "/portfolio/withdrawals": ("withdrawals", "id", 500), "/historical/fills": ("fills", "fill_id", 1000),
    "/historical/orders": ("orders", "order_id", 1000), "/historical/trades": ("trades", "trade_id", 1000),
    "/historical/markets": ("markets", "ticker", 1000),
    "/portfolio/intra_exchange_instance_transfers": ("transfers", "transfer_id", 1000),
}  # fmt: skip
"""Path -> name of the list, id of a row, largest limit."""


@pytest.fixture(scope="module")
def exchange() -> InProcessExchange:
    """An exchange with at least three rows in every list, old ones and new ones."""
    exchange = InProcessExchange(ExchangeOptions(quiet=True, tier="prestige"), VirtualClock(1_800_000_000.0))
    tickers = [row["ticker"] for row in rows(exchange, "/markets", status="open", limit=1000)]
    for old in (True, False):
        part = tickers[:10] if old else tickers[10:20]
        for number, ticker in enumerate(part):
            fill = {"ticker": ticker, "side": "bid", "count": "2.00", "price": "0.5000"}
            admin(exchange, "/fill", fill)
            exchange.advance(1.0)
            if number < 4:
                admin(exchange, "/settle", {"ticker": ticker, "result": "yes"})
        for number in range(4):
            admin(exchange, "/deposit", {"amount_cents": 500})
            admin(exchange, "/withdraw", {"amount_cents": 100})
            move = {
                "source": "event_contract", "destination": "event_contract", "source_exchange_shard": 0,
                "destination_exchange_shard": 1, "amount": 100, "client_transfer_id": f"{old}-{number}",
            }  # fmt: skip
            assert exchange.request("POST", "/portfolio/intra_exchange_instance_transfer", body=move).status < 300
        if old:
            exchange.advance(7200.0)
    admin(exchange, "/cutoff", {"seconds": 3600})
    return exchange


def admin(exchange: InProcessExchange, path: str, body: Any) -> None:
    """Use the control port; an error fails the test."""
    response = exchange.admin("POST", path, body)
    assert response.status < 400, response.body


def rows(exchange: InProcessExchange, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the rows of one page."""
    response = exchange.request("GET", path, query)
    assert response.status == 200, response.body
    name = LISTS[path][0]
    return list(response.body[name])


@pytest.mark.parametrize("path", LISTS)
def test_pages_of_a_list_hold_each_row_once(exchange: InProcessExchange, path: str) -> None:
    """Pages of two are the whole list in its order; only the last one has an empty cursor, and none is empty."""
    name, key, most = LISTS[path]
    whole = [row[key] for row in rows(exchange, path, limit=most)]
    assert len(whole) == len(set(whole)) >= 3
    found: list[str] = []
    cursor = ""
    while True:
        body = exchange.request("GET", path, {"limit": 2, "cursor": cursor}).body
        assert 1 <= len(body[name]) <= 2
        found += [row[key] for row in body[name]]
        if not (cursor := body["cursor"]):
            break
    assert found == whole


@pytest.mark.parametrize("path", LISTS)
def test_limits_beyond_the_maximum_are_refused_and_other_parameters_ignored(
    exchange: InProcessExchange, path: str
) -> None:
    """400 in the shape of query validation; a parameter that does not exist and a garbage cursor change nothing."""
    key, most = LISTS[path][1:]
    for limit in (most + 1, -1, "many", "1.5"):
        response = exchange.request("GET", path, {"limit": limit})
        assert (response.status, response.body) == (400, {"msg": "Parameter validation failed for limit"})
    first = [row[key] for row in rows(exchange, path, limit=3)]
    for more in ({"no_such_parameter": "1"}, {"cursor": "garbage"}, {"cursor": "%00"}, {"ticker": ""}):
        assert [row[key] for row in rows(exchange, path, limit=3, **more)] == first


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/markets", {"min_updated_ts": 1}, 400),
        ("/markets", {"min_updated_ts": 1, "mve_filter": "exclude", "series_ticker": "KXBTC"}, 200),
        ("/markets", {"min_close_ts": 1, "min_created_ts": 1}, 400), ("/markets", {"status": "active"}, 400),
        ("/markets", {"limit": 0}, 200), ("/events", {"limit": 0}, 400), ("/events", {"min_close_ts": 1}, 200),
        ("/portfolio/fills", {"ticker": ",".join("A" * 101)}, 400), ("/portfolio/fills", {"ticker": "A,B"}, 200),
        ("/portfolio/orders", {"event_ticker": ",".join("A" * 11)}, 400),
        ("/portfolio/orders", {"status": "open"}, 400), ("/portfolio/positions", {"settlement_status": "open"}, 400),
        ("/portfolio/positions", {"count_filter": "position,total_traded"}, 200),
        ("/portfolio/positions", {"count_filter": "resting"}, 400), ("/portfolio/balance", {"exchange_index": 9}, 400),
        ("/portfolio/fills", {"min_ts": "yesterday"}, 400), ("/portfolio/balance", {"subaccount": 1}, 403),
        ("/markets/orderbooks", {}, 400), ("/markets/candlesticks", {}, 400),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_is_taken_or_refused_as_documented(
    exchange: InProcessExchange, path: str, query: dict[str, Any], status: int
) -> None:
    """Words of other fields, too many names and mixed families of times are 400."""
    assert exchange.request("GET", path, query).status == status


def test_history_takes_the_filters_of_its_live_lists(exchange: InProcessExchange) -> None:
    """A ticker or a time narrows /historical/trades, names narrow /historical/markets."""
    trades = rows(exchange, "/historical/trades", limit=1000)
    one = trades[0]["ticker"]
    assert rows(exchange, "/historical/trades", ticker=one) == [row for row in trades if row["ticker"] == one]
    assert rows(exchange, "/historical/trades", max_ts=1) == []
    markets = rows(exchange, "/historical/markets", limit=1000)
    assert rows(exchange, "/historical/markets", tickers=markets[0]["ticker"]) == markets[:1]
    assert rows(exchange, "/historical/markets", series_ticker="KXNONE") == []


def test_events_close_after_a_time(exchange: InProcessExchange) -> None:
    """min_close_ts leaves out the events whose markets all close earlier."""
    assert rows(exchange, "/events", min_close_ts=2**40) == []
    assert rows(exchange, "/events", min_close_ts=0, limit=200) == rows(exchange, "/events", limit=200)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/markets/KXNONE"), ("GET", "/markets/KXNONE/orderbook"), ("GET", "/events/KXNONE"),
        ("GET", "/events/KXNONE/metadata"), ("GET", "/series/KXNONE"), ("GET", "/portfolio/orders/none"),
        ("GET", "/portfolio/orders/none/queue_position"), ("DELETE", "/portfolio/events/orders/none"),
        ("POST", "/portfolio/events/orders/none/decrease"), ("GET", "/portfolio/order_groups/none"),
        ("PUT", "/portfolio/order_groups/none/reset"), ("DELETE", "/portfolio/order_groups/none"),
        ("GET", "/series/KXNONE/markets/KXNONE/candlesticks"), ("GET", "/no/such/path"),
        ("GET", "/portfolio/intra_exchange_instance_transfers/none"), ("GET", "/historical/markets/KXNONE"),
    ],
)  # fmt: skip
def test_a_missing_object_is_404_in_the_nested_shape(exchange: InProcessExchange, method: str, path: str) -> None:
    """Code not_found and a message, whatever is missing."""
    response = exchange.request(method, path, body={"reduce_to": "1.00"} if path.endswith("decrease") else None)
    assert (response.status, response.body["error"]["code"]) == (404, "not_found")
    assert response.body["error"]["message"]
