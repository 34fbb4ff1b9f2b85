"""The exchange's client over the simulator in this process: real records and real models, no sockets, no waiting."""

import json
from types import SimpleNamespace
from typing import Any

from cache.decimal_json import loads
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from simulator.clock import VirtualClock
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import ExchangeOptions

START = 1_800_000_000.0


class InProcessCalls:
    """The part of the retrying client that KalshiClient uses."""

    signer = SimpleNamespace(key_id="in-process")

    def __init__(self, exchange: InProcessExchange) -> None:
        self.exchange = exchange

    async def request(self, method: str, path: str, params: Any = None, **_: Any) -> Any:
        """Return the body of a response, read from its text. Raises KalshiError for an error status."""
        answer = self.exchange.request(method, path, params)
        if answer.status >= 400:
            raise KalshiError(f"{method} {path}: HTTP {answer.status} {answer.body}")
        return loads(json.dumps(answer.body))


class SimulatedAccount:
    """A quiet exchange and what a test lets happen on it."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock(START)
        self.exchange = InProcessExchange(ExchangeOptions(quiet=True, tier="prestige", **options), self.clock)
        self.client = KalshiClient(InProcessCalls(self.exchange))  # type: ignore[arg-type]

    def admin(self, path: str, **body: Any) -> Any:
        """Use the control port; an error status fails the test."""
        answer = self.exchange.admin("POST", path, body)
        assert answer.status < 400, answer.body
        return answer.body

    def open_tickers(self) -> list[str]:
        """Markets that trade now and have no settlement floor."""
        rows = self.exchange.request("GET", "/markets", {"status": "open", "limit": 1000}).body["markets"]
        return [row["ticker"] for row in rows if row["settlement_bounds_type"] == "default"]
