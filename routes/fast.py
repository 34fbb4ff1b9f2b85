"""A whole answer past uvicorn's send(), where the server is a uvicorn that we know, and only there.

Remove this file and what headers.py takes from it, and every answer goes by public ASGI.
"""

import copy
from types import SimpleNamespace
from typing import Any, Final

from streams.step import begin

OK: Final = b"HTTP/1.1 200 OK\r\n"
COPIED: Final = (
    "uvicorn.protocols.http.httptools_impl"  # whose cycle shares no parser, so that it may be tried on a copy
)
_alike: dict[type, bool] = {}  # by the server's class: what the feature test found


def answer(send: Any, head: bytes, body: bytes) -> bool:
    """Write an answer with status 200 to a GET at once; False when it must go the public way.

    head: the header lines, Content-Length among them. It does what send() does for the two messages of an answer, less
    two regular expressions for each header and the second write, which were half of a cached answer's CPU in Python.
    It refuses whenever send() would wait, log or do nothing.
    """
    cycle: Any = getattr(send, "__self__", None)
    kind = type(cycle)
    if kind not in _alike:
        _alike[kind] = alike(cycle)
    if not _alike[kind] or cycle.response_started or cycle.access_log:
        return False
    if cycle.flow.write_paused or cycle.disconnected:
        return False
    _answer(cycle, head, body)
    return True


def alike(cycle: Any) -> bool:
    """The feature test: two copies of a cycle, one answered by its send() and one by us, write and end the same."""
    if type(cycle).__module__ != COPIED:
        return False
    headers, body = [(b"content-length", b"2"), (b"age", b"0")], b"{}"
    try:
        for keep_alive in (True, False):
            public, ours = Copy(cycle, keep_alive), Copy(cycle, keep_alive)
            begin(public.cycle.send({"type": "http.response.start", "status": 200, "headers": [*headers]}))
            begin(public.cycle.send({"type": "http.response.body", "body": body}))
            _answer(ours.cycle, lines(headers), body)
            if public.outcome() != ours.outcome():
                return False
    except Exception:  # noqa: BLE001  a uvicorn that has changed may fail in any way; then we do not know it
        return False
    return True


def lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are written."""
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def _answer(cycle: Any, head: bytes, body: bytes) -> None:
    end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
    cycle.response_started = cycle.response_complete = True
    cycle.chunked_encoding = cycle.waiting_for_100_continue = False
    cycle.transport.write(b"".join((OK, lines(cycle.default_headers), head, end, body)))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


class Copy:
    """A cycle's copy that answers nobody, and remembers what it did to the connection."""

    def __init__(self, cycle: Any, keep_alive: bool) -> None:
        self.written: list[bytes] = []
        self.done: list[str] = []
        self.cycle = copy.copy(cycle)
        self.cycle.keep_alive, self.cycle.access_log, self.cycle.disconnected = keep_alive, False, False
        self.stand_ins = {
            "flow": SimpleNamespace(write_paused=False),
            "transport": SimpleNamespace(write=self.written.append, close=lambda: self.done.append("close")),
            "message_event": SimpleNamespace(set=lambda: self.done.append("event")),
            "on_response": lambda: self.done.append("response"),
        }
        vars(self.cycle).update(self.stand_ins)

    def outcome(self) -> tuple[bytes, list[str], dict[str, Any]]:
        """All that was written, what was done after it in order, and the state that is left."""
        left = {name: value for name, value in vars(self.cycle).items() if name not in self.stand_ins}
        return b"".join(self.written), self.done, left
