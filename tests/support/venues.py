"""For tests of the bot's venues: a signed client of the simulated exchange, a live venue, and a recording listener."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

from bot.account_fills import AccountFills
from bot.clock import BotClock
from bot.strategy_types import Execution
from bot.venues.base import ExecutionListener
from bot.venues.live import LiveOptions, LiveVenue
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.transport import RetryingClient, Transport
from tests.support.simulator import Simulator


def client(session: aiohttp.ClientSession, simulator: Simulator, attempt: float = 1.0) -> KalshiClient:
    """With the simulator's Ed25519 key; one try may take `attempt` seconds."""
    signer = Signer.from_file("demo-ed25519", simulator.keys["demo-ed25519"])
    return KalshiClient(RetryingClient(Transport(session, simulator.url), signer, attempt=attempt, total=3.0))


def live_venue(
    reader: KalshiClient, listener: ExecutionListener, account: AccountFills, boot_id: str, **more: Any
) -> LiveVenue:
    """A venue under the prefix pi-bot-. more: clock, and fields of LiveOptions."""
    clock = more.pop("clock", None) or BotClock()
    return LiveVenue(reader, listener, account, LiveOptions("pi-bot-", boot_id, **more), clock)


async def quoted(reader: KalshiClient, simulator: Simulator) -> str:
    """The ticker of a market that stands at 45 to 55 cents."""
    markets = (await reader.markets({"status": "open", "limit": 1000})).rows
    ticker = next(market.ticker for market in markets if market.ticker.startswith("KXRAINNYC"))
    simulator.quote(ticker, "0.4500", "0.5500")
    return ticker


@dataclass
class RecordingListener:
    """An ExecutionListener that stores what a venue reported, in order."""

    fills: list[Execution] = field(default_factory=list)
    paid: list[tuple[str, Decimal]] = field(default_factory=list)

    def execution(self, execution: Execution) -> None:
        """Store a fill."""
        self.fills.append(execution)

    def settlement(self, ticker: str, value: Decimal) -> None:
        """Store a payout."""
        self.paid.append((ticker, value))
