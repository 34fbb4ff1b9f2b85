"""A real Spring Boot beside the service, behind one Apache, on one Redis: log in there, read here."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.deploy.conftest import make_service
from tests.support.apache import HOST, Apache, apache
from tests.support.eventually import eventually
from tests.support.fakebot import FakeBot
from tests.support.service import Service
from tests.support.shared_redis import FORBIDDEN, SharedRedis, shared_redis
from tests.world.spring import SpringBoot, Visitor

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="module")]

LIFE = 20  # seconds until an idle session ends
OPTIONS = [("4", "default"), ("4", "indexed"), ("3", "default"), ("3", "indexed")]
CONTEXT = "sessionAttr:SPRING_SECURITY_CONTEXT"


@dataclass(frozen=True, slots=True)
class Whole:
    """The site: service and login behind Apache, on one Redis."""

    redis: SharedRedis
    spring: SpringBoot
    service: Service
    apache: Apache
    repository: str
    namespace: str

    def visitor(self) -> Visitor:
        """Return a new browser."""
        return Visitor(self.apache.url(""), HOST)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=OPTIONS, ids=lambda option: "-".join(option))
async def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """The site on each version and repository; Boot 3 has a namespace of its own."""
    boot, repository = request.param
    folder = tmp_path_factory.mktemp("whole")
    namespace = "spring:session" if boot == "4" else "shop:logins"
    with shared_redis(folder, namespace) as redis:
        settings = {"SESSION.namespace": namespace, "server.servlet.session.timeout": f"{LIFE}s"}
        spring = SpringBoot(boot, repository, redis.port, folder / "spring.log", settings)
        spring.start()
        try:
            async with FakeBot().serving() as bot:
                service = make_service(bot, folder)
                service.env |= {
                    "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port), "REDIS_USERNAME": "python",
                    "REDIS_PASSWORD": "python-secret", "AUTH": "spring-session", "SPRING_SESSION_NAMESPACE": namespace,
                }  # fmt: skip
                async with service, apache({"PI_BACKEND": service.address, "PI_SPRING": spring.address}) as server:
                    await spring.ready()
                    yield Whole(redis, spring, service, server, repository, namespace)
        finally:
            spring.kill()


def session_key(whole: Whole, visitor: Visitor) -> str:
    """Return the Redis key of a browser's session; the cookie holds its id in base64."""
    [cookie] = [cookie.value for cookie in visitor.session.cookie_jar if cookie.key == "SESSION"]
    return f"{whole.namespace}:sessions:{base64.b64decode(cookie).decode()}"


async def test_log_in_there_read_here(whole: Whole) -> None:
    """401 without a session or a login; 200 and a stream after the login; then 401 again."""
    async with whole.visitor() as visitor:
        assert await visitor.status("/api/python/portfolio/trades/live") == 401
        await visitor.form("/api/auth/login")
        assert await visitor.status("/api/python/portfolio/trades/live") == 401
        assert await visitor.log_in() == f"http://{HOST}/api/python/dashboard"
        assert await visitor.status("/api/auth/me") == 200
        assert await visitor.status("/api/python/portfolio/trades/live") == 200
        async with visitor.session.get(whole.apache.url("/api/python/sse/status")) as stream:
            assert stream.status == 200
            await visitor.log_out()
            assert await visitor.status("/api/python/portfolio/trades/live") == 401
            async with asyncio.timeout(60):
                await stream.read()  # to its end: an open stream asks again every 15 s


async def test_a_logged_out_session_does_not_come_back(whole: Whole) -> None:
    """The cookie from before the logout is worth nothing, though the indexed repository keeps the hash for 300 s."""
    async with whole.visitor() as visitor, whole.visitor() as thief, whole.redis.user("watcher") as redis:
        await visitor.log_in()
        for cookie in visitor.session.cookie_jar:
            thief.session.cookie_jar.update_cookies({cookie.key: cookie.value})
        assert await thief.status("/api/python/portfolio/trades/live") == 200
        key = session_key(whole, visitor)
        await visitor.log_out()
        kept = await redis.hstrlen(key, CONTEXT) > 0
        assert kept == (whole.repository == "indexed")
        assert await thief.status("/api/python/portfolio/trades/live") == 401


async def test_a_context_taken_away_is_no_login(whole: Whole) -> None:
    """Spring's removeAttribute leaves an empty field: that session is not logged in."""
    async with whole.visitor() as visitor, whole.redis.user("watcher") as redis:
        await visitor.log_in()
        key = session_key(whole, visitor)
        # the login itself removes the form's token, and leaves this behind
        tokens = [field for field in await redis.hkeys(key) if field.endswith("CSRF_TOKEN")]
        assert [await redis.hstrlen(key, field) for field in tokens] == [0]
        await redis.hset(key, CONTEXT, "")
        assert await visitor.status("/api/python/portfolio/trades/live") == 401


async def test_an_idle_session_ends(whole: Whole) -> None:
    """After its time a session is over here as it is there, whatever Redis still holds of it."""
    async with whole.visitor() as visitor:
        await visitor.log_in()
        key = session_key(whole, visitor)
        async with whole.redis.user("watcher") as redis:
            life = await redis.ttl(key)
            assert (life > 300) == (whole.repository == "indexed")
            # a request here does not count as a visit there: the session's life is Spring's alone
            for _ in range(3):
                assert await visitor.status("/api/python/portfolio/trades/live") == 200
            left = life - (300 if whole.repository == "indexed" else 0)
            assert left <= LIFE

        async def ended() -> bool:
            return await visitor.status("/api/python/portfolio/trades/live") == 401

        await eventually(ended, within=LIFE + 60, every=0.5)
        assert await visitor.status("/api/auth/me") == 302


async def test_a_restart_of_redis_keeps_the_logins(whole: Whole) -> None:
    """While Redis is away every request is refused; afterwards the earlier sessions are valid again."""
    async with whole.visitor() as visitor:
        await visitor.log_in()
        assert await visitor.status("/api/python/portfolio/trades/live") == 200
        whole.redis.kill()
        assert await visitor.status("/api/python/portfolio/trades/live") == 503
        whole.redis.start()

        async def both() -> bool:
            paths = ("/api/python/portfolio/trades/live", "/api/auth/me")
            return [await visitor.status(path) for path in paths] == [200, 200]

        await eventually(both, within=60, every=0.3)


async def test_each_keeps_to_its_own_keys(whole: Whole) -> None:
    """Watched by MONITOR: Spring touches no key of ours, and of its keys we read single fields and change nothing."""
    async with whole.visitor() as visitor, whole.redis.watched() as commands:
        await visitor.log_in()
        for path in ("/portfolio/trades/live", "/portfolio/summary", "/markets/", "/health", "/sse/stats"):
            await visitor.status(f"/api/python{path}")
        await visitor.log_out()
    async with whole.redis.user("watcher") as redis:
        ours = {client["addr"].rsplit(":")[-1] for client in await redis.client_list() if client["user"] == "python"}
    assert {command.name for command in commands if command.port in ours}
    for command in commands:
        theirs = [key for key in command.keys if key.startswith(whole.namespace)]
        if command.port in ours:
            assert command.name not in FORBIDDEN
            assert not theirs or command.name in {"EXISTS", "HEXISTS", "HSTRLEN", "HMGET", "PTTL"}, command
        else:
            assert not [key for key in command.keys if key.startswith("python:")], command
