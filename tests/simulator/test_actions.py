"""What happens to a market because the control port says so, and what it refuses."""

import urllib.error

import pytest

from tests.simulator.conftest import Member


def status(member: Member, ticker: str) -> str:
    """The market's, as the exchange tells it."""
    found: str = member.call("GET", f"/markets/{ticker}")[1]["market"]["status"]
    return found


def spare(member: Member) -> str:
    """An active market that no other test uses."""
    found: str = next(ticker for ticker in reversed(member.simulator.ledger()["markets"]) if ticker != member.ticker)
    return found


def test_a_market_is_paused_and_goes_on(member: Member) -> None:
    """While it is paused no order is taken."""
    ticker = spare(member)
    assert member.simulator.control("POST", "/halt", {"ticker": ticker}) == {"ticker": ticker, "status": "inactive"}
    assert status(member, ticker) == "inactive"
    refused, body = member.place(ticker=ticker)
    assert (refused, body["error"]["code"]) == (400, "MARKET_INACTIVE")
    assert member.simulator.control("POST", "/resume", {"ticker": ticker})["status"] == "active"
    assert member.place(ticker=ticker)[0] == 201


def test_a_market_ends_once(member: Member) -> None:
    """Closed, it takes nothing; paid out, it cannot be paid out again, nor for more than a dollar before."""
    ticker = spare(member)
    assert member.simulator.control("POST", "/close", {"ticker": ticker})["status"] == "closed"
    assert status(member, ticker) == "closed"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "scalar", "value": "1.5000"})
    assert member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "no"})["result"] == "no"
    assert status(member, ticker) == "finalized"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})


@pytest.mark.parametrize("deed", ["halt", "resume", "close", "settle"])
def test_a_market_that_is_not_there(member: Member, deed: str) -> None:
    """404, whatever was asked for it."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        member.simulator.control("POST", f"/{deed}", {"ticker": "KXNOTHING-1", "result": "yes"})
