"""Carries entries and the bot's pulse between workers over a Redis stream; the journal stays the truth.

Whatever Redis loses, trims or forgets is a hole in seq for the feed, which then reads the journal. So nothing here is
retried: news that cannot be sent at once is dropped, and health says that the others are slower now.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from redis.exceptions import RedisError

from cache.decimal_json import dumps, loads
from cluster.component_health import ComponentHealth
from journal.entries import KINDS, Entry

Client: TypeAlias = Any  # a redis.asyncio.Redis
KEPT: Final = 1000  # messages in the stream, about
LIFETIME: Final = 86_400  # seconds that an unused stream stays
PER_MESSAGE: Final = 100  # entries
BLOCK: Final = 5.0  # seconds that a read waits; the reading client's own timeout must be longer
WAITING: Final = 1000  # messages that may wait to be sent


class Relay:
    """writer: a client with a short timeout; reader: one with a timeout longer than BLOCK. Both are closed with us."""

    def __init__(
        self, writer: Client, reader: Client, key: str, worker: str, offer: Callable[[Sequence[Entry]], None],
        heard: Callable[[str], None], health: ComponentHealth,
    ) -> None:  # fmt: skip
        self._writer = writer
        self._reader = reader
        self._key = key
        self._worker = worker
        self._offer = offer
        self._heard = heard
        self._outbox: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._place = ""  # id of the last message that we saw
        self.health = health
        self.reading = False  # news of the others reaches us

    def entries(self, entries: Sequence[Entry]) -> None:
        """Tell the others; returns at once."""
        for start in range(0, len(entries), PER_MESSAGE):
            self._post("entries", [_pack(entry) for entry in entries[start : start + PER_MESSAGE]])

    def pulse(self, text: str) -> None:
        """Tell the others how the bot is; returns at once."""
        self._post("pulse", text)

    async def send(self) -> None:
        """Send what is posted, for ever."""
        while True:
            news = [await self._outbox.get()]
            while not self._outbox.empty() and len(news) < KEPT:
                news.append(self._outbox.get_nowait())
            try:
                pipe = self._writer.pipeline(transaction=False)
                for each in news:
                    pipe.xadd(self._key, {"from": self._worker, "news": each}, maxlen=KEPT, approximate=True)
                pipe.expire(self._key, LIFETIME)
                await pipe.execute()
                self.health.counters["sent"] += len(news)
            except (RedisError, OSError) as wrong:
                self._failed(wrong)
                await asyncio.sleep(1.0)

    async def listen(self) -> None:
        """Hear the others, for ever."""
        while True:
            try:
                if not self._place:
                    self._place = await self._end()
                found = await self._reader.xread({self._key: self._place}, count=100, block=int(BLOCK * 1000))
            except (RedisError, OSError) as wrong:
                self._failed(wrong)
                await asyncio.sleep(1.0)
                continue
            if not self.reading:
                self.reading = True
                self.health.succeed()
            self.health.last_success = self.health.clock()
            for _, messages in found or ():
                for place, fields in messages:
                    self._place = place.decode()
                    self._take(fields)

    async def close(self) -> None:
        """Give the connections back."""
        for client in (self._writer, self._reader):
            try:
                async with asyncio.timeout(0.5):
                    await client.aclose()
            except (RedisError, OSError) as wrong:  # TimeoutError is an OSError
                self.health.set_idle(f"closing: {type(wrong).__name__}")

    async def _end(self) -> str:
        """The stream's last id: an explicit place, since "$" would skip what comes between two reads."""
        last = await self._reader.xrevrange(self._key, count=1)
        return last[0][0].decode() if last else "0-0"

    def _post(self, kind: str, what: object) -> None:
        try:
            self._outbox.put_nowait(dumps({kind: what}))
        except asyncio.QueueFull:
            self.health.counters["dropped"] += 1

    def _take(self, fields: dict[bytes, bytes]) -> None:
        if fields.get(b"from") == self._worker.encode():
            return
        try:
            news = loads(fields[b"news"])
            entries = [_unpack(each) for each in news.get("entries", ())]
            pulse = str(news.get("pulse", ""))
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError):
            self.health.counters["unreadable"] += 1  # an older version's, or a stranger's; the journal has what matters
            return
        # Beyond the try: a mistake in who listens here must be seen, not be taken for bad news.
        self.health.counters["heard"] += 1
        if entries:
            self._offer(entries)
        if pulse:
            self._heard(pulse)

    def _failed(self, wrong: Exception) -> None:
        self.reading = False
        self.health.fail(f"Redis: {type(wrong).__name__}; workers hear of each other through the journal, slower")


def _pack(entry: Entry) -> list[object]:
    return [entry.seq, entry.kind, entry.timestamp, entry.ticker, entry.source, entry.body, entry.checksum]


def _unpack(packed: Any) -> Entry:
    seq, kind, timestamp, ticker, source, body, *checksum = packed  # version 0.1 sends no checksum
    if not isinstance(seq, int) or kind not in KINDS:
        raise ValueError(f"expected an entry, got kind {kind!r:.20}")
    return Entry(seq, kind, Decimal(timestamp), str(ticker), str(source), str(body), *map(str, checksum[:1]))
