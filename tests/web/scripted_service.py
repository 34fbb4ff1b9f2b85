"""A service that answers the page from a script: any state of bot, exchange, keys and server on request."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from copy import deepcopy
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from routes.pages import POLICY

WEB = Path(__file__).parents[2] / "web"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
ROOT = "/api/python/"
EPOCH = "script01"
FIELDS = (
    "seq",
    "time",
    "timestamp",
    "kind",
    "ticker",
    "side",
    "outcome",
    "quantity",
    "price",
    "fee",
    "trade_id",
    "order_id",
    "origin",
    "result",
    "value",
    "revenue",
    "amount",
    "mode",
    "source",
)
PARTS = (
    "poller",
    "healer",
    "push",
    "recorder",
    "feed",
    "lease",
    "relay",
    "bot",
    "journal",
    "kalshi",
    "cache",
    "streams",
)

Json = dict[str, Any]


class ScriptedService(ThreadingHTTPServer):
    """`with ScriptedService(entries) as service`: a page at `service.base + "dashboard"`. Its fields may be changed.

    skew: seconds by which the service's clock is ahead of this machine's. frozen: requests wait for their answer.
    """

    daemon_threads = True
    request_queue_size = 128  # a browser opens many connections at once
    allow_reuse_address = True

    def __init__(self, entries: list[Json], markets: list[Json] | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.base = f"http://127.0.0.1:{self.server_port}{ROOT}"
        self.entries = entries
        self.markets = {market["ticker"]: market for market in markets or []}
        self.orders: list[Json] = []
        self.settlements: list[Json] = []
        self.positions: list[Json] = []
        self.cash: float | None = 10_000.0
        self.status: Json = {
            "status": "online",
            "activity": "trading",
            "since": time.time() - 3700,
            "mode": "demo",
            "reason": None,
            "trades": len(entries),
        }
        self.parts: dict[str, Json] = {name: {"state": "ok", "age": 1.0, "reason": None} for name in PARTS}
        self.parts["kalshi"]["keys"] = True
        self.reconciliation: Json | None = None
        self.pages: dict[str, str] = {}
        self.skew = 0.0
        self.requests: list[str] = []  # paths in the order of their arrival
        self.marks_age = 0.0
        self.frozen = threading.Event()
        self.streams: list[queue.SimpleQueue[str | None]] = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> ScriptedService:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every stream and the server; a second call does nothing."""
        if self.thread.is_alive():
            self.cut()
            self.shutdown()
            self.server_close()
            self.thread.join()

    def now(self) -> float:
        """Return the service's Unix seconds."""
        return time.time() + self.skew

    def cursor(self, seq: int | None = None) -> str:
        """Return the cursor of a place, the head when left out."""
        return f"{EPOCH}-{len(self.entries) if seq is None else seq}"

    def cut(self) -> None:
        """End every open stream without a word."""
        with self.lock:
            for inbox in self.streams:
                inbox.put(None)

    def send(self, name: str, data: Json, seq: int | None = None) -> None:
        """Send an event to every open stream."""
        with self.lock:
            for inbox in self.streams:
                inbox.put(frame(name, data, None if seq is None else self.cursor(seq)))

    def add(self, kind: str, entry: Json) -> Json:
        """Append an entry (kind: trade, settlement, correction, transfer, gap, baseline) and send it."""
        with self.lock:
            seq = len(self.entries) + 1
            self.entries.append({"seq": seq, **entry})
        data = {"trades": [self.entries[-1]], "count": 1, "source": "bot_live"} if kind == "trade" else self.entries[-1]
        self.send("new_trades" if kind == "trade" else kind, data, seq)
        return self.entries[-1]

    def report(self, **status: Any) -> None:
        """Change the bot's status and send it."""
        if {"status", "activity"} & status.keys():
            self.status["since"] = self.now()
        self.status.update(status)
        self.send("bot_status", self.status)

    def part(self, name: str, state: str, reason: str | None = None) -> None:
        """Change a part of /health."""
        self.parts[name].update(state=state, reason=reason)

    def heartbeat(self) -> None:
        """Send a heartbeat with the service's time."""
        self.send("heartbeat", {"timestamp": self.now(), "head": self.cursor()})

    def join(self, cursor: str | None) -> queue.SimpleQueue[str | None]:
        """Begin a stream: heartbeat, status, what was missed."""
        inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self.lock:
            beat = {"timestamp": self.now(), "head": self.cursor()}
            inbox.put("retry: 1000\n" + frame("heartbeat", beat, cursor or self.cursor()))
            inbox.put(frame("bot_status", self.status, None))
            missed = self.entries[int(cursor.split("-")[1]) :] if cursor else []
            for entry in missed:
                kind = kind_of(entry)
                data = {"trades": [entry], "count": 1, "source": "bot_live"} if kind == "trade" else entry
                inbox.put(frame("new_trades" if kind == "trade" else kind, data, self.cursor(entry["seq"])))
            self.streams.append(inbox)
        return inbox

    def answer(self, path: str, query: dict[str, str]) -> Json | None:
        """Return the body of a URL below /api/python/; None for 404."""
        stamp = {"source": "kalshi_api", "as_of": self.now(), "stale": self.parts["kalshi"]["state"] != "ok"}
        keys = self.parts["kalshi"]["keys"]
        error = {"error": {"detail": "the exchange cannot be read"}}
        match path:
            case "health":
                bad = any(part["state"] not in ("ok", "idle") for part in self.parts.values())
                return {
                    "status": "degraded" if bad else "ok",
                    "as_of": self.now(),
                    "version": "0.2.0",
                    "uptime": 3600.0,
                    "journal": {"head": self.cursor(), "seq": len(self.entries), "size": 1000},
                    "warnings": [],
                    "parts": deepcopy({**self.parts, "bot": {**self.parts["bot"], **self.status}}),
                }
            case "portfolio/summary":
                old = {**stamp, "as_of": self.now() - self.marks_age}
                positions = {
                    **old,
                    "positions": self.positions,
                    "count": len(self.positions),
                    "marks_as_of": old["as_of"],
                    "marks_stale": stamp["stale"],
                }
                return {
                    **stamp,
                    "balance": {**stamp, "balance": self.cash} if keys else error,
                    "positions": positions if keys else error,
                    "bot": self.status,
                }
            case "portfolio/reconciliation":
                return self.reconciliation and {**stamp, **self.reconciliation}
            case "portfolio/trades/live":
                newest = (entry for entry in reversed(self.entries) if kind_of(entry) == "trade")
                trades = list(islice(newest, int(query.get("limit", "100"))))
                return {
                    **stamp,
                    "trades": trades,
                    "count": 1,
                    "cursor": self.cursor(),
                }
            case "portfolio/trades/history":
                return {
                    **stamp,
                    "entries": list(islice(self.chosen(query), int(query.get("limit", "1000")))),
                    "next": None,
                    "cursor": self.cursor(),
                }
            case "portfolio/orders":
                return {**stamp, "orders": self.orders, "count": len(self.orders), "next": None}
            case "portfolio/settlements":
                return {**stamp, "settlements": self.settlements, "count": len(self.settlements), "next": None}
            case "markets/":
                wanted = query.get("tickers", "").split(",") if "tickers" in query else list(self.markets)
                found = [self.markets[ticker] for ticker in wanted if ticker in self.markets]
                start = int(query.get("cursor", "0"))
                end = start + int(query.get("limit", "200"))
                return {
                    **stamp,
                    "markets": found[start:end],
                    "count": len(found),
                    "next": str(end) if end < len(found) else None,
                }
            case "sse/stats":
                return {**stamp, "open": len(self.streams), "events": 100, "latency_ms": {"p50": 0.3, "p99": 1.7}}
            case "openapi.json":
                return {"openapi": "3.1.0", "info": {"title": "Script", "version": "1"}, "paths": {}}
        return {**stamp, **self.markets[path[8:]]} if path.startswith("markets/") and path[8:] in self.markets else None

    def chosen(self, query: dict[str, str]) -> Iterator[Json]:
        """Return the entries that a request for history means, oldest first."""
        after = int(query.get("after", "x-0").split("-")[1])
        since, until = float(query.get("since", "-inf")), float(query.get("until", "inf"))
        return (
            entry
            for entry in islice(self.entries, after, None)
            if since <= entry["timestamp"] <= until and query.get("ticker") in (None, entry.get("ticker"))
        )


