"""Candlesticks and event metadata over REST."""

import time
from typing import Any

import pytest

from simulator.candlesticks import CandlestickRecorder
from simulator.events import TradeEvent
from tests.simulator.conftest import Member


def window(**more: object) -> str:
    """Return a query of two hours before and after now, by the minute."""
    now = int(time.time())
    query = {"start_ts": now - 7200, "end_ts": now + 7200, "period_interval": 1} | more
    return "&".join(f"{name}={value}" for name, value in query.items())


def trades_of(rows: list[Any]) -> list[Any]:
    """Return the candlesticks with trades."""
    return [row for row in rows if row["volume_fp"] != "0.00"]


def test_one_market_has_its_trades_in_candlesticks(member: Member) -> None:
    """Open, low, high, close, mean and volume of two trades; periods end on whole minutes."""
    ticker = member.markets[14]
    for price in ("0.4000", "0.6000"):
        member.simulator.fill(ticker, "bid", "2.00", price)
    series = ticker.split("-", maxsplit=1)[0]
    status, body = member.call("GET", f"/series/{series}/markets/{ticker}/candlesticks?{window(period_interval=60)}")
    assert (status, body["ticker"]) == (200, ticker)
    row = trades_of(body["candlesticks"])[-1]
    assert row["end_period_ts"] % 3600 == 0
    assert row["volume_fp"] == "4.00"
    names = ("open_dollars", "low_dollars", "high_dollars", "close_dollars", "mean_dollars")
    assert [row["price"][name] for name in names] == ["0.4000", "0.4000", "0.6000", "0.6000", "0.5000"]


def test_a_batch_has_one_list_for_each_known_market(member: Member) -> None:
    """Two known tickers and an unknown one: two lists; the same rows as for one market."""
    member.simulator.fill(member.ticker, "bid", "1.00", "0.4000")
    tickers = f"{member.ticker},KXNONE-1,{member.markets[0]}"
    status, body = member.call("GET", f"/markets/candlesticks?market_tickers={tickers}&{window()}")
    assert status == 200
    assert [row["market_ticker"] for row in body["markets"]] == [member.ticker, member.markets[0]]
    assert trades_of(body["markets"][0]["candlesticks"])


def test_an_event_has_a_list_for_each_of_its_markets(member: Member) -> None:
    """The lists stand in the order of the tickers."""
    event, series = member.ticker.rsplit("-", 1)[0], member.ticker.split("-")[0]
    status, body = member.call("GET", f"/series/{series}/events/{event}/candlesticks?{window()}")
    assert status == 200
    assert len(body["market_tickers"]) == len(body["market_candlesticks"]) == 2
    assert member.ticker in body["market_tickers"]


def test_quotes_are_sampled(member: Member) -> None:
    """The quotes 0.40 and 0.45 are in the newest candlestick soon after they were made."""
    deadline = time.monotonic() + 20
    while True:
        rows = member.call("GET", f"/markets/candlesticks?market_tickers={member.ticker}&{window()}")[1]["markets"]
        quotes = [(row["yes_bid"]["close_dollars"], row["yes_ask"]["close_dollars"]) for row in rows[0]["candlesticks"]]
        if ("0.4000", "0.4500") in quotes:
            return
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("market_tickers=A&start_ts=1&end_ts=2&period_interval=7", "period_interval"),
        ("market_tickers=A&start_ts=1&period_interval=1", "end_ts"),
        ("market_tickers=A&end_ts=2&period_interval=1", "start_ts"),
        ("market_tickers=A&start_ts=1&end_ts=9000000000&period_interval=1", "end_ts"),
        ("start_ts=1&end_ts=2&period_interval=1", "market_tickers"),
    ],
)
def test_a_bad_range_is_refused_by_name(member: Member, query: str, name: str) -> None:
    """400 in the shape of query validation."""
    query = query.replace("=A&", f"={member.ticker}&")
    assert member.call("GET", f"/markets/candlesticks?{query}") == (
        400,
        {"msg": f"Parameter validation failed for {name}"},
    )


def test_an_event_has_metadata_for_its_markets(member: Member) -> None:
    """One detail for each market; an unknown event is 404."""
    event = member.ticker.rsplit("-", 1)[0]
    status, body = member.call("GET", f"/events/{event}/metadata")
    assert status == 200
    assert member.ticker in [row["market_ticker"] for row in body["market_details"]]
    assert body["image_url"]
    assert member.call("GET", "/events/KXNONE/metadata")[0] == 404


def test_a_period_without_trades_has_the_previous_close() -> None:
    """Minutes merge into an hour with the close of the hour before; the first one has none."""
    recorder = CandlestickRecorder({})
    recorder.markets["M"] = type("Market", (), {"open_interest": 5, "ticker": "M"})()
    for at, price in ((10.0, 4000), (70.0, 7000), (3_700.0, 5000)):
        recorder.on_event(TradeEvent("id", "M", price, 100, "bid", at))
    first, second = recorder.periods("M", 0, 7200, 60)
    assert (first.end, first.previous, first.price.high, first.volume) == (3600, None, 7000, 200)
    assert (second.end, second.previous, second.price.open, second.open_interest) == (7200, 7000, 5000, 5)
