"""Contents of /sse/stats and /sse/clients: counts, quantiles, networks, no addresses."""

import pytest

from streams.event import Chunk
from streams.stats import Histogram, Stats, add_up, client, client_network, network
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


def test_quantiles_are_bounds_of_buckets() -> None:
    """Buckets grow by a quarter from 10 us; a duration on a bound belongs below it; the 80th takes the rest."""
    histogram = Histogram()
    histogram.add(1e9)
    assert histogram.quantile(0.5) == pytest.approx(1e-5 * 1.25**79)
    assert histogram.total == 1
    for share, power in ((0.01, 0), (0.98, 0), (0.99, 5), (1.0, 5)):
        histogram = Histogram()
        histogram.add(0.0, 98)
        histogram.add(1.2e-5 * 1.25**4, 2)
        assert histogram.quantile(share) == pytest.approx(1e-5 * 1.25**power), share


def test_the_numbers_of_all_streams() -> None:
    """Each count under its name; ends by slowness stand beside the others, latencies are in milliseconds."""
    stats = Stats(opened=3, stalled=1, replays_running=2, replays_waiting=5)
    stats.resumes["fresh"] += 2
    stats.ends.update({"slow": 4, "gone": 1})
    none = {"p50": None, "p99": None}
    assert stats.view(2, 9) == {
        "open": 2, "position": 9, "opened": 3, "events": 0, "bytes": 0, "resumes": {"fresh": 2},
        "ends": {"slow": 4, "gone": 1}, "slow": 4, "stalled": 1, "replays": {"running": 2, "waiting": 5},
        "latency_ms": none,
    }  # fmt: skip
    stats.record(Chunk(b"12", 1, born=1.0), 1.0)
    stats.record(Chunk(b"12", 1, born=1.0), 5.0, 0)  # sent to nobody
    view = stats.view(2, 9)
    assert (view["events"], view["bytes"], stats.latency.total) == (1, 2, 1)
    assert view["latency_ms"] == {"p50": 0.01, "p99": 0.01}


@pytest.mark.parametrize(
    ("wants", "position", "lag"),
    [(Wants(True, False), 12, 0), (Wants(True, True), 0, 10), (Wants(True, True), None, 0), (Wants(False, True), 3, 0)],
)
def test_the_lag_of_a_stream(wants: Wants, position: int | None, lag: int) -> None:
    """Entries that it still needs: none where it is ahead, has no place yet or carries no entries."""
    reader = Subscriber("x", wants, "local", 100.0, SendQueue(5, 100), _send, 1.0)
    reader.position = position
    assert client(reader, 10, 100.12345) == {
        "stream": "x", "age": 0.123, "position": position, "lag": lag, "queued": 0, "network": "local",
    }  # fmt: skip


def test_a_client_without_an_address_is_local() -> None:
    """A Unix socket has none; another address gives its network."""
    assert client_network({}) == client_network({"client": None}) == "local"
    assert client_network({"client": ("203.0.113.77", 5)}) == "203.0.113.0/24"


def test_workers_are_added_up() -> None:
    """Counts are summed, also where one worker has none; of positions and latencies the greatest counts."""
    one = {"open": 1, "position": 7, "ends": {"slow": 1}, "latency_ms": {"p50": 2.0, "p99": None}}
    other = {"open": 2, "position": 5, "ends": {"gone": 3}, "latency_ms": {"p50": 1.0, "p99": 9.0}, "new": 4}
    assert add_up([one, other]) == {
        "open": 3, "position": 7, "ends": {"slow": 1, "gone": 3}, "latency_ms": {"p50": 2.0, "p99": 9.0}, "new": 4,
    }  # fmt: skip
    assert add_up([]) == {}