class Answer(BaseHTTPRequestHandler):
    """The page, its modules, the API and the stream of a ScriptedService."""

    server: ScriptedService

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix(ROOT)
        self.server.requests.append(path)
        while self.server.frozen.is_set():
            time.sleep(0.05)
        if path in ("sse/trading", "sse/trades"):
            self._stream(self.headers.get("Last-Event-ID") or query.get("last_event_id"))
        elif path in self.server.pages:
            self._send("text/html", self.server.pages[path].encode(), policy="")
        elif path in ("dashboard", "docs"):
            self._send("text/html", (WEB / f"{path}.html").read_bytes())
        elif path.startswith("web/") and (WEB / path[4:]).is_file():
            self._send(TYPES.get(Path(path).suffix, "text/plain"), (WEB / path[4:]).read_bytes())
        elif path == "portfolio/trades/history" and self.headers.get("Accept") == "text/csv":
            self._send("text/csv", csv_of(self.server.chosen(query)).encode())
        else:
            body = self.server.answer(path, query)
            self._send("application/json", json.dumps(body or {"title": "Not found"}).encode(), 200 if body else 404)

    def _send(self, media: str, data: bytes, status: int = 200, policy: str = POLICY) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{media}; charset=utf-8")
        self.send_header("Content-Security-Policy", policy)
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
            pass  # the browser closed the connection
        finally:
            with self.server.lock:
                self.server.streams.remove(inbox)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def kind_of(entry: Json) -> str:
    """Return the kind of an entry by its fields."""
    marks = {
        "corrects": "correction",
        "trade_id": "trade",
        "result": "settlement",
        "positions": "baseline",
        "why": "gap",
    }
    return next((kind for field, kind in marks.items() if field in entry), "transfer")


def frame(name: str, data: Json, cursor: str | None) -> str:
    """Return one event of the stream."""
    return f"event: {name}\n" + (f"id: {cursor}\n" if cursor else "") + f"data: {json.dumps(data)}\n\n"


def csv_of(entries: Iterable[Json]) -> str:
    """Return entries as CSV with the columns of the service."""
    lines = [",".join(FIELDS)]
    for entry in entries:
        row = {**entry, "kind": kind_of(entry)}
        lines.append(",".join(_field(row.get(name)) for name in FIELDS))
    return "\r\n".join(lines) + "\r\n"


def _field(value: object) -> str:
    text = "" if value is None else str(Decimal(str(value))) if isinstance(value, float) else str(value)
    return f'"{text}"' if "," in text else text
