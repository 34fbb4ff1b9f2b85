"""The doctor finds out what is wrong with each spoiled site, and nothing that is not."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from yarl import URL

from commands.doctor import run
from commands.doctor.cures import cure
from commands.doctor.findings import Diagnosis
from commands.ports import free_port
from tests.deploy.conftest import make_service
from tests.support.apache import FILES, Apache, apache
from tests.support.fakebot import FakeBot
from tests.support.service import ROOT, Service
from tests.support.spoiled import SPOILED, Spoiled

pytestmark = [
    pytest.mark.apache, pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module"),
]  # fmt: skip
API = "/api/python"
TOKEN = "a-token-of-some-length-for-the-doctor"
AT_ONCE = 4  # examinations; each takes 20 s, and waits most of it
LIMIT = 30.0  # seconds, for each of them

DIAGNOSES: dict[str, set[str]] = {
    "good": set(), "good with TLS": set(), "good, from afar": set(), "good, service away": {"away"},
    "no proxy": set(), "token": set(), "no token": {"token"}, "wrong token": {"token"},
    "buffered": {"buffering"}, "compressed": {"compression"}, "cut": {"idle cut"},
    "http2": {"http version"}, "503": {"away", "stream refused"}, "full": {"stream refused"}, "starved": {"threads"},
    "forged": {"forged address"}, "scheme": {"scheme"}, "host": {"host"}, "etag": {"not modified"},
    "open": {"exposed"}, "stripped": {"prefix"},
}  # fmt: skip


# right in everything; visitors come from another network than the service's own machine
AFAR = Spoiled(
    "nothing is wrong",
    tuple(edit for edit in SPOILED["open"].edits if "X-Forwarded-For" in edit[1]),
    defines=SPOILED["open"].defines,
)


@dataclass(frozen=True, slots=True)
class Examined:
    """Findings of one examination, and its seconds."""

    findings: list[Diagnosis]
    seconds: float

    @property
    def wrong(self) -> list[Diagnosis]:
        """Return the findings that are wrong."""
        return [finding for finding in self.findings if finding.level == "wrong"]


async def examined(url: str, token: str = "") -> Examined:
    """The doctor's findings; certificates here are throw-away ones."""
    begun = time.monotonic()
    keys = {"Authorization": f"Bearer {token}"} if token else {}
    return Examined(await run(URL(url + API), keys, insecure=True), time.monotonic() - begun)


@contextlib.asynccontextmanager
async def site(fault: Spoiled | None, backend: str, folder: Path, tls: bool = False) -> AsyncIterator[str]:
    """The address of an Apache over the good files, or over spoiled ones."""
    tls = fault.tls if fault else tls
    values = {"PI_BACKEND": backend} | dict(fault.defines if fault else {})
    async with apache(values, tls, fault.files(folder) if fault else FILES) as server:
        yield address(server, tls)


def address(server: Apache, tls: bool) -> str:
    """Return the URL for browsers."""
    return f"https://127.0.0.1:{server.tls_port}" if tls else f"http://127.0.0.1:{server.port}"


async def through(fault: Spoiled | None, backend: str, folder: Path, tls: bool = False) -> Examined:
    """A site, examined."""
    async with site(fault, backend, folder, tls) as url:
        return await examined(url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """The service, with the heartbeat that it has by itself: only pings keep an idle stream alive."""
    async with FakeBot().serving() as bot:
        made = make_service(bot, tmp_path_factory.mktemp("service"))
        made.env["HEARTBEAT_INTERVAL"] = "30"
        async with made:
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """The service, asking for a token."""
    async with FakeBot().serving() as bot:
        made = make_service(bot, tmp_path_factory.mktemp("guarded"))
        made.env["API_TOKEN"] = TOKEN
        async with made:
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(service: Service, guarded: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Examined]:
    """Every examination by name; a few at once, or they would take minutes."""
    folder, here, gone = tmp_path_factory.mktemp("sites"), service.address, f"127.0.0.1:{free_port()}"
    direct, asking = f"http://{here}", f"http://{guarded.address}"
    work: dict[str, Awaitable[Examined]] = {
        "good": through(None, here, folder / "plain"),
        "good with TLS": through(None, here, folder / "tls", tls=True),
        "good, from afar": through(AFAR, here, folder / "afar"),
        "good, service away": through(None, gone, folder / "away"),
        "no proxy": examined(direct),
        "token": examined(asking, TOKEN),
        "no token": examined(asking),
        "wrong token": examined(asking, "wrong"),
    }
    for name, fault in SPOILED.items():
        work[name] = through(fault, gone if name == "503" else here, folder / name)
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(examination: Awaitable[Examined]) -> Examined:
        async with turn:
            return await examination

    return dict(zip(work, await asyncio.gather(*map(one, work.values())), strict=True))


@pytest.mark.parametrize("name", DIAGNOSES)
async def test_diagnosis(name: str, results: dict[str, Examined]) -> None:
    """Each site gets its own diagnosis and no other, in time; what is wrong comes with lines to change."""
    found = results[name]
    assert {finding.name for finding in found.wrong} == DIAGNOSES[name], found.findings
    assert found.seconds < LIMIT
    assert all(cure(finding.name, "apache") for finding in found.wrong if finding.name != "token")


async def test_every_spoiled_site_has_a_diagnosis(results: dict[str, Examined]) -> None:
    """A new fault needs a word here."""
    assert set(results) == set(DIAGNOSES)


async def test_standby(results: dict[str, Examined]) -> None:
    """Of a service that is away the doctor says whether browsers survive it."""
    seen = {name: [f.level for f in results[name].findings if f.name == "standby"] for name in results}
    assert seen["good, service away"] == ["ok"]
    assert seen["503"] == []


async def command(*words: str) -> tuple[int | None, str]:
    """`python server.py doctor`: its exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "server.py"), "doctor", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), LIMIT + 10)
    return process.returncode, output.decode()


async def test_command_on_a_good_site(service: Service, tmp_path: Path) -> None:
    """Exit status 0, and a line for each look."""
    async with site(None, service.address, tmp_path / "site") as url:
        status, output = await command(url + API)
    assert (status, "nothing is wrong" in output) == (0, True), output
    assert "ok    /sse/trading: first bytes after" in output


async def test_command_on_a_wrong_site(service: Service, tmp_path: Path) -> None:
    """Exit status 1, what is wrong, and the line to change."""
    async with site(SPOILED["stripped"], service.address, tmp_path / "site") as url:
        status, output = await command(url + API + "/")
    assert status == 1
    assert "wrong prefix: the service is asked for /health" in output
    assert 'ProxyPass "/api/python" "http://127.0.0.1:8000/api/python"' in output
