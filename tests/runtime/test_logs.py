"""Log lines: JSON, or plain for people; one record is one line."""

import io
import json
import logging
import socket
import sys
from pathlib import Path

import pytest

from runtime.logs import JsonLines, PlainLines, RequestLines, set_up_logging
from tests.support.server import running_server

FORGED = "exchange: \x1b[31mred\x07\r\nERROR forged: line\u2028"
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Version": "13",
}  # fmt: skip


@pytest.fixture
def restored_logging() -> object:
    """Give the root logger its handlers back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("formatter", [PlainLines(), JsonLines()])
def test_a_message_is_one_printable_line(formatter: logging.Formatter) -> None:
    """Escape codes and line breaks of a foreign text can neither colour a terminal nor forge a line."""
    line = formatter.format(logging.LogRecord("x", logging.WARNING, "", 1, "%s", (FORGED,), None))
    assert line.isprintable()
    assert "forged" in line


class Terminal(io.StringIO):
    """A stream whose isatty() is True."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("stream", "for_people", "is_json"),
    [(io.StringIO, False, True), (io.StringIO, True, False), (Terminal, False, False)],
)
def test_people_read_plain_lines(
    stream: type[io.StringIO],
    for_people: bool,
    is_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    restored_logging: object,
) -> None:
    """In development and on a terminal the lines are plain; elsewhere they are JSON."""
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logging("INFO", for_people)
    logging.getLogger("test").info("a line")
    text = written.getvalue()
    assert "a line" in text
    assert text.startswith("{") == is_json
    if is_json:
        assert json.loads(text)["level"] == "info"


def test_requests_that_cannot_be_read_are_logged_once_a_minute(tmp_path: Path) -> None:
    """Neither a flood of them nor a websocket leaves a line each, an address or a query in the log."""
    with running_server(tmp_path) as server:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"NONSENSE\r\n\r\n")
                assert b"400" in client.recv(100)
        server.get("/sse/trading?token=do-not-log-this", headers=UPGRADE)
        server.stop()
    log = server.log.read_text()
    assert log.count("Invalid HTTP request") == 1
    assert "do-not-log-this" not in log
    assert "127.0.0.1:" not in log.replace(f"127.0.0.1:{server.port}/api", "")


def test_errors_of_the_application_are_kept() -> None:
    """Lines of uvicorn about a mistake of ours are logged every time, as are those of other loggers."""
    lines = RequestLines()

    def kept(text: str, level: int) -> bool:
        return lines.filter(logging.LogRecord("uvicorn.error", level, "/x/server.py", 7, text, None, None))

    assert [kept("Exception in ASGI application", logging.ERROR) for _ in range(2)] == [True, True]
    assert [kept("Invalid HTTP request received.", logging.WARNING) for _ in range(2)] == [True, False]
    assert kept("Unsupported upgrade request.", logging.WARNING)
    assert [kept("Application startup complete.", logging.INFO) for _ in range(2)] == [True, True]
    assert not kept('%s - "WebSocket %s" 403', logging.INFO)
