"""The tables, made in numbered steps; a journal remembers how many it has taken, so that each is taken once."""

import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_lowercase + string.digits

SQLITE_STEPS: Final = (
    (
        """CREATE TABLE entries (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, timestamp INTEGER NOT NULL, ticker TEXT NOT NULL,
            source TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL)""",
        # Every index ends with the seq by itself, as SQLite's row id.
        "CREATE INDEX by_time ON entries (timestamp)",
        "CREATE INDEX by_ticker ON entries (ticker)",
        "CREATE INDEX by_ticker_time ON entries (ticker, timestamp)",
        """CREATE TABLE sightings (
            name TEXT NOT NULL, life TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (name, life)) WITHOUT ROWID""",
        "CREATE TABLE spans (span INTEGER PRIMARY KEY, earliest INTEGER NOT NULL, latest INTEGER NOT NULL)",
        "CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE journal (id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, head INTEGER NOT NULL)",
        """CREATE TABLE lease (
            id INTEGER PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires REAL NOT NULL,
            term REAL NOT NULL, status TEXT NOT NULL)""",
        "INSERT INTO lease (id, holder, token, expires, term, status) VALUES (1, '', 0, 0, 0, '')",
        "INSERT INTO journal (id, epoch, head) VALUES (1, '', 0)",
    ),
)


def new_epoch() -> str:
    """Eight characters that no other journal has."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))
