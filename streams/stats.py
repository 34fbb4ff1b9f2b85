"""Numbers about the streams: the contents of /sse/stats and /sse/clients."""

import functools
import ipaddress
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.event import Chunk
from streams.subscriber import Subscriber


class Histogram:
    """Durations in buckets that grow by a quarter, so that a quantile is right within an eighth."""

    _FIRST = 1e-5  # seconds; the upper bound of the first bucket
    _GROWTH = 1.25
    _BUCKETS = 80  # the last one begins at about eight minutes

    def __init__(self) -> None:
        self._counts = [0] * self._BUCKETS
        self.total = 0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a duration `times` times."""
        index = math.ceil(math.log(max(seconds, self._FIRST) / self._FIRST, self._GROWTH))
        self._counts[min(index, self._BUCKETS - 1)] += times
        self.total += times

    def quantile(self, share: float) -> float | None:
        """Return the duration, in seconds, that this share of all did not exceed; None before the first."""
        if not self.total:
            return None
        left = share * self.total
        bound = self._FIRST
        for count in self._counts:
            left -= count
            if left <= 0:
                break
            bound *= self._GROWTH
        return bound


@dataclass(slots=True)
class Stats:
    """Counts since the start, which never go down, and the replays of this moment."""

    opened: int = 0
    events: int = 0
    bytes: int = 0
    resumes: Counter[str] = field(default_factory=Counter)  # by outcome
    ends: Counter[str] = field(default_factory=Counter)  # by reason; gone: the reader left
    stalled: int = 0
    replays_running: int = 0  # pages that are read now
    replays_waiting: int = 0  # replays that wait for their turn to read one
    latency: Histogram = field(default_factory=Histogram)  # from publish to write

    def record(self, chunk: Chunk, now: float, readers: int = 1) -> None:
        """Count a chunk that was sent to so many readers. now: by the clock that gave chunk.born."""
        self.events += chunk.events * readers
        self.bytes += len(chunk.body) * readers
        if chunk.born and readers:
            self.latency.add(now - chunk.born, readers)

    def view(self, open_streams: int, position: int) -> dict[str, Any]:
        """Return the numbers for GET /sse/stats; durations in milliseconds."""
        return {
            "open": open_streams, "position": position, "opened": self.opened,
            "events": self.events, "bytes": self.bytes, "resumes": dict(self.resumes), "ends": dict(self.ends),
            "slow": self.ends["slow"], "stalled": self.stalled,
            "replays": {"running": self.replays_running, "waiting": self.replays_waiting},
            "latency_ms": {"p50": _ms(self.latency.quantile(0.5)), "p99": _ms(self.latency.quantile(0.99))},
        }  # fmt: skip


def client(subscriber: Subscriber, head: int, now: float) -> dict[str, Any]:
    """Return one open stream for GET /sse/clients; of its reader only the network.

    lag: entries that were not sent to it yet. queued: events in its queue.
    """
    place = subscriber.position
    return {
        "stream": subscriber.name, "age": round(now - subscriber.since, 3), "position": place,
        "lag": max(head - place, 0) if place is not None and subscriber.wants.entries else 0,
        "queued": len(subscriber.queue), "network": subscriber.network,
    }  # fmt: skip


def client_network(scope: Mapping[str, Any]) -> str:
    """Return the network of the client of a request, /24 or /48."""
    return network((scope.get("client") or ("",))[0])


@functools.lru_cache(maxsize=4096)
def network(host: str) -> str:
    """Return the /24 or /48 that an address belongs to, "local" for anything else (a Unix socket)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "local"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def add_up(views: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the numbers of several workers as one: the sum of counts, the greatest of positions and latencies."""
    total: dict[str, Any] = functools.reduce(functools.partial(_both, ""), views, {})
    return total


def _both(name: str, one: Any, other: Any) -> Any:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        names = {**one, **other}
        greatest = name.endswith("_ms")
        return {each: _both("position" if greatest else each, one.get(each), other.get(each)) for each in names}
    if one is None or other is None:
        return other if one is None else one
    return max(one, other) if name == "position" else one + other
