"""What happens to a market because the control port says so, and what it refuses."""

import urllib.error

import pytest

from tests.simulator.conftest import Desk


def status(desk: Desk, ticker: str) -> str:
    """The market's, as the exchange tells it."""
    found: str = desk.call("GET", f"/markets/{ticker}")[1]["market"]["status"]
    return found


def spare(desk: Desk) -> str:
    """An active market that no other test uses."""
    found: str = next(ticker for ticker in reversed(desk.simulator.ledger()["markets"]) if ticker != desk.ticker)
    return found


def test_a_market_is_paused_and_goes_on(desk: Desk) -> None:
    """While it is paused no order is taken."""
    ticker = spare(desk)
    assert desk.simulator.control("POST", "/halt", {"ticker": ticker}) == {"ticker": ticker, "status": "inactive"}
    assert status(desk, ticker) == "inactive"
    refused, body = desk.place(ticker=ticker)
    assert (refused, body["error"]["code"]) == (400, "MARKET_INACTIVE")
    assert desk.simulator.control("POST", "/resume", {"ticker": ticker})["status"] == "active"
    assert desk.place(ticker=ticker)[0] == 201


def test_a_market_ends_once(desk: Desk) -> None:
    """Closed, it takes nothing; paid out, it cannot be paid out again, nor for more than a dollar before."""
    ticker = spare(desk)
    assert desk.simulator.control("POST", "/close", {"ticker": ticker})["status"] == "closed"
    assert status(desk, ticker) == "closed"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        desk.simulator.control("POST", "/settle", {"ticker": ticker, "result": "scalar", "value": "1.5000"})
    assert desk.simulator.control("POST", "/settle", {"ticker": ticker, "result": "no"})["result"] == "no"
    assert status(desk, ticker) == "finalized"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        desk.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})


@pytest.mark.parametrize("deed", ["halt", "resume", "close", "settle"])
def test_a_market_that_is_not_there(desk: Desk, deed: str) -> None:
    """404, whatever was asked for it."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        desk.simulator.control("POST", f"/{deed}", {"ticker": "KXNOTHING-1", "result": "yes"})
