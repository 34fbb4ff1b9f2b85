"""Contents of /sse/stats and /sse/clients: counts, quantiles, networks, no addresses."""

import pytest

from streams.event import Chunk
from streams.stats import Histogram, Stats, client, network
from streams.subscriber import SendQueue, Subscriber, Wants


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 0.0003, 0.02, 1.5, 90.0, 1e6])
def test_quantiles_are_right_within_a_quarter(seconds: float) -> None:
    """Small, large and beyond: the bucket's upper bound is quantile."""
    histogram = Histogram()
    histogram.add(seconds, 100)
    quantile = histogram.quantile(0.99)
    assert quantile is not None
    assert quantile >= min(seconds, 400)
    assert quantile <= max(seconds * 1.26, 1.3e-5)


def test_quantiles_part_the_many_from_the_few() -> None:
    """Two of a hundred are slow: the median does not see them, p99 does. Before the first there is none."""
    histogram = Histogram()
    assert histogram.quantile(0.5) is None
    histogram.add(0.001, 98)
    histogram.add(1.0, 2)
    assert (histogram.quantile(0.5) or 0) < 0.002
    assert (histogram.quantile(0.99) or 0) >= 1.0


def test_counts_events_and_bytes_of_every_reader() -> None:
    """A chunk of two events to three readers is six events; what was never published has no latency."""
    stats = Stats()
    stats.record(Chunk(b"12345", 2, born=1.0), 1.5, 3)
    stats.record(Chunk(b"1", 1), 9.0)
    view = stats.view(3, 7)
    assert (view["events"], view["bytes"], view["open"], view["position"]) == (7, 16, 3, 7)
    assert 500 <= view["latency_ms"]["p50"] <= 625


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "local"),
        ("testclient", "local"),
    ],
)
def test_shows_the_network_only(host: str, shown: str) -> None:
    """Enough to see the source of load, without the client's address."""
    assert network(host) == shown


async def _send(message: object) -> None:
    raise AssertionError(message)


def test_a_stream_in_one_line() -> None:
    """Name, age, place, lag and what waits."""
    reader = Subscriber("trades", Wants(True, False), "10.1.2.0/24", 100.0, SendQueue(5, 100), _send, 1.0)
    reader.position = 7
    reader.queue.put_nowait(Chunk(b"x", 1))
    assert client(reader, 10, 112.5) == {
        "stream": "trades", "age": 12.5, "position": 7, "lag": 3, "queued": 1, "network": "10.1.2.0/24",
    }  # fmt: skip
