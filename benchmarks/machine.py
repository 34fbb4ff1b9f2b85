"""Machine access of benchmarks: processes on their own core, their CPU and memory, and versions."""

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

SERVER_CORE, CLIENT_CORE = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).parent

# Ten thousand readers are ten thousand files, on both sides; children inherit the limit.
_most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (_most if _most < 65536 and _most != -1 else 65536, _most))


def arguments(description: str | None, rounds: int = 5) -> argparse.ArgumentParser:
    """Return a parser with the options of every benchmark: --rounds and --keep."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results")
    return parser


def wait_for(port: int, seconds: float = 15.0) -> None:
    """Until somebody listens on port."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port} after {seconds} s")


def compiled(source: Path, folder: Path) -> Path:
    """The program made from a C file; raises FileNotFoundError: no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("the load client is C: install a C compiler (Debian: apt-get install gcc libc6-dev)")
    program = folder / source.stem
    subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return program


class Process:
    """A process on the server's core, with its children; ends with the block."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None, core: str = SERVER_CORE) -> None:
        pin = ["taskset", "-c", core] if shutil.which("taskset") else []
        self._process = subprocess.Popen(
            [*pin, *command], env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, cwd=HERE.parent
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _pids(self) -> list[int]:
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu(self) -> tuple[float, float]:
        """Seconds of user and of system time so far."""
        user = system = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            user += int(fields[11])
            system += int(fields[12])
        return user / TICK, system / TICK

    def rss(self) -> int:
        """KB of resident memory, shared libraries included, as ps and top show it."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1])
        return total

    def resident(self) -> int:
        """KB of memory in use that belong to nobody else."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Dirty", "Private_Clean")):
                    total += int(line.split()[1])
        return total


def description() -> dict[str, Any]:
    """The machine and the versions that a result was measured with."""
    names = ["uvicorn", "uvloop", "httptools", "starlette", "fastapi", "sse-starlette"]
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpu": model[0].partition(": ")[2] if model else "",
        "cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version(),
        "load": os.getloadavg()[0], "packages": {name: _version(name) for name in names},
        "programs": {name: _says(name, flag) for name, flag in (("node", "--version"), ("nginx", "-v"))},
    }  # fmt: skip


def kept(name: str, options: dict[str, Any], rounds: object) -> None:
    """Write results/<name>.json: the last results, with machine and versions."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    result = {"machine": description(), "options": options, "rounds": rounds}
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _says(name: str, flag: str) -> str | None:
    if shutil.which(name) is None:
        return None
    seen = subprocess.run([name, flag], capture_output=True, text=True, check=False)
    return (seen.stdout + seen.stderr).strip()
