"""Cursors: their places in a request and their form."""

import pytest

from streams.event import CONTRADICTORY, Cursor, find_cursor, format_cursor, parse_cursor


@pytest.mark.parametrize(
    ("header", "query", "found"),
    [
        (None, b"", None),
        (b"e-5", b"", "e-5"),
        (None, b"last_event_id=e-6", "e-6"),
        (None, b"lastEventId=e-6", "e-6"),
        (None, b"Last-Event-ID=e-6", "e-6"),
        (None, b"lastEventId=e-6&last_event_id=e-6", "e-6"),
        (None, b"lastEventId=e-6&last_event_id=", "e-6"),
        (None, b"lastEventId=e-6&last_event_id=e-7", CONTRADICTORY),
        (None, b"last_event_id=e-6&last_event_id=e-7", CONTRADICTORY),
        (b"e-5", b"lastEventId=e-6&last_event_id=e-7", "e-5"),
        (b"e-5", b"last_event_id=e-6", "e-5"),
        (b"", b"last_event_id=e-6", "e-6"),
        (b" \t", b"last_event_id=e-6", "e-6"),
        (b" e-5  ", b"", "e-5"),
        (b"garbage", b"last_event_id=e-6", "garbage"),
        (None, b"last_event_id=", None),
        (None, b"other=1", None),
        (b"\xff\x00", b"", "\xff\x00"),
    ],
)
def test_a_header_wins_unless_empty(header: bytes | None, query: bytes, found: str | None) -> None:
    """A browser that reconnects repeats its first query, so the header is the newer one, even when malformed."""
    headers = [] if header is None else [(b"last-event-id", header)]
    assert find_cursor(headers, query) == found


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("abcd1234-0", Cursor("abcd1234", 0)),
        ("abcd1234-1042", Cursor("abcd1234", 1042)),
        ("abcd1234-1042-0f3a", Cursor("abcd1234", 1042, "0f3a")),
        ("abcd1234-1042-0F3A", None),
        ("abcd1234-1042-0f3", None),
        ("abcd1234-1042-0f3a5", None),
        ("abcd1234-1042-", None),
        ("abcd1234--1", None),
        ("abcd1234-01", None),
        ("abcd1234-", None),
        ("abcd1234-1.5", None),
        ("-5", None),
        ("5", None),
        ("ABCD1234-5", None),
        ("abcd1234-5 ", None),
        ("abcd1234-5\n", None),
        ("abcd1234-\u0665", None),
        ("abcd1234-" + "9" * 30, None),
        (CONTRADICTORY, None),
        ("x" * 10_000, None),
    ],
)
def test_a_cursor_is_parsed_strictly(text: str, cursor: Cursor | None) -> None:
    """Only <epoch>-<seq> and <epoch>-<seq>-<check> are cursors; seq 0 is before the first entry."""
    assert parse_cursor(text) == cursor


@pytest.mark.parametrize("check", ["", "0f3a"])
def test_a_formatted_cursor_is_parsed_back(check: str) -> None:
    """Formatting and parsing agree, with a check and without."""
    assert parse_cursor(format_cursor("abcd1234", 7, check)) == Cursor("abcd1234", 7, check)
