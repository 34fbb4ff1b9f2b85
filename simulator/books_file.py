"""The exchange's books in a file: every command and every step of time, so that a killed exchange comes back as it was.

Equal commands at equal times give equal books, ids included, so a start carries out the file's lines again. A line is
written before its command is carried out: what a client was told stands in the file.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from multidict import MultiDict

from simulator.admin.admin_api import AdminApi
from simulator.api.rest_api import RestApi
from simulator.api.routing import ApiRequest
from simulator.clock import VirtualClock
from simulator.errors import ApiError
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange


class BooksFile:
    """The lines of one file, and the exchange's clock, which moves with them. now: Unix seconds.

    Raises ValueError where the file holds the books of an exchange with other options.
    """

    def __init__(self, path: Path, options: ExchangeOptions, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._file = path.open("a+b", buffering=0)
        self._file.seek(0)
        *complete, torn = self._file.read().split(b"\n")
        self._file.truncate(self._file.tell() - len(torn))  # a line that the kill cut off was not carried out
        self._lines: list[Any] = [json.loads(line) for line in complete]
        wanted = json.loads(json.dumps(asdict(options)))
        if not self._lines:
            self._lines = [[now(), wanted]]
            self._write(self._lines[0])
        elif self._lines[0][1] != wanted:
            self._file.close()
            raise ValueError(f"{path}: the books of an exchange with other settings: {self._lines[0][1]}")
        self.clock = VirtualClock(self._lines[0][0])

    def replay(self, exchange: SimulatedExchange, rest: RestApi, admin: AdminApi) -> None:
        """Carry out every line on a new exchange, then remove its faults: they end with the process."""
        for at, kind, *parts in self._lines[1:]:
            self.clock.move_to(at)
            if kind == "act":
                exchange.act()
                continue
            method, path, query, body = parts
            request = ApiRequest(method, path, MultiDict(query), body.encode())
            with suppress(ApiError):
                rest.carry_out(request) if kind == "rest" else admin.carry_out(request)
        self._lines = []
        exchange.faults.clear()

    def step(self, exchange: SimulatedExchange) -> None:
        """Let time pass up to now; what is due happens."""
        self.clock.move_to(self._now())
        if exchange.next_due <= self.clock.now:
            self._write([self.clock.now, "act"])
            exchange.act()

    def record_rest(self, request: ApiRequest) -> None:
        """Write a request of a member that is about to be carried out."""
        self._record("rest", request)

    def record_admin(self, request: ApiRequest) -> None:
        """Write a request of the control port that is about to be carried out."""
        self._record("admin", request)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _record(self, kind: str, request: ApiRequest) -> None:
        self.clock.move_to(self._now())
        query, body = list(request.query.items()), request.body.decode("utf-8", "replace")
        self._write([self.clock.now, kind, request.method, request.path, query, body])

    def _write(self, line: list[Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
