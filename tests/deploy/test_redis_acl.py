"""The Redis shared with Spring: what our user may do there, and what we really do, watched command by command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.exceptions import NoPermissionError, ResponseError

from cache.base import RedisAddress
from cache.redis import RedisCache, connect
from tests.deploy.conftest import make_service
from tests.support.fakebot import FakeBot
from tests.support.shared_redis import FORBIDDEN, Command, SharedRedis, shared_redis
from tests.support.simulator import running_simulator

pytestmark = pytest.mark.redis

SESSION = "spring:session:sessions:0b9f6a5e-6b1c-4a55-9d3e-1f2a3b4c5d6e"
SPRING_KEYS = [SESSION, "spring:session:expirations:1700000000000", "users::42"]
OUTSIDE = [  # each must be refused
    "GET users::42", "SET users::42 x", "DEL users::42", "EXPIRE users::42 1", "TTL users::42", "TYPE users::42",
    f"HGETALL {SESSION}", f"HGET {SESSION} lastAccessedTime", f"DEL {SESSION}", f"HDEL {SESSION} x", f"DUMP {SESSION}",
    "EXISTS users::42", "RENAME python:a users::1", "COPY users::42 python:a", "SMOVE users::42 python:a x",
    "XADD spring:s * a b", "PUBLISH spring:session:event:0:created x", "SUBSCRIBE __keyevent@0__:expired",
    "PSUBSCRIBE *", "KEYS python:*", "SCAN 0 MATCH python:*", "RANDOMKEY", "DBSIZE", "FLUSHALL", "FLUSHDB",
    "SWAPDB 0 1", "CONFIG GET *", "CONFIG SET maxmemory 1", "MONITOR", "CLIENT LIST", "CLIENT KILL TYPE normal",
    "ACL LIST", "SAVE", "SHUTDOWN", "DEBUG SLEEP 0", "SLAVEOF NO ONE", "MODULE LIST", "MIGRATE a 1 b 0 1",
    "SORT users::42", "SORT python:a BY users::*", "SELECT 1", "EVAL return(1) 0", "EVAL_RO return(1) 0",
    "EVALSHA 0123456789012345678901234567890123456789 0", "SCRIPT FLUSH", "SCRIPT LOAD return(1)", "FCALL f 0",
    "FUNCTION FLUSH", "FUNCTION LIST", f"HGETALL {SESSION}", f"HSET {SESSION} a b", f"PEXPIRE {SESSION} 1",
]  # fmt: skip


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedRedis]:
    """A Redis under our ACL file."""
    with shared_redis(tmp_path) as server:
        yield server


async def settle(spring: Any) -> None:
    """Keys as Spring Session and Spring Cache make them."""
    await spring.hset(SESSION, mapping={"lastAccessedTime": "x", "sessionAttr:SPRING_SECURITY_CONTEXT": "y"})
    await spring.expire(SESSION, 1800)
    await spring.sadd(SPRING_KEYS[1], "x")
    await spring.set(SPRING_KEYS[2], "a user")


async def test_nothing_outside_the_prefix(shared: SharedRedis) -> None:
    """Every command that reads, lists, changes or subscribes to what is not ours, or rules the server, is refused."""
    async with shared.user("spring") as spring, shared.user("python") as python:
        await settle(spring)
        for command in OUTSIDE:
            with pytest.raises((NoPermissionError, ResponseError), match=r"(?i)permission|ACL|BY option|not allowed"):
                await python.execute_command(*command.split())
        assert await spring.get("users::42") == "a user"


async def test_needed_commands_are_allowed(shared: SharedRedis) -> None:
    """Under the prefix everything works; of a session only that it exists and is logged in."""
    async with shared.user("spring") as spring, shared.user("python") as python:
        await settle(spring)
        assert await python.set("python:a", "1", px=1000)
        assert await python.get("python:a") == "1"
        assert await python.delete("python:a") == 1
        assert await python.xadd("python:entries", {"body": "{}"}, maxlen=10)
        assert await python.xread({"python:entries": "0"}, block=10)
        assert (await python.info("memory"))["maxmemory_policy"]
        assert await python.exists(SESSION)
        assert await python.hstrlen(SESSION, "sessionAttr:SPRING_SECURITY_CONTEXT")
        assert await python.hmget(SESSION, "lastAccessedTime", "maxInactiveInterval") == ["x", None]


async def test_the_default_user_is_shut(shared: SharedRedis) -> None:
    """A client without a user name is refused."""
    assert shared.command("GET", "users::42").startswith(b"-NOAUTH")


async def hold_to_the_rules(server: SharedRedis, commands: list[Command]) -> None:
    """Nothing forbidden was commands, every key named is ours, and every key of ours ends by itself or is bounded."""
    assert commands
    assert not FORBIDDEN & {command.name for command in commands}
    named = {key for command in commands for key in command.keys}
    assert named
    assert all(key.startswith("python:") for key in named)
    async with server.user("watcher") as watcher:
        for key in await watcher.keys("python:*"):
            bounded = await watcher.pttl(key) > 0 or await watcher.type(key) == "stream"
            assert bounded, key
    for command in commands:
        if command.name == "XADD":
            assert {"MAXLEN", "MINID"} & {word.upper() for word in command.words}, command


async def test_the_cache_keeps_to_itself(shared: SharedRedis) -> None:
    """RedisCache under the ACL: no key but its own, each with a TTL; Spring's keys stay as they were."""
    async with shared.user("spring") as spring:
        await settle(spring)
        before = await spring.hgetall(SESSION)
        cache = RedisCache(connect(RedisAddress("127.0.0.1", shared.port, 0, "python", "python-secret")), "python:")
        async with shared.watched() as commands:
            for number in range(20):
                await cache.set(f"markets:{number}", b"{}", 60)
                assert await cache.get(f"markets:{number}") == b"{}"
            await cache.delete("markets:1", "markets:2")
            assert cache.name == "redis_cache"
        await hold_to_the_rules(shared, commands)
        assert await spring.hgetall(SESSION) == before
        assert 0 < await spring.ttl(SESSION) <= 1800
        await cache.close()


