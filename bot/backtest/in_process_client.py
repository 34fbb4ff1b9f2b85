"""The exchange's client for a simulated exchange in the same process: no sockets, no signatures, no waiting."""

import json
from typing import Any, cast

from cache.decimal_json import loads
from kalshi.client import KalshiClient
from kalshi.rate_limits import Lane
from kalshi.transport import Params, RetryingClient, refusal
from simulator.in_process import InProcessExchange


class InProcessCalls:
    """Stands in for RetryingClient: every request is answered at once, and nothing is retried."""

    signer = None

    def __init__(self, exchange: InProcessExchange) -> None:
        self._exchange = exchange

    async def request(
        self, method: str, path: str, params: Params | None = None, json: Any = None, lane: Lane = "own",
        total: float | None = None, retry: bool = True,
    ) -> Any:  # fmt: skip
        """Return the JSON value of the answer. Raises KalshiError for an error status."""
        response = self._exchange.request(method, path, params, json)
        if response.status >= 400:
            raise refusal(f"{method} {path}", response.status, _text(response.body).encode())
        # only the fees of a series and strikes are numbers with a fraction
        return loads(_text(response.body)) if path.startswith(("/series", "/events")) else response.body


def in_process_client(exchange: InProcessExchange) -> KalshiClient:
    """Return a client of the exchange in this process."""
    return KalshiClient(cast(RetryingClient, InProcessCalls(exchange)))


def _text(value: Any) -> str:
    return json.dumps(value)
