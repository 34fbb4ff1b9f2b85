"""An honest reader and an honest REST client, on a network of their own, that are timed during an attack."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from statistics import quantiles

HONEST = "127.0.9.1"  # a loopback address of another network than the attackers'


@dataclass(frozen=True, slots=True)
class Target:
    """A service to attack: its port, the Host that it is called by, the API token, and connections to leave idle."""

    name: str
    port: int
    host: str
    token: str
    idle: int = 2000

    def head(self, path: str, method: str = "GET", *more: str) -> bytes:
        """Return the head of a request with the token."""
        lines = [f"{method} /api/python{path} HTTP/1.1", f"Host: {self.host}", f"Authorization: Bearer {self.token}"]
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")

    async def connect(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection from one of our own addresses."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))


@dataclass(slots=True)
class HonestClient:
    """Reads /sse/trades and asks for /portfolio/trades/live, and records the seconds that both take."""

    target: Target
    made: dict[str, float] = field(default_factory=dict)  # by trade_id: when the bot had it
    delays: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def read_stream(self) -> None:
        """Read the stream until cancelled; connect again when it ends, as a browser does."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await self.target.connect(HONEST)
                try:
                    writer.write(self.target.head("/sse/trades"))
                    while line := await reader.readline():
                        if line.startswith(b"data: ") and b'"trades"' in line:
                            self._record(json.loads(line[6:])["trades"])
                finally:
                    writer.close()
            await asyncio.sleep(0.2)

    def _record(self, trades: list[dict[str, str]]) -> None:
        for trade in trades:
            if trade["trade_id"] in self.made:
                self.delays.append(time.monotonic() - self.made.pop(trade["trade_id"]))

    async def ask(self) -> None:
        """Ask every 50 ms, each time on a connection of its own, until cancelled."""
        while True:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(5):
                    reader, writer = await self.target.connect(HONEST)
                    writer.write(self.target.head("/portfolio/trades/live?limit=5", "GET", "Connection: close"))
                    status = (await reader.read()).split(b" ", 2)[1:2]
                    writer.close()
                if status != [b"200"]:
                    self.failures.append(f"REST answered {status}")
                self.rest.append(time.monotonic() - begun)
            except (OSError, TimeoutError) as error:
                self.failures.append(f"REST: {type(error).__name__}")
            await asyncio.sleep(0.05)

    def result(self, judged: bool) -> tuple[str, str]:
        """Return the figures, and what did not hold. judged: the times count."""
        worst = max(self.delays, default=0.0)
        p99 = quantiles(self.rest, n=100)[-1] if len(self.rest) > 1 else 0.0
        trades = f"trades within {worst * 1000:4.0f} ms" if self.delays else "no trades"
        text = f"{trades}, REST p99 {p99 * 1000:4.0f} ms"
        lost = sum(time.monotonic() - made > 1 for made in self.made.values())
        found = [f"{lost} trades late"] * bool(lost and judged) + sorted(set(self.failures))
        if judged:
            found += ["a trade took more than 1 s"] * (worst > 1) + ["REST p99 over 100 ms"] * (p99 > 0.1)
        return text, ", ".join(found)