async def test_a_wrong_password_is_a_redis_that_is_down(shared: SharedRedis) -> None:
    """Refused is down: memory takes over, and the server is not asked again and again."""
    cache = RedisCache(connect(RedisAddress("127.0.0.1", shared.port, 0, "python", "wrong")), "python:")
    await cache.set("a", b"1", 60)
    assert await cache.get("a") == b"1"
    assert cache.name == "memory_cache"
    await cache.close()


@pytest.mark.slow
async def test_two_services_keep_to_themselves(shared: SharedRedis, tmp_path: Path) -> None:
    """Two whole services beside Spring, trades and requests for some seconds: the rules hold for all that they say."""
    with running_simulator(tmp_path) as exchange:
        async with shared.user("spring") as spring, FakeBot().serving() as bot:
            await settle(spring)
            before = await spring.hgetall(SESSION)
            services = [make_service(bot, tmp_path) for _ in range(2)]
            for service in services:
                service.env |= {
                    "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(shared.port), "REDIS_USERNAME": "python",
                    "REDIS_PASSWORD": "python-secret", "KALSHI_API_URL": exchange.url,
                    "KALSHI_API_KEY": "demo-rsa", "KALSHI_RSA_KEY_PATH": str(exchange.keys["demo-rsa"]),
                }  # fmt: skip
            async with shared.watched() as commands, services[0], services[1], aiohttp.ClientSession() as session:
                for number in range(10):
                    bot.trade()
                    base = f"http://{services[number % 2].address}/api/python"
                    for path in ("/markets/", "/portfolio/summary", "/portfolio/fills", "/sse/stats", "/health"):
                        async with session.get(base + path) as answer:
                            assert answer.status == 200, await answer.text()
                    await asyncio.sleep(0.2)
            await hold_to_the_rules(shared, commands)
            # the cache and the relay between the workers were both at work
            assert {"SET", "XADD", "XREAD"} <= {command.name for command in commands}
            assert await spring.hgetall(SESSION) == before
            assert await spring.get("users::42") == "a user"
            assert 0 < await spring.ttl(SESSION) <= 1800
