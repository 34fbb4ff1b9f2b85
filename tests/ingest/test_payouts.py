"""Payouts of the account's markets, from the exchange's socket to the journal of a running server."""

from pathlib import Path
from typing import Any

from tests.support.eventually import until
from tests.support.server import Server, running_server
from tests.support.simulator import Simulator, running_simulator

WITHIN = 8.0  # seconds; without the push the next reading is 10 s away


def _settings(exchange: Simulator) -> dict[str, str]:
    keys = {"KALSHI_API_KEY": "demo-ed25519", "KALSHI_RSA_KEY_PATH": str(exchange.keys["demo-ed25519"])}
    nobody = {"BOT_STATUS_ENDPOINT": "http://127.0.0.1:9/status", "BOT_TRADES_ENDPOINT": "http://127.0.0.1:9/trades"}
    return {"KALSHI_API_URL": exchange.url, **keys, **nobody}


def _part(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/health").json()["parts"][name]
    return found


def _tickers(server: Server, kind: str) -> list[str]:
    entries = server.get("/portfolio/trades/history?after=0&limit=100").json()["entries"]
    return [entry["ticker"] for entry in entries if entry["kind"] == kind]


def test_a_payout_is_in_the_journal_at_once(tmp_path: Path) -> None:
    """A market of the account settles: its settlement follows the frame of the socket, not the next reading."""
    with running_simulator(tmp_path / "keys") as exchange, running_server(tmp_path, **_settings(exchange)) as server:
        until(lambda: _part(server, "push")["state"] == "ok" and _part(server, "healer").get("sweeps"), 20)
        ours, other = exchange.ledger()["markets"][:2]
        exchange.fill(ours, "bid", "3.00", "0.40")
        until(lambda: server.get("/portfolio/summary").json()["lifetime"]["trades"] == 1, 20)
        for ticker in (other, ours):
            exchange.control("POST", "/settle", {"ticker": ticker, "result": "yes"})
        until(lambda: _tickers(server, "settlement") == [ours], WITHIN)
        assert _part(server, "push")["payouts"] == 1  # the market of others woke nothing
