"""Logging: JSON lines, or plain lines for people; one record is one line, without addresses and secrets."""

import json
import logging
import sys
import time


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


def set_up_logging(level: str, for_people: bool) -> None:
    """Send the root logger's lines to stderr: plain for people or on a terminal, else JSON. The last call counts.

    uvicorn's access log is switched off: it holds whole client addresses, and a line for each request costs a fifth of
    the throughput. Its error log goes the same way as ours.
    """
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
    for name in ("asyncio", "asyncmy"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
