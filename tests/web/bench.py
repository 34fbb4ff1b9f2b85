"""A small server for the page's modules alone: an empty page, the modules, a journal in memory, and its stream."""

from __future__ import annotations

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

WEB = Path(__file__).parents[2] / "web"
TYPES = {".js": "text/javascript", ".css": "text/css"}
EPOCH = "bench001"
PAGE = '<!doctype html><html lang="en"><link rel="stylesheet" href="web/look.css"><title>test</title><body></body>'


class Bench(ThreadingHTTPServer):
    """`with Bench() as bench`: trade() makes trades and sends them to every open stream."""

    daemon_threads = True
    request_queue_size = 128  # a browser opens many connections at once

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BenchAnswer)
        self.base = f"http://127.0.0.1:{self.server_port}/"
        self.trades: list[dict[str, Any]] = []
        self.streams: list[queue.SimpleQueue[str | None]] = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Bench:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            for inbox in self.streams:
                inbox.put(None)
        self.shutdown()
        self.server_close()
        self.thread.join()

    @property
    def cursor(self) -> str:
        return f"{EPOCH}-{len(self.trades)}"

    def trade(self) -> bool:
        """Make one trade now. Returns False, so that a wait can make trades until something else is true."""
        with self.lock:
            seq = len(self.trades) + 1
            trade = {"seq": seq, "trade_id": f"t{seq}", "ticker": "A", "timestamp": time.time(), "source": "bot_live"}
            self.trades.append({**trade, "side": "BUY", "outcome": "yes", "quantity": 1, "price": 0.5, "mode": "paper"})
            for inbox in self.streams:
                inbox.put(frame(self.trades[-1:]))
        return False

    def join(self, cursor: str | None) -> queue.SimpleQueue[str | None]:
        """A stream begins, with what was missed since its cursor."""
        inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self.lock:
            missed = self.trades[int(cursor.split("-")[1]) :] if cursor else []
            inbox.put(frame(missed) if missed else ": hello\n\n")
            self.streams.append(inbox)
        return inbox


class BenchAnswer(BaseHTTPRequestHandler):
    """The page, the modules, and the part of the API that the stream client requests."""

    server: Bench

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/sse/trading":
            self._stream(query.get("last_event_id"))
        elif url.path.startswith("/web/"):
            file = WEB / Path(url.path).name
            self._send(TYPES.get(file.suffix, "text/plain"), file.read_bytes())
        elif url.path.startswith("/portfolio/trades/"):
            after = int(query.get("after", "x-0").split("-")[1])
            body = {"entries": self.server.trades[after:][:1000], "trades": [], "cursor": self.server.cursor}
            self._send("application/json", json.dumps(body).encode())
        else:
            self._send("text/html", PAGE.encode())

    def _send(self, media: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{media}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, cursor: str | None) -> None:
        inbox = self.server.join(cursor)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while (text := inbox.get()) is not None:
                self.wfile.write(text.encode())
        except OSError:
            pass  # the browser left, as browsers do
        finally:
            with self.server.lock:
                self.server.streams.remove(inbox)

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its own."""


def frame(trades: list[dict[str, Any]]) -> str:
    """Return trades as one event of the stream."""
    data = json.dumps({"trades": trades, "count": len(trades), "source": "bot_live"})
    return f"event: new_trades\nid: {EPOCH}-{trades[-1]['seq']}\ndata: {data}\n\n"
