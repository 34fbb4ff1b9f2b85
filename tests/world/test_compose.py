"""The deployment of compose.yaml on a real engine: one command, then every part restarted, stopped and upgraded."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from tests.support.eventsource import EventSource
from tests.support.eventually import eventually
from tests.world.deployment import PARTS, Deployment, client, deployment, document, seqs
from tests.world.engine import Engine

pytestmark = pytest.mark.world


@pytest.fixture(scope="module")
def deployed(engine: Engine) -> Iterator[Deployment]:
    """The deployment, started by its one command."""
    with deployment(engine) as project:
        printed = project.up()
        assert f"Ready: {project.url}/api/python/dashboard" in printed
        project.start_exchange()
        yield project


async def test_one_command_brings_it_up(deployed: Deployment) -> None:
    """Page, documents and account answer through Apache; the service trusts its journal, its Redis and its bot."""
    async with client() as session:
        for path in ("dashboard", "docs", "openapi.json", "portfolio/trades/live", "health/ready"):
            async with session.get(f"{deployed.url}/api/python/{path}") as answer:
                assert answer.status == 200, path
        health = await document(session, f"{deployed.url}/api/python/health")
    assert health["parts"]["cache"]["kind"] == "redis_cache"
    assert {name: health["parts"][name]["state"] for name in ("journal", "bot", "relay")} == {
        "journal": "ok", "bot": "ok", "relay": "ok",
    }  # fmt: skip


async def test_trades_arrive_through_apache(deployed: Deployment) -> None:
    """The bot trades on paper against the simulated exchange, and a browser behind Apache receives it."""
    async with client() as session, EventSource(session, f"{deployed.url}/api/python/sse/trading") as page:
        await page.saw("bot_status", limit=60)
        await page.saw("new_trades", limit=240)
    assert seqs(page) == sorted(set(seqs(page)))


def test_only_apache_is_published(deployed: Deployment) -> None:
    """One port, on loopback; no other part has one."""
    published = {
        part: deployed.engine.inspect(deployed.container(part))["HostConfig"]["PortBindings"] for part in PARTS
    }
    assert {part: ports for part, ports in published.items() if ports} == {
        "apache": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(deployed.port)}]}
    }
    assert deployed.engine.inspect(f"{deployed.folder.name}_inside")["Internal"]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_may_do_little(deployed: Deployment, part: str) -> None:
    """No root, no capability, a root that cannot be written, no way to gain more."""
    status = deployed.execute(part, "cat", "/proc/1/status").stdout
    assert re.search(r"^CapEff:\s0{16}$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s1$", status, re.M)
    users = re.search(r"^Uid:\s(\d+)\s(\d+)", status, re.M)
    assert users
    assert "0" not in users.groups()
    written = deployed.execute(part, "touch", "/etc/probe")
    assert written.returncode != 0
    assert "Read-only file system" in written.stderr


def test_no_secret_stands_in_an_environment(deployed: Deployment) -> None:
    """Neither the containers' settings nor their logs hold what the files under secrets/ hold."""
    secrets = {file.name: file.read_text() for file in (deployed.folder / "secrets").iterdir()}
    known = [deployed.engine.docker("inspect", deployed.container(part)) for part in PARTS]
    known.append(deployed.compose("logs", "--no-color"))
    for name, secret in secrets.items():
        assert not [text for text in known if secret and secret in text], name
    assert (deployed.folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_forwarded_headers_count_from_apache_alone(deployed: Deployment) -> None:
    """A request that comes past Apache with forwarded headers: they are ignored."""
    ask = (
        "import urllib.request as u; r = u.Request('http://server:8000/api/python/sse/clients',"
        " headers={'X-Forwarded-For': '203.0.113.7', 'Host': 'localhost'}); print(u.urlopen(r).read().decode())"
    )
    opened = (
        "import urllib.request as u; r = u.Request('http://server:8000/api/python/sse/status',"
        " headers={'X-Forwarded-For': '203.0.113.7', 'Host': 'localhost'}); s = u.urlopen(r); s.read(20); "
    )
    inside = ["run", "--rm", "--network", f"{deployed.folder.name}_inside", "prediction-investor", "python3", "-c"]
    seen = deployed.engine.docker(*inside, opened + ask)
    assert "172.30.8.0/24" in seen
    assert "203.0.113" not in seen


def test_apache_answers_to_its_own_names_alone(deployed: Deployment) -> None:
    """A page of another host name that resolves here is refused by Apache, before the service."""
    for name, expected in (("localhost", b"200"), ("127.0.0.1", b"200"), ("evil.example", b"421")):
        with socket.create_connection(("127.0.0.1", deployed.port), 10) as line:
            line.sendall(
                f"GET /api/python/health HTTP/1.1\r\nHost: {name}:{deployed.port}\r\nConnection: close\r\n\r\n".encode()
            )
            assert line.recv(4096).split()[1] == expected, name


@pytest.mark.parametrize("part", ["server", "bot", "redis", "mysql", "apache"])
async def test_a_restart_of_each_part(deployed: Deployment, part: str) -> None:
    """After any part's restart all are healthy again, and an open page has every entry once and in order."""
    async with client() as session, EventSource(session, f"{deployed.url}/api/python/sse/trading") as page:
        await page.saw("bot_status", limit=60)
        await page.saw("new_trades", limit=240)
        await asyncio.to_thread(deployed.engine.docker, "restart", deployed.container(part))
        await asyncio.to_thread(deployed.wait_until_healthy)
        before = len(page.named("new_trades"))
        await page.saw("new_trades", before + 1, limit=240)
        received = seqs(page)
        await eventually(lambda: bot_is_online(session, deployed), within=120, every=0.5)
        history = await document(session, f"{deployed.url}/api/python/portfolio/trades/history?limit=1000")
    assert received == sorted(set(received))
    kept = {entry["seq"] for entry in history["entries"] if entry["kind"] == "trade"}
    assert set(received) == {seq for seq in kept if received[0] <= seq <= received[-1]}


async def bot_is_online(session: aiohttp.ClientSession, deployed: Deployment) -> bool:
    """Return whether the service reaches the bot."""
    health = await document(session, f"{deployed.url}/api/python/health")
    return bool(health["parts"]["bot"]["status"] == "online")


async def test_each_part_stops_within_its_grace(deployed: Deployment) -> None:
    """Stopped under open streams, each ends by itself before it would be killed; `up` starts them again."""
    async with client() as session, AsyncExitStack() as stack:
        for _ in range(20):
            answer = await stack.enter_async_context(session.get(f"{deployed.url}/api/python/sse/trading"))
            assert await answer.content.read(1)
        parts = ("apache", "bot", "server", "redis", "mysql")
        statuses = {part: await asyncio.to_thread(deployed.stop, part) for part in parts}
    deployed.up()
    deployed.wait_until_healthy()
    assert statuses == dict.fromkeys(parts, 0)  # 137 for one that had to be killed


async def test_down_and_up_keep_the_data(deployed: Deployment) -> None:
    """`down` removes the containers and no data: journal, epoch and places are as before."""
    deployed.up()  # whatever another test has left stopped
    head = f"{deployed.url}/api/python/health"
    async with client() as session:
        before = (await document(session, head))["journal"]
        await asyncio.to_thread(deployed.compose, "down")
        await asyncio.to_thread(deployed.up)
        after = (await document(session, head))["journal"]
    assert after["seq"] >= before["seq"] > 0
    assert after["head"].split("-")[0] == before["head"].split("-")[0]


async def test_the_token_closes_it(deployed: Deployment) -> None:
    """API_TOKEN_FILE in .env: without the token 401, with it 200; the health checks go on."""
    env = deployed.folder / ".env"
    env.write_text(env.read_text() + "API_TOKEN_FILE=/run/secrets/api_token\n")
    await asyncio.to_thread(deployed.up)
    token = (deployed.folder / "secrets" / "api_token").read_text()
    url = f"{deployed.url}/api/python/portfolio/trades/live"
    async with client() as session:
        async with session.get(url) as answer:
            assert answer.status == 401
        async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200
