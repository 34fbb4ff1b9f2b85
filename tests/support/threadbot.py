"""A bot as the brief describes it, in a thread: for tests that are not themselves asynchronous."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextlib.contextmanager
def serving_bot(trades: int = 0) -> Iterator[str]:
    """Its URL while the block runs; it has made so many trades."""
    window = [
        {
            "timestamp": round(time.time() - 60 + number, 3),
            "ticker": "PRES24-GOP",
            "side": "BUY",
            "quantity": 50,
            "price": 0.65,
            "trade_id": f"t-{number}",
        }
        for number in range(trades)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body: Any = {"trades": window} if self.path.startswith("/trades") else {"status": "online", "mode": "demo"}
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
