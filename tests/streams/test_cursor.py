"""Cursors: where they are looked for, and which are honoured."""

import pytest

from streams.cursor import Cursor, asked, read, refused


@pytest.mark.parametrize(
    ("header", "query", "found"),
    [
        (None, b"", None),
        (b"e-5", b"", "e-5"),
        (None, b"last_event_id=e-6", "e-6"),
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
def test_header_wins_unless_empty(header: bytes | None, query: bytes, found: str | None) -> None:
    """A browser that reconnects repeats its first query, so the header is the newer one, even when malformed."""
    headers = [] if header is None else [(b"last-event-id", header)]
    assert asked(headers, query) == found


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("abcd1234-0", Cursor("abcd1234", 0)),
        ("abcd1234-1042", Cursor("abcd1234", 1042)),
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
        ("x" * 10_000, None),
    ],
)
def test_reads_strictly(text: str, cursor: Cursor | None) -> None:
    """epoch-seq and nothing else; 0 is a place: before the first entry."""
    assert read(text) == cursor


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        (None, "malformed"),
        (Cursor("other", 1), "epoch"),
        (Cursor("mine", 11), "future"),
        (Cursor("mine", 10), None),
        (Cursor("mine", 0), None),
    ],
)
def test_says_why_it_refuses(cursor: Cursor | None, reason: str | None) -> None:
    """Another journal's cursor, one past the head, and one that cannot be read each have their word."""
    assert refused(cursor, "mine", 10) == reason
