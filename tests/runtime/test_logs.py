"""Log lines: JSON, or plain for people; one record is one line."""

import io
import json
import logging
import sys

import pytest

from runtime.logs import JsonLines, PlainLines, set_up_logging

FORGED = "exchange: \x1b[31mred\x07\r\nERROR forged: line\u2028"


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
