"""Announces new entries and the bot's snapshot to the other workers over a Redis stream.

Entries themselves are read from the journal: an announcement only says that there are new ones. So whatever Redis
loses costs time and nothing else. A message that cannot be sent at once is dropped.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from redis.exceptions import RedisError

from cache.decimal_json import dumps, loads
from cluster.component_health import ComponentHealth

Client: TypeAlias = Any  # a redis.asyncio.Redis
KEPT: Final = 1000  # messages in the stream, about
LIFETIME: Final = 86_400  # seconds that an unused stream stays
BLOCK: Final = 5.0  # seconds that a read waits; the reading client's own timeout must be longer
WAITING: Final = 1000  # messages that may wait to be sent


class Relay:
    """key: returns the Redis stream's key; it names the physical journal, so that a copy announces to nobody.

    writer: a client with a short timeout; reader: one with a timeout longer than BLOCK; close() closes both.
    on_entries is called with the last seq that another worker wrote, on_snapshot with the bot's snapshot.
    """

    def __init__(
        self, writer: Client, reader: Client, key: Callable[[], str], worker: str, on_entries: Callable[[int], None],
        on_snapshot: Callable[[str], None], health: ComponentHealth,
    ) -> None:  # fmt: skip
        self._writer = writer
        self._reader = reader
        self._key = key
        self._worker = worker
        self._on_entries = on_entries
        self._on_snapshot = on_snapshot
        self._outbox: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._place = ("", "")  # key and id of the last message that was read
        self.health = health
        self.reading = False  # messages of the others arrive

    def announce(self, seq: int) -> None:
        """Announce that the journal's entries go up to seq; returns at once."""
        self._post({"head": seq})

    def send_snapshot(self, text: str) -> None:
        """Send the bot's snapshot; returns at once."""
        self._post({"snapshot": text})

    async def send(self) -> None:
        """Send messages as they are posted."""
        while True:
            messages = [await self._outbox.get()]
            while not self._outbox.empty() and len(messages) < KEPT:
                messages.append(self._outbox.get_nowait())
            try:
                pipe = self._writer.pipeline(transaction=False)
                for message in messages:
                    pipe.xadd(self._key(), {"from": self._worker, "news": message}, maxlen=KEPT, approximate=True)
                pipe.expire(self._key(), LIFETIME)
                await pipe.execute()
                self.health.counters["sent"] += len(messages)
            except (RedisError, OSError) as error:
                self._failed(error)
                await asyncio.sleep(1.0)

    async def receive(self) -> None:
        """Receive the messages of the other workers."""
        while True:
            try:
                key, place = await self._next_place()
                found = await self._reader.xread({key: place}, count=100, block=int(BLOCK * 1000))
            except (RedisError, OSError) as error:
                self._failed(error)
                await asyncio.sleep(1.0)
                continue
            if not self.reading:
                self.reading = True
                self.health.succeed()
            self.health.last_success = self.health.clock()
            for _, messages in found or ():
                for id, fields in messages:
                    self._place = (key, id.decode())
                    self._take(fields)

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._writer, self._reader):
            try:
                async with asyncio.timeout(0.5):
                    await client.aclose()
            except (RedisError, OSError) as error:  # TimeoutError is an OSError
                self.health.set_idle(f"closing: {type(error).__name__}")

    async def _next_place(self) -> tuple[str, str]:
        key = self._key()
        if self._place[0] != key:
            # The stream's last id: an explicit place, since "$" would skip what comes between two reads.
            last = await self._reader.xrevrange(key, count=1)
            self._place = (key, last[0][0].decode() if last else "0-0")
        return self._place

    def _post(self, message: dict[str, object]) -> None:
        try:
            self._outbox.put_nowait(dumps(message))
        except asyncio.QueueFull:
            self.health.counters["dropped"] += 1

    def _take(self, fields: dict[bytes, bytes]) -> None:
        if fields.get(b"from") == self._worker.encode():
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

    def _failed(self, error: Exception) -> None:
        self.reading = False
        self.health.fail(f"Redis: {type(error).__name__}; workers follow each other through the journal, slower")
