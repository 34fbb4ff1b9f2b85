"""The exchange inside the calling process: no sockets, no signatures, and a clock that the caller moves.

    clock = VirtualClock(1_800_000_000.0)
    exchange = InProcessExchange(ExchangeOptions(seed=3, crowd="toxic", pace=0.1, tier="prestige"), clock)
    exchange.subscribe(print)                                  # fills, orders, positions … as they happen
    response = exchange.request("GET", "/markets", {"status": "open"})
    response = exchange.request("POST", "/portfolio/events/orders", body={"ticker": …})
    exchange.advance(5.0)                                      # other traders and the schedule act in between
    exchange.admin("POST", "/deposit", {"amount_cents": 500})

Two runs with equal options, start time and calls give equal results, ids included.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from multidict import MultiDict

from simulator.admin.admin_api import AdminApi
from simulator.api.rest_api import PREFIX, RestApi
from simulator.api.routing import ApiRequest, ApiResponse
from simulator.clock import VirtualClock
from simulator.events import EventListener
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange


class InProcessExchange:
    """A simulated exchange with a virtual clock."""

    def __init__(self, options: ExchangeOptions, clock: VirtualClock) -> None:
        self.clock = clock
        self.exchange = SimulatedExchange(replace(options, fixed_ids=True), clock)
        self._api = RestApi(self.exchange)
        self._admin = AdminApi(self.exchange, None, lambda: None)

    def request(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: Any = None
    ) -> ApiResponse:
        """Return the response to a REST request; path: after /trade-api/v2. Faults other than delays apply."""
        return self._api.handle(_request(method, PREFIX + path, query, body))

    def admin(self, method: str, path: str, body: Any = None) -> ApiResponse:
        """Return the response of the control port."""
        return self._admin.handle(_request(method, path, None, body))

    def subscribe(self, listener: EventListener) -> None:
        """Call the listener with every event of simulator.events, at the moment it happens."""
        self.exchange.engine.listeners.append(listener)

    def advance(self, seconds: float) -> None:
        """Move the clock; everything that is due meanwhile happens at its own time, in order."""
        exchange, end = self.exchange, self.clock.now + seconds
        while (due := exchange.next_due) <= end:
            self.clock.move_to(due)
            exchange.act()
        self.clock.move_to(end)


def _request(method: str, path: str, query: Mapping[str, str | int] | None, body: Any) -> ApiRequest:
    parameters = MultiDict((name, str(value)) for name, value in (query or {}).items())
    return ApiRequest(method, path, parameters, b"" if body is None else json.dumps(body).encode())
