"""A container engine for the tests, whose images stay between runs, and the base image that replaces the pulled one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.apache import wanted
from tests.support.neighbours import missing
from tests.world.kept import ROOT, cache, locked
from tests.world.roots import debian


def base_name() -> str:
    """Return the name of the base image as compose.yaml has it."""
    found = re.search(r"\$\{BASE:-([\w:.-]+)\}", (ROOT / "compose.yaml").read_text())
    assert found
    return found[1]


class Engine:
    """A running dockerd, and the docker command that talks to it."""

    def __init__(self, socket: Path) -> None:
        self.env = {"DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def run(
        self, *command: str | Path, timeout: float = 900, check: bool = True, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that talks to this engine; without success an AssertionError, unless `check` is off."""
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False,
            env=dict(os.environ) | self.env | dict(env or {}),
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done

    def docker(self, *words: str | Path, timeout: float = 900) -> str:
        """Return what docker prints for these words."""
        return self.run("docker", *words, timeout=timeout).stdout.strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container or an image."""
        [found] = json.loads(self.docker("inspect", name))
        return dict(found)

    def has_image(self, name: str) -> bool:
        """Return whether there is an image of this name."""
        return bool(self.docker("images", "--quiet", name))


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine with its images in the cache folder; one at a time on a machine. Containers of before are removed."""
    dockerd = wanted("dockerd", "docker.io")
    for program, package in (("docker", "docker.io"), ("docker-compose", "docker-compose"), ("iptables", "iptables")):
        wanted(program, package)
    if os.getuid() != 0:
        missing("root", "a container engine of our own runs as root")
    with locked("engine"), tempfile.TemporaryDirectory(prefix="pi-engine-") as name:
        folder = Path(name)
        command: list[str | Path] = [
            dockerd, "--data-root", cache() / "engine", "--exec-root", folder / "exec", "--pidfile", folder / "pid",
            "-H", f"unix://{folder}/socket",
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        engine = Engine(folder / "socket")
        try:
            wait_until_up(engine, process, folder / "log")
            clean(engine)
            yield engine
            clean(engine)
        finally:
            process.terminate()
            process.wait(60)


def wait_until_up(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the engine answers."""
    deadline = time.monotonic() + 120
    while engine.run("docker", "version", check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            missing("a container engine that runs", f"dockerd says: {log.read_text()[-600:]}")
        time.sleep(0.2)


def clean(engine: Engine) -> None:
    """Remove containers, networks, volumes, and images without a name; layers that a build may use again stay."""
    if containers := engine.docker("ps", "--all", "--quiet").split():
        engine.docker("rm", "--force", *containers)
    engine.docker("network", "prune", "--force")
    if volumes := engine.docker("volume", "ls", "--quiet").split():
        engine.docker("volume", "rm", "--force", *volumes)


def make_base(engine: Engine, name: str) -> None:
    """Make the base image under its own name from Debian's packages, for nothing can be pulled here."""
    make_image(engine, name, debian(name.partition(":")[2].removesuffix("-slim")))


def make_image(engine: Engine, name: str, root: Path) -> None:
    """Import the root of a system under a name, unless that has been done."""
    key = f"pi.made-from={root.name}"
    if not engine.docker("images", "--quiet", "--filter", f"label={key}", name):
        engine.docker("import", "--change", f"LABEL {key}", root, name)
