"""A simulated exchange with keys, for what is measured from its answers and its pushes."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import HERE


@dataclass(frozen=True)
class Exchange:
    """environment: what makes a server use it. control: where it is told what to do, and the token for that."""

    environment: dict[str, str]
    control: str
    token: str
    ticker: str

    def fill(self) -> str:
        """The account buys a contract; the fill's id."""
        body = json.dumps({"ticker": self.ticker, "side": "bid", "count": "1.00", "price": "0.5200"}).encode()
        head = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.control}/fill", body, head, method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(json.load(answer)["fill_id"])


@contextlib.contextmanager
def exchange(folder: Path) -> Iterator[Exchange]:
    """Run it for the block, without a bot."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--keys", str(folder / "keys"), "--quiet-markets"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parent) as process:
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            key, control = facts["keys"][0], facts["faults"]
            with urllib.request.urlopen(f"{facts['url']}/markets?status=open&limit=1", timeout=5) as answer:
                ticker = json.load(answer)["markets"][0]["ticker"]
            environment = {
                "KALSHI_API_URL": facts["url"],
                "KALSHI_API_KEY": key["id"],
                "KALSHI_RSA_KEY_PATH": key["path"],
                "JOURNAL_URL": f"sqlite:///{folder}/journal.db",
                "BOT_STATUS_ENDPOINT": "http://127.0.0.1:9/status",
                "BOT_TRADES_ENDPOINT": "http://127.0.0.1:9/trades",
                "LOG_LEVEL": "ERROR",
                "APP_ENV": "production",
            }
            yield Exchange(environment, control["url"], control["token"], ticker)
        finally:
            process.terminate()
