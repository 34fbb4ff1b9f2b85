"""A signed client of the simulated exchange."""

import aiohttp

from kalshi.auth import Signer
from kalshi.calls import Calls
from kalshi.client import KalshiClient
from kalshi.wire import Wire
from tests.support.simulator import Simulator


def client(session: aiohttp.ClientSession, simulator: Simulator, attempt: float = 1.0) -> KalshiClient:
    """With the simulator's Ed25519 key; one try may take `attempt` seconds."""
    signer = Signer.from_file("demo-ed25519", simulator.keys["demo-ed25519"])
    return KalshiClient(Calls(Wire(session, simulator.url), signer, attempt=attempt, total=3.0))
