"""What is logged and how: JSON lines in production, plain lines for people in development; no address, no secret."""

import json
import logging
import sys
import time


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message; request_id and traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
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


def set_up_logging(level: str, for_people: bool) -> None:
    """Send the root logger's lines to stderr. Safe to call twice: the last call counts.

    uvicorn's own access log is switched off: it writes whole client addresses, and a line for each request costs
    a fifth of the throughput. Its error log goes the way of ours.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(name)s: %(message)s") if for_people else JsonLines())
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
