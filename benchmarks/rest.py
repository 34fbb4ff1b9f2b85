"""Cached answers a second, and their slowest at half load, beside FastAPI with a model and a bare Starlette Response.

Interleaved rounds, server and client (wrk) on a core each, medians and ratios of the same round. Half load is half of
the rate that bare Starlette reached at most in the round, on as many connections, each of which waits a random time
between two requests.
"""

import argparse
import contextlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.exchange import exchange
from benchmarks.machine import CLIENT_CORE, HERE, Process, description, wait_for
from commands.ports import free_port

RATE_GOALS = {"fastapi": 1.9, "starlette": 0.9}  # ours is at least so many times theirs
P99_GOALS = {"starlette": 1.2}  # ours is at most so many times theirs, at half load
PATH = "/api/python/portfolio/balance"
CONNECTIONS = 32
PAUSES = "function delay() return math.random(0, tonumber(os.getenv('PAUSE'))) end"  # milliseconds, for wrk


def main() -> int:
    """Print the table and keep the figures; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("the client is wrk: apt-get install wrk")
        return 2
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        pauses = Path(folder) / "pauses.lua"
        pauses.write_text(PAUSES)
        servers = {name: stack.enter_context(serving(name, Path(folder))) for name in ("ours", "fastapi", "starlette")}
        for _, port in servers.values():
            wait_for_answer(port)
        rounds = [one_round(servers, given.seconds, pauses) for _ in range(given.rounds)]
    return report(rounds)


def one_round(servers: dict[str, tuple[Process, int]], seconds: int, pauses: Path) -> dict[str, dict[str, float]]:
    """Measure each server at full load, then each at half of bare Starlette's rate."""
    figures = {name: measure(*one, seconds) for name, one in servers.items()}
    pause = round(2 * CONNECTIONS / (figures["starlette"]["rate"] / 2) * 1000)
    for name, one in servers.items():
        half = measure(*one, seconds, ["-s", str(pauses)], {"PAUSE": str(pause)})
        figures[name] |= {f"half_{key}": value for key, value in half.items()}
    return figures


@contextlib.contextmanager
def serving(name: str, folder: Path) -> Iterator[tuple[Process, int]]:
    """A server on its core, and its port."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        if name == "ours":
            command = [sys.executable, "server.py", "--port", str(port)]
            environment = stack.enter_context(exchange(folder)).environment
        else:
            app = f"benchmarks.peers.rest_{name}:app"
            command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
            environment = {}
        process = stack.enter_context(Process(command, environment))
        wait_for(port)
        yield process, port


def wait_for_answer(port: int, within: float = 10.0) -> None:
    """Return once the answer is there and thus cached. Raises TimeoutError."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        url = f"http://127.0.0.1:{port}{PATH}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"port {port} does not answer {PATH}")


def measure(
    server: Process, port: int, seconds: int, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Return answers a second, the median and 99th percentile in milliseconds, and the server's CPU for one in us."""
    url = f"http://127.0.0.1:{port}{PATH}"
    pin = ["taskset", "-c", CLIENT_CORE] if shutil.which("taskset") else []
    command = [*pin, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *options, url]
    before = sum(server.cpu())
    environment = {**os.environ, **(environment or {})}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    rate, answers = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"(\d+) requests in", text)
    assert rate is not None, text
    assert answers is not None, text
    assert "Non-2xx" not in text, text
    cpu = (sum(server.cpu()) - before) / int(answers[1]) * 1e6
    return {"rate": float(rate[1]), "p50_ms": latency(text, 50), "p99_ms": latency(text, 99), "cpu_us": cpu}


def latency(text: str, share: int) -> float:
    """Return a percentile of wrk's output in milliseconds."""
    found = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def report(rounds: list[dict[str, dict[str, float]]]) -> int:
    """Print the table and keep it; return 1 if a goal is missed."""
    columns = ("rate", "p99_ms", "cpu_us", "half_rate", "half_p50_ms", "half_p99_ms", "half_cpu_us")
    print(f"{'server':10}", *(f"{name:>12}" for name in columns), "  ours is: rate, CPU, p99 at half load")
    missed = False
    result: dict[str, dict[str, float]] = {}
    for name in rounds[0]:
        figures = {key: statistics.median(each[name][key] for each in rounds) for key in columns}
        ratios = {
            key: statistics.median(each["ours"][key] / each[name][key] for each in rounds)
            for key in ("rate", "cpu_us", "half_p99_ms")
        }
        missed |= ratios["rate"] < RATE_GOALS.get(name, 0) or ratios["half_p99_ms"] > P99_GOALS.get(name, math.inf)
        shown = ", ".join(f"{value:.2f}x" for value in ratios.values())
        print(f"{name:10}", *(f"{value:12.2f}" for value in figures.values()), f"  {shown}")
        result[name] = figures | {"ours_is": ratios["rate"]} | {f"ours_is_{key}": each for key, each in ratios.items()}
    print("goals:", RATE_GOALS, "of the rate;", P99_GOALS, "of the p99 at half load")
    kept = {"machine": description(), "rounds": len(rounds), "servers": result}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "rest.json").write_text(json.dumps(kept, indent=1) + "\n")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
