"""One quiet simulator for the tests of a module, cleared of faults and orders before each test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from tests.support.signed import Signed
from tests.support.simulator import Simulator, running_simulator

numbers = count(1)


@dataclass
class Member:
    """A simulator process, its signed member, and one open market that is quoted 40-45."""

    simulator: Simulator
    call: Signed
    ticker: str
    markets: list[str] = field(default_factory=list)

    def order(self, **changes: object) -> dict[str, object]:
        """Return a create body: a bid far from the market, with changes; None leaves a member out."""
        body: dict[str, object] = {
            "ticker": self.ticker,
            "side": "bid",
            "count": "5.00",
            "price": "0.0200",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": f"test-{next(numbers)}",
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def place(self, **changes: object) -> Any:
        """Place an order and return (status, body)."""
        return self.call("POST", "/portfolio/events/orders", self.order(**changes))

    def fills(self) -> Any:
        """Return the fills, newest first."""
        return self.call("GET", "/portfolio/fills")[1]["fills"]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One quiet simulator process for the module."""
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prestige") as simulator:
        yield simulator


@pytest.fixture
def member(process: Simulator) -> Member:
    """Return the member of the module's process without faults and orders; fills and positions stay."""
    process.clear()
    call = Signed(process.url, "demo-ed25519", process.keys["demo-ed25519"])
    process.control("POST", "/tier", {"tier": "prestige"})
    process.control("POST", "/cutoff", {"seconds": 14 * 86_400})
    assert call("DELETE", "/portfolio/events/orders")[0] == 204
    markets = process.ledger()["markets"]
    process.quote(markets[-1], "0.4000", "0.4500")
    return Member(process, call, markets[-1], markets)
