"""The deployment with its Spring login service: sessions in a Redis of their own, read by this service."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.eventually import eventually
from tests.world.deployment import Deployment, deployment
from tests.world.engine import Engine
from tests.world.spring import Visitor, jar

pytestmark = pytest.mark.world

LIVE = "/api/python/portfolio/trades/live"
CACHE = "/run/secrets/redis_python"


@pytest.fixture(scope="module")
def deployed(engine: Engine) -> Iterator[Deployment]:
    """The deployment with the profile `login`, which requires a login."""
    with deployment(engine, COMPOSE_PROFILES="login", AUTH="spring-session") as project:
        target = project.folder / "deploy" / "spring" / "target"
        target.mkdir()
        shutil.copy(jar("4"), target)
        project.up()
        yield project


def visitor(deployed: Deployment) -> Visitor:
    """Return a new browser of a person who knows the password."""
    password = (deployed.folder / "secrets" / "login_password").read_text()
    return Visitor(deployed.url, urlsplit(deployed.url).netloc, password)


async def test_a_login_there_opens_it_here(deployed: Deployment) -> None:
    """401 before the login at /api/auth, 200 after it whichever Redis restarts, 401 after the logout."""
    async with visitor(deployed) as person:
        assert await person.status(LIVE) == 401

        async def form_is_there() -> bool:
            return await person.status("/api/auth/login") == 200

        await eventually(form_is_there, within=120, every=0.5)  # the first answer of a JVM takes its time
        await person.log_in()
        assert await person.status(LIVE) == 200
        assert await person.status("/api/auth/me") == 200
        for part in ("redis", "sessions"):
            await asyncio.to_thread(deployed.engine.docker, "restart", deployed.container(part))

        async def open_again() -> bool:
            return [await person.status(path) for path in (LIVE, "/api/auth/me")] == [200, 200]

        await eventually(open_again, within=120, every=0.5)
        await person.log_out()
        assert await person.status(LIVE) == 401


@pytest.mark.parametrize(("part", "policy"), [("redis", "volatile-ttl"), ("sessions", "noeviction")])
def test_each_redis_has_its_policy(deployed: Deployment, part: str, policy: str) -> None:
    """The cache may drop keys; the sessions are never dropped, and hold what Spring wrote."""
    ask = f'redis-cli --user python --pass "$(cat {CACHE})" --no-auth-warning info'
    printed = deployed.execute(part, "sh", "-c", ask).stdout
    assert f"maxmemory_policy:{policy}" in printed
    assert f"aof_enabled:{int(part == 'sessions')}" in printed
