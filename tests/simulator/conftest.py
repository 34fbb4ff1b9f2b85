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
class Desk:
    """The simulator, a signed caller, and one open market that is quoted 40-45."""

    simulator: Simulator
    call: Signed
    ticker: str
    markets: list[str] = field(default_factory=list)

    def order(self, **changes: object) -> dict[str, object]:
        """A create body: a bid far from the market, with changes; None leaves a member out."""
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
        """Send it; (status, body)."""
        return self.call("POST", "/portfolio/events/orders", self.order(**changes))

    def fills(self) -> Any:
        """Newest first."""
        return self.call("GET", "/portfolio/fills")[1]["fills"]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The process."""
    with running_simulator(tmp_path_factory.mktemp("keys"), "--tier", "prestige") as simulator:
        yield simulator


@pytest.fixture
def desk(process: Simulator) -> Desk:
    """A clean start on the module's process; the ledger grows from test to test."""
    process.clear()
    call = Signed(process.url, "demo-ed25519", process.keys["demo-ed25519"])
    process.control("POST", "/tier", {"tier": "prestige"})
    process.control("POST", "/cutoff", {"seconds": 14 * 86_400})
    assert call("DELETE", "/portfolio/events/orders")[0] == 204
    markets = process.ledger()["markets"]
    process.quote(markets[-1], "0.4000", "0.4500")
    return Desk(process, call, markets[-1], markets)
