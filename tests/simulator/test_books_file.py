"""The exchange's books in a file: killed at any moment, it comes back with equal orders, fills, payouts and ids."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from multidict import MultiDict

from simulator.admin.admin_api import AdminApi
from simulator.api.rest_api import PREFIX, RestApi
from simulator.api.routing import ApiRequest
from simulator.books_file import BooksFile
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange
from tests.support.simulator import running_simulator

OPTIONS = ExchangeOptions(seed=4, crowd="toxic", tier="prestige", fixed_ids=True)
ORDERS = "/portfolio/events/orders"


class RecordedExchange:
    """An exchange whose commands and steps are recorded, as the process runs it."""

    def __init__(self, path: Path, now: float, options: ExchangeOptions = OPTIONS) -> None:
        self.now = now
        self.books = BooksFile(path, options, lambda: self.now)
        self.exchange = SimulatedExchange(options, self.books.clock)
        self.rest = RestApi(self.exchange, None, self.books.record_rest)
        self.admin = AdminApi(self.exchange, None, lambda: None, self.books.record_admin)
        self.books.replay(self.exchange, self.rest, self.admin)

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Send a member's request and return the body of the response."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.rest.handle(ApiRequest(method, PREFIX + path, MultiDict(query), content)).body

    def control(self, path: str, **body: Any) -> Any:
        """Send a request to the control port."""
        return self.admin.handle(ApiRequest("POST", path, body=json.dumps(body).encode())).body

    def everything(self) -> list[Any]:
        """The account, every market, and the books of those that trade."""
        tickers = [ticker for ticker, market in self.exchange.engine.markets.items() if market.status == "active"]
        books = [self.send("GET", f"/markets/{ticker}/orderbook") for ticker in tickers]
        ledger = self.admin.handle(ApiRequest("GET", "/ledger")).body
        return [ledger, self.send("GET", "/markets", limit="1000"), books, self.send("GET", "/portfolio/balance")]

    def act(self, rng: Random, number: int) -> None:
        """Let some time pass, then send a random command."""
        self.now += rng.random()
        self.books.step(self.exchange)
        active = [ticker for ticker, market in self.exchange.engine.markets.items() if market.status == "active"]
        ticker, resting = rng.choice(active), [order.order_id for order in self.exchange.engine.resting()]
        choice = rng.random()
        if choice < 0.6:
            self.send("POST", ORDERS, {
                "ticker": ticker, "side": rng.choice(["bid", "ask"]), "price": f"0.{rng.randint(20, 80)}00",
                "count": f"{rng.randint(1, 900) / 100:.2f}", "time_in_force": "good_till_canceled",
                "self_trade_prevention_type": "taker_at_cross", "client_order_id": f"c{number}",
                **({"expiration_time": int(self.now) + 5} if rng.random() < 0.3 else {}),
            })  # fmt: skip
        elif choice < 0.8 and resting:
            self.send("DELETE", f"{ORDERS}/{rng.choice(resting)}", exchange_index="-1")
        elif choice < 0.9:
            self.control("/fill", ticker=ticker, side="bid", count="1.50")
        elif choice < 0.93:
            self.control("/settle", ticker=ticker, result=rng.choice(["yes", "no", "void"]))
        elif choice < 0.96:
            self.control("/deposit", amount_cents=rng.randint(1, 900))
        else:
            self.control("/faults", kind=rng.choice(["trading_pause", "error"]), times=1)
            self.admin.handle(ApiRequest("DELETE", "/faults"))


@pytest.fixture
def opened() -> Iterator[list[RecordedExchange]]:
    """Exchanges whose files are closed in the end."""
    found: list[RecordedExchange] = []
    yield found
    for each in found:
        each.books.close()


@pytest.mark.parametrize("length", [0, 1, 40, 250])
def test_an_exchange_comes_back_as_it_was_and_goes_on(
    length: int, tmp_path: Path, opened: list[RecordedExchange]
) -> None:
    """Cash, positions, orders, fills, payouts, other traders and every id; both then make equal ids."""
    first = RecordedExchange(tmp_path / "books", 1_800_000_000.25)
    rng = Random(length)
    for number in range(length):
        first.act(rng, number)
    second = RecordedExchange(tmp_path / "books", first.now)
    opened += [first, second]
    assert second.everything() == first.everything()
    made = [each.control("/fill", ticker=each.send("GET", "/markets", status="open")["markets"][0]["ticker"],
                         side="bid", count="1.00") for each in (first, second)]  # fmt: skip
    assert made[0] == made[1]
    assert length < 250 or (first.exchange.ledger.fills and first.exchange.ledger.settlements)


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, opened: list[RecordedExchange]) -> None:
    """Its command was not carried out; the next line stands by itself."""
    path = tmp_path / "books"
    first = RecordedExchange(path, 1_800_000_000.0)
    first.control("/deposit", amount_cents=500)
    before = first.everything()
    with path.open("ab") as file:
        file.write(b'[1800000001.0,"admin","POST","/dep')
    second = RecordedExchange(path, first.now)
    assert second.everything() == before
    second.control("/deposit", amount_cents=700)
    third = RecordedExchange(path, first.now)
    opened += [first, second, third]
    assert third.everything() == second.everything() != before


def test_books_of_other_settings_are_refused(tmp_path: Path, opened: list[RecordedExchange]) -> None:
    """Another seed has other markets."""
    opened.append(RecordedExchange(tmp_path / "books", 1_800_000_000.0))
    with pytest.raises(ValueError, match="the books of an exchange with other settings"):
        RecordedExchange(tmp_path / "books", 1_800_000_000.0, ExchangeOptions(seed=5, fixed_ids=True))


def test_a_killed_process_has_lost_nothing(tmp_path: Path) -> None:
    """After kill -9, a process on the same file has the fills, deposits and cash that were confirmed."""
    flags = ["--books", str(tmp_path / "books"), "--seed", "3"]
    with running_simulator(tmp_path, *flags) as simulator:
        ticker = simulator.ledger()["markets"][0]
        made = [simulator.fill(ticker, "bid", f"{number}.00", "0.4500")["fill_id"] for number in range(1, 6)]
        simulator.control("POST", "/deposit", {"amount_cents": 1234})
        before = simulator.ledger()
        os.kill(simulator.pid, signal.SIGKILL)
    with running_simulator(tmp_path, *flags) as simulator:
        assert simulator.ledger() == before
        assert [row["fill_id"] for row in before["fills"]] == made
