"""Chromium's own EventSource and the frames that the streams rely on."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Streams(ThreadingHTTPServer):
    """Answers each connection with the next of `bodies`, and keeps the cursors that readers came with."""

    def __init__(self, bodies: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.bodies = bodies
        self.cursors: list[str | None] = []


class Answer(BaseHTTPRequestHandler):
    """A page at /, a short stream elsewhere."""

    server: Streams

    def do_GET(self) -> None:
        if self.path != "/stream":
            self._send("text/html", "<!doctype html><title>test</title>")
            return
        cursors = self.server.cursors
        cursors.append(self.headers.get("Last-Event-ID"))
        self._send("text/event-stream", self.server.bodies[min(len(cursors), len(self.server.bodies)) - 1])

    def _send(self, media: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def streams(request: pytest.FixtureRequest) -> Iterator[Streams]:
    """A server of the bodies that the test is parametrised with."""
    with Streams(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


ID_ONLY = ["retry: 50\n: hello\nid: abcd1234-7\n\n"]
MOVED = ["retry: 50\nid: abcd1234-7\n\nevent: heartbeat\ndata: {}\n\n", "retry: 50\nid: abcd1234-9\ndata: x\n\n"]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        pytest.param(ID_ONLY, [None, "abcd1234-7", "abcd1234-7"], id="kept though nothing was dispatched"),
        pytest.param(MOVED, [None, "abcd1234-7", "abcd1234-9"], id="kept over events without an id, then moved"),
    ],
    indirect=["streams"],
)
def test_an_id_only_frame_is_a_cursor(chrome: Chrome, streams: Streams, expected: list[str | None]) -> None:
    """A reader cut before its first trade comes back with the cursor that an id-only frame gave it."""
    chrome.open(f"http://127.0.0.1:{streams.server_port}/")
    chrome.run("window.events = new EventSource('/stream')")
    until(lambda: len(streams.cursors) >= 3)
    chrome.run("window.events.close()")
    assert streams.cursors[:3] == expected
