"""An upgrade of the deployment of compose.yaml under an open page."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.support.eventsource import EventSource
from tests.world.deployment import client, deployment, seqs
from tests.world.engine import Engine
from tests.world.kept import ROOT

pytestmark = pytest.mark.world

# the image before this one: the last state of the project with an older schema of the journal
PREVIOUS = "7151086"


def previous_image(engine: Engine, folder: Path) -> None:
    """Build the previous state of the project as the image that compose.yaml names, over today's base."""
    archive = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    today: list[str | Path] = ["-f", ROOT / "deploy/docker/Dockerfile", "--target", "python", "-t", "pi-python", ROOT]
    engine.docker("build", *today)
    old: list[str | Path] = ["-f", folder / "deploy/docker/Dockerfile", "--build-arg", "BASE=pi-python"]
    engine.docker("build", *old, "-t", "prediction-investor", folder)


async def test_an_upgrade_keeps_journal_and_readers(engine: Engine, tmp_path: Path) -> None:
    """From the previous image to this one under an open page: the journal is migrated, the cursor stays good."""
    with deployment(engine) as project:
        previous_image(engine, tmp_path)
        project.compose("build", "apache", "redis", "mysql")
        engine.run("sh", project.folder / "deploy" / "docker" / "make-secrets")
        project.compose("up", "--detach", "--no-build")
        project.wait_until_healthy()
        project.start_exchange()
        async with client() as session, EventSource(session, f"{project.url}/api/python/sse/trading") as page:
            await page.saw("new_trades", limit=240)
            await asyncio.to_thread(project.up)
            project.start_exchange()
            before = len(page.named("new_trades"))
            await page.saw("new_trades", before + 1, limit=240)
    assert seqs(page) == sorted(set(seqs(page)))
