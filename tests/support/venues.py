"""For tests of the bot's venues: a signed client of the simulated exchange, and a Report that remembers."""

from dataclasses import dataclass, field
from decimal import Decimal

import aiohttp

from bot.strategy_types import Execution
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.retrying_client import RetryingClient
from kalshi.transport import Transport
from tests.support.simulator import Simulator


def client(session: aiohttp.ClientSession, simulator: Simulator, attempt: float = 1.0) -> KalshiClient:
    """With the simulator's Ed25519 key; one try may take `attempt` seconds."""
    signer = Signer.from_file("demo-ed25519", simulator.keys["demo-ed25519"])
    return KalshiClient(RetryingClient(Transport(session, simulator.url), signer, attempt=attempt, total=3.0))


async def quoted(reader: KalshiClient, simulator: Simulator) -> str:
    """The ticker of a market that stands at 45 to 55 cents."""
    markets = (await reader.markets({"status": "open", "limit": 1000})).rows
    ticker = next(market.ticker for market in markets if market.ticker.startswith("KXRAINNYC"))
    simulator.quote(ticker, "0.4500", "0.5500")
    return ticker


@dataclass
class Told:
    """What a venue reported, in order."""

    fills: list[Execution] = field(default_factory=list)
    paid: list[tuple[str, Decimal]] = field(default_factory=list)

    def execution(self, execution: Execution) -> None:
        """As bot.venues.base.Report."""
        self.fills.append(execution)

    def settlement(self, ticker: str, value: Decimal) -> None:
        """As bot.venues.base.Report."""
        self.paid.append((ticker, value))
