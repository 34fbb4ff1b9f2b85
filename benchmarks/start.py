"""From the start of the process to the first byte of an answer: the whole server beside a bare Starlette on uvicorn.

Our modules are compiled before, as those of an installed wheel are.

python -m benchmarks.start [--rounds 7] [--keep]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from statistics import median

from benchmarks.machine import HERE, SERVER_CORE, kept
from commands.ports import free_port

OURS = ("server.py", "config", "cache", "kalshi", "journal", "cluster", "ingest", "streams", "routes", "runtime")
PATH = "/api/python/portfolio/balance"  # 503 without keys, which is an answer too


def measure(command: list[str], port: int, environment: dict[str, str]) -> dict[str, float]:
    """Seconds until the first byte, and of them those of CPU."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command], cwd=HERE.parent, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _answers(port):
            time.sleep(0.002)
        took = time.perf_counter() - begun
    finally:
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return {"seconds": took, "cpu_seconds": usage.ru_utime + usage.ru_stime}


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status > 0
    except OSError:
        return False
    finally:
        connection.close()


def ours() -> dict[str, float]:
    """The server with a new journal and no neighbours."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = {"JOURNAL_URL": f"sqlite:///{folder}/journal.db", "APP_ENV": "production", "LOG_LEVEL": "ERROR"}
        return measure([sys.executable, "server.py", "--port", str(port)], port, environment)


def bare() -> dict[str, float]:
    """Starlette with one route."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peers.rest_starlette:app", "--port", str(port)]
    return measure(command, port, {})


def main() -> None:
    """Rounds in turn, after one that warms the disk's cache; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    subprocess.run([sys.executable, "-m", "compileall", "-q", *OURS], cwd=HERE.parent, check=True)
    for first in (ours, bare):
        first()
    rounds: dict[str, list[dict[str, float]]] = {"server": [], "bare starlette": []}
    for _ in range(options.rounds):
        rounds["server"].append(ours())
        rounds["bare starlette"].append(bare())
    for name, figures in rounds.items():
        print(name, json.dumps({key: round(median(one[key] for one in figures), 3) for key in figures[0]}))
    if options.keep:
        kept("start", vars(options), rounds)


if __name__ == "__main__":
    main()
