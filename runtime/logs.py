"""Logging: JSON lines, or plain lines for people; one record is one line, without addresses and secrets."""

import json
import logging
import os
import sys
import time
from typing import Final

REPEAT_SECONDS: Final = 60.0  # between two equal warnings of the server


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message; request_id and traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", ""):
            line["request_id"] = request_id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class PlainLines(logging.Formatter):
    """Time, level, logger and message; control characters of a message are escaped, so that it stays one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line before a traceback."""
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in super().formatMessage(record))


class RequestLines(logging.Filter):
    """Keep each of the server's warnings once a minute, and no line about a WebSocket: it has an address and a query.

    Any client can cause these, and as often as it likes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[str, float] = {}  # by the warning's text without its values: seconds of the monotonic clock

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a line that is left out; errors are kept."""
        if record.levelno < logging.WARNING:
            return "WebSocket" not in str(record.msg)
        if record.levelno > logging.WARNING:
            return True
        now = time.monotonic()
        if now < self._due.get(str(record.msg), 0.0):
            return False
        self._due[str(record.msg)] = now + REPEAT_SECONDS
        return True


def open_standard_streams() -> None:
    """Open the null device for standard streams that are closed: else a socket or the journal gets their numbers."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest free number, which is this one. What a command would print is an error, not lost.
            os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  open until the end


def set_up_logging(level: str, for_people: bool) -> None:
    """Send the root logger's lines to stderr: plain for people or on a terminal, else JSON. The last call counts.

    uvicorn's access log is switched off: it holds whole client addresses, and a line for each request costs a fifth of
    the throughput. Its error log goes the same way as ours, without a line for each bad request.
    """
    open_standard_streams()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines() if for_people or sys.stderr.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    if not any(isinstance(each, RequestLines) for each in logger.filters):
        logger.addFilter(RequestLines())
    for name in ("asyncio", "asyncmy"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
