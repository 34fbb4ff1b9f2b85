"""The other workers over Redis: a stream that announces new entries and the bot's snapshot, and a registry of workers.

Entries themselves are read from the journal: an announcement only says that there are new ones. So a message
that Redis loses costs time only. A message that cannot be sent at once is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.exceptions import RedisError

from cache.decimal_json import dumps, loads
from cache.redis import connect
from cluster.component_health import ComponentHealth
from cluster.workers import PrefixInUse, RelaySettings, Workers
from journal.base import Journal
from journal.entries import Entry

KEPT: Final = 1000  # messages in the stream, about
LIFETIME: Final = 86_400  # seconds that an unused stream stays
BLOCK: Final = 5.0  # seconds that a read waits; the reading client's own timeout must be longer
WAITING: Final = 1000  # messages that may wait to be sent
CLAIM: Final = 15  # seconds that a journal's claim on the prefix outlives its last worker
EVERY: Final = 2.0  # seconds between two registrations
FRESH: Final = 3 * EVERY  # seconds after which a worker's snapshot is that of a dead one
CLOSING: Final = 0.5  # seconds that each of the farewells may take


class Relay(Workers):
    """Keys name the physical journal, so that a copy of it announces nothing to readers of the original."""

    def __init__(
        self, health: ComponentHealth, settings: RelaySettings, journal: Journal, on_entries: Callable[[int], None],
        on_snapshot: Callable[[str], None],
    ) -> None:  # fmt: skip
        super().__init__(health)
        self.client = connect(settings.redis, connections=4)
        self.reader = connect(settings.redis, BLOCK + 3, 1)
        self._prefix, self._snapshot, self._journal = settings.prefix, settings.snapshot, journal
        self._on_entries, self._on_snapshot = on_entries, on_snapshot
        self._outbox: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._place = ("", "")  # key and id of the last message that was read

    def _key(self, kind: str) -> str:
        return f"{self._prefix}{kind}:{self._journal.identity}"

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.send, self.receive, self.register]

    def announce(self, entries: Sequence[Entry]) -> None:
        self._post({"head": entries[-1].seq})

    def send_snapshot(self, text: str) -> None:
        self._post({"snapshot": text})

    def _post(self, message: dict[str, object]) -> None:
        try:
            self._outbox.put_nowait(dumps(message))
        except asyncio.QueueFull:
            self.health.counters["dropped"] += 1

    async def send(self) -> None:
        while True:
            messages = [await self._outbox.get()]
            while not self._outbox.empty() and len(messages) < KEPT:
                messages.append(self._outbox.get_nowait())
            key = self._key("relay")
            try:
                pipe = self.client.pipeline(transaction=False)
                for message in messages:
                    pipe.xadd(key, {"from": self.name, "news": message}, maxlen=KEPT, approximate=True)
                pipe.expire(key, LIFETIME)
                await pipe.execute()
                self.health.counters["sent"] += len(messages)
            except (RedisError, OSError) as error:
                await self._failed(error)

    async def receive(self) -> None:
        while True:
            try:
                key = self._key("relay")
                if self._place[0] != key:
                    # The stream's last id: an explicit place, since "$" would skip what comes between two reads.
                    last = await self.reader.xrevrange(key, count=1)
                    self._place = (key, last[0][0].decode() if last else "0-0")
                found = await self.reader.xread({key: self._place[1]}, count=100, block=int(BLOCK * 1000))
            except (RedisError, OSError) as error:
                await self._failed(error)
                continue
            if not self.receiving:
                self.receiving = True
                self.health.succeed()
            self.health.last_success = self.health.clock()
            for _, messages in found or ():
                for id, fields in messages:
                    self._place = (key, id.decode())
                    self._take(fields)

    def _take(self, fields: dict[bytes, bytes]) -> None:
        if fields.get(b"from") == self.name.encode():
            return
        try:
            message = loads(fields[b"news"])
            head, snapshot = message.get("head", 0), str(message.get("snapshot", ""))
            if not isinstance(head, int):
                raise ValueError(f"head: expected an integer, got {head!r:.20}")
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
            self.health.counters["unreadable"] += 1
            return
        # Outside of the try: an error of a listener must not be counted as an unreadable message.
        self.health.counters["heard"] += 1
        if head:
            self._on_entries(head)
        if snapshot:
            self._on_snapshot(snapshot)

    async def _failed(self, error: Exception) -> None:
        self.receiving = False
        self.health.fail(f"Redis: {type(error).__name__}; workers follow each other through the journal, slower")
        await asyncio.sleep(1.0)

    async def join(self) -> None:
        try:
            await self._claim()
        except PrefixInUse:
            await self._close()
            raise
        except (RedisError, OSError):
            return  # the health shows it with the first message, and the claim is repeated with each registration

    async def register(self) -> None:
        while True:
            with suppress(RedisError, OSError):  # the health shows it
                try:
                    await self._claim()
                except PrefixInUse as error:
                    self.health.fail(str(error))
                pipe = self.client.pipeline(transaction=False)
                pipe.hset(self._key("workers"), self.name, dumps({"at": self.health.clock(), **self._snapshot()}))
                pipe.expire(self._key("workers"), int(10 * FRESH))
                await pipe.execute()
            await asyncio.sleep(EVERY)

    async def gather(self) -> list[dict[str, Any]]:
        try:
            rows = await self.client.hgetall(self._key("workers"))
            dead = [name for name, text in rows.items() if not self._is_fresh(text, 10 * FRESH)]
            if dead:
                await self.client.hdel(self._key("workers"), *dead)
        except (RedisError, OSError):
            return []
        others = [text for name, text in rows.items() if name != self.name.encode()]
        return [loads(text) for text in others if self._is_fresh(text, FRESH)]

    async def leave(self) -> None:
        with suppress(RedisError, OSError):  # both keys have a TTL; TimeoutError is an OSError
            async with asyncio.timeout(CLOSING):
                await self.client.hdel(self._key("workers"), self.name)
                if not await self.client.hlen(self._key("workers")):
                    await self.client.delete(f"{self._prefix}journal", self._key("workers"))
        await self._close()

    async def _close(self) -> None:
        for client in (self.client, self.reader):
            try:
                async with asyncio.timeout(CLOSING):
                    await client.aclose()
            except (RedisError, OSError) as error:
                self.health.set_idle(f"closing: {type(error).__name__}")

    async def _claim(self) -> None:
        """Claim the prefix for this journal. Raises PrefixInUse when it is another's.

        The same epoch (a copy of this journal, or a worker of version 0.1) and the same physical journal (after a new
        epoch) are no other journal.
        """
        key, journal = f"{self._prefix}journal", self._journal
        claim = await self.client.get(key)
        epoch, _, identity = (claim or b"").decode("ascii", "replace").partition(" ")
        if claim is not None and epoch != journal.epoch and identity != journal.identity:
            raise PrefixInUse(key, ascii(epoch[:32])[1:-1], journal.epoch)
        await self.client.set(key, f"{journal.epoch} {journal.identity}", ex=CLAIM)

    def _is_fresh(self, text: bytes, age: float) -> bool:
        try:
            return abs(self.health.clock() - float(loads(text)["at"])) < age
        except (KeyError, TypeError, ValueError, RecursionError):
            return False
