"""Answers while the exchange is wrong or slow."""

import time
from pathlib import Path

import pytest

from tests.support.server import running_server
from tests.support.simulator import running_simulator


@pytest.mark.slow
def test_a_failed_read_is_reported_and_a_slow_one_delays_nothing(tmp_path: Path) -> None:
    """A renamed field shows in health while the exchange is up; a part that hangs leaves the summary's rest alone."""
    with running_simulator(tmp_path / "keys") as exchange:
        account = {
            "KALSHI_API_URL": exchange.url,
            "KALSHI_API_KEY": "demo-rsa",
            "KALSHI_RSA_KEY_PATH": str(exchange.keys["demo-rsa"]),
        }
        with running_server(tmp_path, **account) as server:
            exchange.fault(kind="field", op="rename", field="balance_dollars", to="cash", path="*/portfolio/balance")
            refused = server.get("/portfolio/balance")
            assert refused.status_code == 502
            assert "balance_dollars" in refused.json()["detail"]
            kalshi = server.get("/health").json()["parts"]["kalshi"]
            assert kalshi["state"] == "degraded"
            assert "balance_dollars" in kalshi["reason"]
            exchange.fault(kind="latency", seconds=30, path="*/portfolio/positions")
            begun = time.monotonic()
            summary = server.get("/portfolio/summary").json()
            assert time.monotonic() - begun < 7
            assert summary["positions"]["error"]["status"] == 503
            assert summary["trades"]["count"] == 0


def test_a_400_of_the_exchange_is_a_400(tmp_path: Path) -> None:
    """Also for parameters that passed our own checks."""
    with (
        running_simulator(tmp_path / "keys") as exchange,
        running_server(tmp_path, KALSHI_API_URL=exchange.url) as server,
    ):
        exchange.fault(kind="error", status=400, path="*/markets")
        answer = server.get("/markets/?cursor=abc")
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
        assert "HTTP 400" in answer.json()["detail"]
        exchange.clear()
        named = server.get("/markets/?limit=2").json()["markets"]
        tickers = ",".join(market["ticker"] for market in named)
        assert {market["ticker"] for market in server.get(f"/markets/?tickers={tickers}").json()["markets"]} == set(
            tickers.split(",")
        )
