"""One server with everything around it, for the tests that only read: a quiet exchange with a few fills, and a bot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.fakebot import FakeBot
from tests.support.server import Server, running_server
from tests.support.simulator import Simulator, running_simulator


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulated exchange on which the account has traded."""
    with running_simulator(tmp_path_factory.mktemp("exchange")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def traded(exchange: Simulator) -> str:
    """A ticker in which the account holds three contracts."""
    found = requests.get(f"{exchange.url}/markets", params={"status": "open", "limit": "1"}, timeout=5).json()
    ticker = str(found["markets"][0]["ticker"])
    exchange.quote(ticker, "0.5000", "0.5200")
    exchange.fill(ticker, "bid", "3.00", "0.5200")
    return ticker


@pytest.fixture(scope="session")
def server(exchange: Simulator, traded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with keys, a bot of three trades and a journal of its own."""
    folder: Path = tmp_path_factory.mktemp("server")
    with (
        FakeBot("demo", trades=3) as bot,
        running_server(
            folder,
            KALSHI_API_URL=exchange.url,
            KALSHI_API_KEY="demo-rsa",
            KALSHI_RSA_KEY_PATH=str(exchange.keys["demo-rsa"]),
            CORS_ORIGINS="https://app.example.com",
            **bot.settings,
        ) as running,
    ):
        yield running
