"""The stream clients that are driven: their commands, their versions, and how to install them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.clients.install import FOLDER

HERE: Final = Path(__file__).parent
INSTALL: Final = "run python -m tests.clients.install"


@dataclass(frozen=True, slots=True)
class Client:
    """One client. command has URL where the stream's address goes. page: opened in a browser instead.

    needs: a file or a program without which it cannot run. version: a command that prints it, or a package.json.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    version: tuple[str, ...]
    remedy: str = INSTALL
    page: bool = False

    def missing(self) -> str:
        """Return a sentence that names the missing program, empty when nothing is missing."""
        for name in self.needs:
            if not Path(name).exists() and shutil.which(name) is None:
                return f"{self.name}: {name} is missing: {self.remedy}"
        return ""

    def versions(self) -> str:
        """Return the version, on one line."""
        if self.version[0].endswith("package.json"):
            return str(json.loads(Path(self.version[0]).read_text())["version"])
        ended = subprocess.run(self.version, capture_output=True, text=True, check=False)
        return (ended.stdout or ended.stderr).strip().splitlines()[0]


def node(package: str) -> Client:
    """Return a client of npm that runs in Node."""
    manifest = f"{FOLDER}/node/node_modules/{package}/package.json"
    return Client(package, ("node", f"{FOLDER}/node/client.mjs", package, "URL"), ("node", manifest), (manifest,))


def python(package: str) -> Client:
    """Return a client of PyPI."""
    script = package.replace("-", "_")
    library = f"{FOLDER}/python/lib"
    folders = sorted(Path(library).glob(f"{script}-*.dist-info"))
    release = folders[-1].name.removesuffix(".dist-info").rpartition("-")[2] if folders else ""
    return Client(
        package, ("env", f"PYTHONPATH={library}", "python3", str(HERE / "python" / f"{script}_client.py"), "URL"),
        (library, "python3"), ("echo", release),
    )  # fmt: skip


def in_browser(program: str, package: str, install: str) -> Client:
    """Return a client that runs in a page."""
    needs = [program]
    version: tuple[str, ...] = (program, "--version")
    if package not in ("native", "stream.js"):
        manifest = f"{FOLDER}/node/node_modules/{package.replace('fetch-', '@microsoft/fetch-')}/package.json"
        needs.append(manifest)
        version = (manifest,)
    return Client(f"{program}-{package.rpartition('/')[2]}", (program,), tuple(needs), version, install, page=True)


def clients() -> Iterator[Client]:
    """Yield every client."""
    for program in ("firefox-esr", "chromium"):
        for package in ("native", "stream.js"):
            yield in_browser(program, package, f"apt-get install {program}")
    for package in ("event-source-polyfill", "fetch-event-source"):
        yield in_browser("chromium", package, INSTALL)
    for package in ("eventsource2", "eventsource4", "eventsource-client", "launchdarkly-eventsource", "undici"):
        yield node(package)
    for package in ("httpx-sse", "sseclient-py", "requests-sse", "aiohttp-sse-client2"):
        yield python(package)
    classes = f"{FOLDER}/java/Client.class"
    yield Client(
        "okhttp-eventsource", ("java", "-Xmx64m", "-cp", f"{FOLDER}/java:{FOLDER}/java/lib/*", "Client", "URL"),
        ("java", classes), ("sh", "-c", f"ls {FOLDER}/java/lib | grep okhttp-eventsource"),
    )  # fmt: skip
    yield Client(
        "go-sse", (f"{FOLDER}/go/client", "URL"), (f"{FOLDER}/go/client",), ("grep", "go-sse", f"{HERE}/go/go.mod")
    )
    yield Client("curl", (str(HERE / "curl.sh"), "URL"), ("curl",), ("curl", "--version"), "apt-get install curl")
