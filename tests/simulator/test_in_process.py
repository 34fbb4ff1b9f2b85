"""The exchange in process: virtual clock, equal runs, other traders, speed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.admin.admin_api import HELP
from simulator.clock import VirtualClock
from simulator.events import ExchangeEvent, FillEvent, OrderEvent, TradeEvent
from simulator.faults import KINDS
from simulator.in_process import InProcessExchange
from simulator.liquidity import PROFILES
from simulator.simulated_exchange import ExchangeOptions
from tests.support.simulator import ROOT

ORDERS = "/portfolio/events/orders"
START = 1_800_000_000.0


def order(ticker: str, **changes: object) -> dict[str, object]:
    """Return a create body: a bid of 5 at 0.02, with changes."""
    return {
        "ticker": ticker,
        "side": "bid",
        "count": "5.00",
        "price": "0.0200",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "maker",
    } | changes


def exchange_of(**options: Any) -> InProcessExchange:
    """Return an exchange with options."""
    return InProcessExchange(ExchangeOptions(**({"tier": "prestige"} | options)), VirtualClock(START))


def trade_for_a_while(exchange: InProcessExchange) -> list[ExchangeEvent]:
    """Quote both sides of some markets for 75 seconds and return the fills and trades."""
    events: list[ExchangeEvent] = []
    exchange.subscribe(lambda event: events.append(event) if isinstance(event, FillEvent | TradeEvent) else None)
    tickers = [m["ticker"] for m in exchange.request("GET", "/markets", {"status": "open"}).body["markets"]][:5]
    for _ in range(15):
        exchange.request("DELETE", ORDERS)
        for ticker in tickers:
            market = exchange.request("GET", f"/markets/{ticker}").body["market"]
            bid, ask = Decimal(market["yes_bid_dollars"]), Decimal(market["yes_ask_dollars"])
            if 0 < bid < ask < 1:
                exchange.request("POST", ORDERS, body=order(ticker, price=f"{bid:.4f}"))
                exchange.request("POST", ORDERS, body=order(ticker, side="ask", price=f"{ask:.4f}"))
        exchange.advance(5.0)
    return events


@pytest.mark.parametrize("crowd", PROFILES)
def test_equal_options_and_calls_give_equal_runs(crowd: str) -> None:
    """Every fill and trade is equal, ids included; another seed gives other ones."""
    first, second, other = (trade_for_a_while(exchange_of(seed=seed, crowd=crowd)) for seed in (7, 7, 8))
    assert first == second != other
    assert any(isinstance(event, FillEvent) for event in first)


def test_orders_do_not_change_the_fair_prices() -> None:
    """Two strategies with one seed see the same path of every market."""
    idle, trading = exchange_of(seed=4), exchange_of(seed=4)
    idle.advance(75)
    trade_for_a_while(trading)
    idle_path, path = ([m.fair for m in x.exchange.engine.markets.values()] for x in (idle, trading))
    assert path == idle_path
    assert trading.exchange.member.positions


def test_the_clock_moves_by_advance_alone() -> None:
    """advance moves it by exactly the seconds, events carry their own times, and time never goes back."""
    exchange = exchange_of(seed=2)
    times: list[float] = []
    exchange.subscribe(lambda event: times.append(event.at) if isinstance(event, TradeEvent) else None)
    assert exchange.clock() == START
    exchange.advance(120.0)
    assert exchange.clock() == START + 120
    assert times == sorted(times)
    assert len(set(times)) > 50
    assert all(START < at <= START + 120 for at in times)


def test_an_order_expires_at_its_own_time() -> None:
    """Between two advances an order ends at its expiration_time, not at the end of the advance."""
    exchange = exchange_of(quiet=True)
    events: list[OrderEvent] = []
    exchange.subscribe(lambda event: events.append(event) if isinstance(event, OrderEvent) else None)
    ticker = exchange.request("GET", "/markets", {"status": "open"}).body["markets"][0]["ticker"]
    placed = exchange.request("POST", ORDERS, body=order(ticker, expiration_time=int(START) + 7))
    assert placed.status == 201
    exchange.advance(60)
    assert [(event.reason, event.at) for event in events] == [("", START), ("ExpiryCancel", START + 7)]


def test_admin_actions_and_faults_apply_in_process() -> None:
    """A deposit changes the balance, and a fault refuses an order."""
    exchange = exchange_of(quiet=True)
    before = Decimal(exchange.request("GET", "/portfolio/balance").body["balance_dollars"])
    assert exchange.admin("POST", "/deposit", {"amount_cents": 500}).status == 201
    assert Decimal(exchange.request("GET", "/portfolio/balance").body["balance_dollars"]) - before == 5
    exchange.admin("POST", "/faults", {"kind": "refuse", "reason": "scope", "path": f"*{ORDERS}"})
    assert exchange.request("POST", ORDERS, body=order("any")).status == 403


@pytest.mark.slow
def test_informed_traders_make_quoting_worse() -> None:
    """The mean profit of a contract bought or sold by resting quotes, marked a minute later, is lower when toxic."""
    marks = {crowd: sum(_markout(crowd, seed) for seed in range(4)) / 4 for crowd in ("stock", "toxic")}
    assert marks["toxic"] < marks["stock"] - 0.005


def _markout(crowd: str, seed: int) -> float:
    exchange = exchange_of(seed=seed, crowd=crowd)
    fills: list[FillEvent] = []
    exchange.subscribe(lambda event: fills.append(event) if isinstance(event, FillEvent) else None)
    tickers = [m["ticker"] for m in exchange.request("GET", "/markets", {"status": "open"}).body["markets"]][:10]
    profit = count = 0
    for _ in range(40):
        exchange.request("DELETE", ORDERS)
        for ticker in tickers:
            market = exchange.request("GET", f"/markets/{ticker}").body["market"]
            bid, ask = Decimal(market["yes_bid_dollars"]), Decimal(market["yes_ask_dollars"])
            if market["status"] == "active" and 0 < bid < ask < 1:
                exchange.request("POST", ORDERS, body=order(ticker, price=f"{bid:.4f}", count="20"))
                exchange.request("POST", ORDERS, body=order(ticker, side="ask", price=f"{ask:.4f}", count="20"))
        fills.clear()
        exchange.advance(15.0)
        done = list(fills)
        exchange.advance(45.0)
        for fill in done:
            fair = exchange.exchange.engine.markets[fill.ticker].fair
            profit += (fair - fill.price if fill.side == "bid" else fill.price - fair) * fill.count
            count += fill.count
    return profit / count / 10_000 if count else 0.0


def test_the_page_names_every_fault_action_and_crowd() -> None:
    """docs/simulator.md has each kind of fault, each action of the control port and each profile of traders."""
    page = Path(ROOT, "docs", "simulator.md").read_text()
    actions = [name.removeprefix("POST /") for name in HELP if name.startswith("POST /")]
    missing = [name for name in [*KINDS, *actions, *PROFILES] if f"`{name}`" not in page and f"/{name}" not in page]
    assert missing == []
