"""Cached answers a second, beside FastAPI with a pydantic model and a bare Starlette Response.

Interleaved rounds, server and client (wrk) on a core each, medians and ratios of the same round.
"""

import argparse
import contextlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.exchange import exchange
from benchmarks.machine import CLIENT_CORE, HERE, Process, description, wait_for
from commands.ports import free_port

GOALS = {"fastapi": 1.9, "starlette": 0.9}
PATH = "/api/python/portfolio/balance"


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
        servers = {name: stack.enter_context(serving(name, Path(folder))) for name in ("ours", "fastapi", "starlette")}
        for _, port in servers.values():
            ask(port)
        rounds = [{name: measure(*one, given.seconds) for name, one in servers.items()} for _ in range(given.rounds)]
    return tell(rounds)


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


def ask(port: int, within: float = 10.0) -> None:
    """Until the answer is there, so that it is cached."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        url = f"http://127.0.0.1:{port}{PATH}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"port {port} does not answer {PATH}")


def measure(server: Process, port: int, seconds: int) -> dict[str, float]:
    """Answers a second, the 99th percentile in milliseconds, and the server's CPU for one in microseconds."""
    url = f"http://127.0.0.1:{port}{PATH}"
    pin = ["taskset", "-c", CLIENT_CORE] if shutil.which("taskset") else []
    command = [*pin, "wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", url]
    before = sum(server.cpu())
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, slow = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    answers = re.search(r"(\d+) requests in", text)
    assert rate is not None, text
    assert answers is not None, text
    assert slow is not None, text
    assert "Non-2xx" not in text, text
    cpu = (sum(server.cpu()) - before) / int(answers[1]) * 1e6
    p99 = float(slow[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[slow[2]]
    return {"rate": float(rate[1]), "p99_ms": p99, "cpu_us": cpu}


def tell(rounds: list[dict[str, dict[str, float]]]) -> int:
    """The table; whether every goal is reached."""
    print(f"{'server':10} {'answers/s':>10} {'p99 ms':>8} {'CPU us':>8} {'ours is':>9} {'goal':>6}")
    missed = 0
    result: dict[str, dict[str, float]] = {}
    for name in rounds[0]:
        rate = statistics.median(each[name]["rate"] for each in rounds)
        p99, cpu = (statistics.median(each[name][key] for each in rounds) for key in ("p99_ms", "cpu_us"))
        ratio = statistics.median(each["ours"]["rate"] / each[name]["rate"] for each in rounds)
        goal = GOALS.get(name)
        missed += goal is not None and ratio < goal
        print(f"{name:10} {rate:10.0f} {p99:8.2f} {cpu:8.1f} {ratio:8.2f}x {f'{goal}x' if goal else '':>6}")
        result[name] = {"rate": rate, "p99_ms": p99, "cpu_us": cpu, "ours_is": ratio}
    kept = {"machine": description(), "rounds": len(rounds), "servers": result}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "rest.json").write_text(json.dumps(kept, indent=1) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
