"""Checks of streams: arrival, end, and many at once."""

import pytest

from commands.doctor import stream_checks
from commands.doctor.probe import ProbedPage, ProbedStream
from streams.event import PING, bye
from tests.support.evidence import HELLO, page, stream

STANDBY = b'retry: 1500\n: the service is not there at the moment\nevent: bye\ndata: {"reason":"away"}\n\n'
AWAY = stream((0.01, STANDBY), ended=0.02)
FULL = stream((0.01, bye("full", 20)), ended=0.02)
GOOD = stream((0.01, HELLO), (9.0, PING))


@pytest.mark.parametrize(("received", "level", "name"), [
    (GOOD, "ok", "/sse/trading"),
    (stream((0.1, b"\x1f\x8b"), (9.0, b"\x00"), content_encoding="gzip"), "wrong", "compression"),
    (ProbedStream(), "wrong", "buffering"),
    (stream(), "wrong", "buffering"),
    (stream((8.0, HELLO), (16.0, PING)), "wrong", "buffering"),
    (stream((0.01, HELLO)), "wrong", "buffering"),
    (stream((0.01, HELLO), ended=5.01), "wrong", "idle cut"),
    (stream((0.01, HELLO), (9.0, PING), ended=9.1), "wrong", "broken off"),
    (stream((0.01, STANDBY), ended=0.02), "wrong", "standby"),
    (stream((0.01, HELLO), (3.0, bye("shutdown", 2)), ended=3.0), "note", "ended"),
    (FULL, "note", "ended"),
    (stream(ended=0.1, status=503, content_type="text/html"), "wrong", "stream refused"),
    (stream(ended=0.1, content_type="text/html"), "wrong", "stream refused"),
    (stream(ended=0.1, status=429), "note", "rate limit"),
    (ProbedStream(ended=0.0, why="nothing answers"), "wrong", "stream refused"),
], ids=[
    "good", "gzip", "no header", "no bytes", "late", "then silence", "cut", "broken", "standby", "shutdown", "full",
    "503", "html", "429", "refused",
])  # fmt: skip
def test_streams(received: ProbedStream, level: str, name: str) -> None:
    """Each way of arrival and end has one name."""
    (found,) = stream_checks.streams({"trading": received}, 17, starved=False)
    assert (found.level, found.name) == (level, name)


def test_streams_together() -> None:
    """One fault of several streams is reported once; starvation is not reported as buffering too."""
    received = {"trading": ProbedStream(), "trades": ProbedStream(), "status": GOOD}
    names = [finding.name for finding in stream_checks.streams(received, 17, starved=False)]
    assert names == ["/sse/status", "buffering"]
    assert [finding.name for finding in stream_checks.streams(received, 17, starved=True)] == ["/sse/status"]


def test_a_good_stream_is_counted() -> None:
    """A stream with its content and its speed."""
    (found,) = stream_checks.streams({"trading": GOOD}, 17, starved=False)
    assert found.words == "first bytes after 10 ms, 1 events and 1 pings in 17 s"


ANSWERED, SILENT = page(200, {}), ProbedPage(0, {}, b"no answer within 2.4 s", 2.4)


@pytest.mark.parametrize(("received", "rest", "prompt", "level", "name"), [
    ([GOOD, GOOD], ANSWERED, True, "ok", "threads"),
    ([GOOD, GOOD], SILENT, True, "wrong", "threads"),
    ([GOOD, ProbedStream()], ANSWERED, True, "wrong", "threads"),
    ([ProbedStream(), ProbedStream()], ANSWERED, False, "ok", "threads"),  # buffered: that is said elsewhere
    ([GOOD, stream(status=503)], ANSWERED, True, "wrong", "stream refused"),
    ([GOOD, AWAY], ANSWERED, True, "note", "stream limit"),
    ([GOOD, FULL], ANSWERED, True, "note", "stream limit"),
    ([GOOD, stream(status=429)], ANSWERED, True, "note", "rate limit"),
], ids=["good", "rest starves", "one starves", "buffered", "503", "standby", "full", "429"])  # fmt: skip
def test_crowd(received: list[ProbedStream], rest: ProbedPage, prompt: bool, level: str, name: str) -> None:
    """Many streams at once, and a plain request beside them."""
    found = stream_checks.crowd(stream_checks.Crowd(received, rest), prompt)
    assert (found.level, found.name) == (level, name)


@pytest.mark.parametrize(("received", "level"), [
    (AWAY, "ok"), (stream(status=503, content_type="text/html"), "wrong"),
    (ProbedStream(ended=1.0, why="gone"), "note"),
], ids=["standby", "503", "gone"])  # fmt: skip
def test_standby(received: ProbedStream, level: str) -> None:
    """While the service is away a stream's URL must still be an event stream."""
    assert stream_checks.standby(received).level == level
