"""JOURNAL_URL: sqlite:///relative.db, sqlite:////absolute.db or mysql://user:password@host:port/database?ssl=1."""

from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from journal.errors import JournalMisnamed
from journal.mysql_address import FORMS, MysqlAddress, mysql_address
from journal.sql_journal import SqlJournal
from journal.sqlite import SqliteJournal

_SQLITE = "sqlite:///"


def parse(url: str) -> Path | MysqlAddress:
    """Return the file or the server that a URL names. Raises JournalMisnamed, which never repeats a password."""
    if url.lower().startswith(_SQLITE):
        return _path(url[len(_SQLITE) :])
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise JournalMisnamed(f"JOURNAL_URL cannot be read as a URL; {FORMS}") from None
    if parts.scheme == "mysql":
        return mysql_address(parts, port or 3306)
    if parts.scheme == "sqlite":
        raise JournalMisnamed(f"JOURNAL_URL has no file after sqlite:///; {FORMS}")
    raise JournalMisnamed(f"JOURNAL_URL begins with {parts.scheme or 'no scheme'!r}; {FORMS}")


def open_journal(url: str, limit: float = 10.0, create: bool = True) -> SqlJournal:
    """Return the journal that a URL names, not yet open.

    limit: seconds that a call may take. create: make a journal that does not exist; else opening it is JournalMissing.
    Raises JournalMisnamed for a URL that names none, or when the extra that it needs is not installed.
    """
    place = parse(url)
    if isinstance(place, Path):
        return SqliteJournal(place, limit=limit, create=create)
    try:
        from journal.mysql import MysqlJournal
    except ImportError as error:
        why = f"JOURNAL_URL names MySQL, but {error.name} is missing: install the extra mysql"
        raise JournalMisnamed(why) from error
    return MysqlJournal(place, limit=limit, create=create)


def _path(text: str) -> Path:
    """Return the file in a URL. Escapes such as %20 are decoded; a % that begins none stands for itself."""
    if "?" in text or "#" in text or "\0" in text or not text.strip("/"):
        raise JournalMisnamed(f"JOURNAL_URL has no file after sqlite:///, or a ? or # (write %3F, %23); {FORMS}")
    try:
        return Path(unquote_to_bytes(text).decode())
    except UnicodeDecodeError:
        return Path(text)  # per%cent.db: no escape of any text
