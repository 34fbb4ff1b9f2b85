"""The doctor before the site as it should be, and before each that is wrong on purpose."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.deploy.conftest import make_service
from tests.support.apache import FILES, apache
from tests.support.fakebot import FakeBot
from tests.support.service import ROOT
from tests.support.simulator import running_simulator
from tests.support.spoiled import SPOILED, Spoiled

pytestmark = [pytest.mark.apache, pytest.mark.slow, pytest.mark.timeout(400)]
NAMES = {
    "buffered": "buffering", "compressed": "compression", "cut": "idle cut", "http2": "http version",
    "starved": "threads", "forged": "forged address", "scheme": "scheme", "host": "host", "etag": "not modified",
    "open": "exposed", "stripped": "prefix",
}  # fmt: skip
"""What the doctor calls each fault. Not among them: what a stream URL says while the service is away, unseen now."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one visit brought."""

    wrong: list[str]
    text: str
    status: int
    seconds: float


async def visit(fault: Spoiled | None, backend: str, folder: Path, turns: asyncio.Semaphore) -> Diagnosis:
    """Send the doctor to a site with this fault, or to the good one, as a stranger."""
    tls = fault is not None and fault.tls
    files = FILES if fault is None else fault.files(folder)
    values = {"PI_BACKEND": backend, "PI_OPERATORS": "192.0.2.1"}
    async with turns, apache(values, tls, files) as server:
        base = f"https://127.0.0.1:{server.tls_port}" if tls else f"http://127.0.0.1:{server.port}"
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "server.py", "doctor", base + "/api/python", *(["--insecure"] if tls else []), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 90)
        assert process.returncode is not None
        wrong = re.findall(r"^wrong (.+?): ", told.decode(), re.M)
        return Diagnosis(wrong, told.decode(), process.returncode, time.monotonic() - begun)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def diagnoses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, Diagnosis]]:
    """All visits, three at a time: each waits most of its twenty seconds for pings."""
    folder = tmp_path_factory.mktemp("doctor")
    with running_simulator(folder) as exchange:
        async with FakeBot().serving() as bot:
            service = make_service(bot, folder)
            service.env |= {"KALSHI_API_URL": exchange.url, "HEARTBEAT_INTERVAL": "30"}
            async with service:
                bot.trade(3)
                turns = asyncio.Semaphore(3)
                cases = {"good": None} | {name: SPOILED[name] for name in NAMES}
                visits = [visit(fault, service.address, folder / name, turns) for name, fault in cases.items()]
                yield dict(zip(cases, await asyncio.gather(*visits), strict=True))


def test_the_good_site_is_well(diagnoses: Mapping[str, Diagnosis]) -> None:
    """Nothing is wrong with the files in deploy/apache, said in under half a minute."""
    good = diagnoses["good"]
    assert good.wrong == [], good.text
    assert good.status == 0
    assert good.seconds < 30


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_named(name: str, diagnoses: Mapping[str, Diagnosis]) -> None:
    """The fault is called by its name, with the lines that cure it, and the exit status is 1."""
    found = diagnoses[name]
    assert NAMES[name] in found.wrong, found.text
    assert found.status == 1
    assert found.seconds < 45
