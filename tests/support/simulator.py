"""The simulated exchange as a process for tests, on free ports, with its keys and its control port."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator. url: of REST, with /trade-api/v2. keys: key id -> PEM file (demo-rsa, demo-ed25519)."""

    url: str
    ws_url: str
    keys: dict[str, Path]
    control_url: str
    token: str
    pid: int

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the control port, which describes itself at GET /, and return the JSON value."""
        request = urllib.request.Request(
            self.control_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.loads(response.read() or b"null")

    def fault(self, kind: str, **options: object) -> int:
        """Activate a fault and return its id."""
        return int(self.control("POST", "/faults", {"kind": kind} | options)["id"])

    def clear(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "/faults")

    def quote(self, ticker: str, bid: str, ask: str, count: str = "1000.00") -> None:
        """Make the simulated traders quote a market (for quiet markets)."""
        self.control("POST", "/quote", {"ticker": ticker, "bid": bid, "ask": ask, "count": count})

    def fill(self, ticker: str, side: str, count: str, price: str) -> Any:
        """Execute a trade of the account outside the bot."""
        return self.control("POST", "/fill", {"ticker": ticker, "side": side, "count": count, "price": price})

    def ledger(self) -> Any:
        """Return the true account: start_dollars, cash_dollars, positions, fills, orders, settlements."""
        return self.control("GET", "/ledger")


@contextmanager
def running_simulator(folder: Path, *flags: str, quiet: bool = True, before: Sequence[str] = ()) -> Iterator[Simulator]:
    """Run a simulator for the block; keys lie in folder. quiet: no other traders and no schedule.

    before: words of a command that runs it, such as one that enters another network.
    """
    command = [*before, sys.executable, "-m", "simulator", "--port", "0", "--keys", str(folder), *flags]
    process = subprocess.Popen(command + ["--quiet-markets"] * quiet, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        keys = {key["id"]: Path(key["path"]) for key in first["keys"]}
        control = first["faults"]
        yield Simulator(first["url"], first["ws_url"], keys, control["url"], control["token"], process.pid)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
