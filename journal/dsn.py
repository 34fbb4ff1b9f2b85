"""JOURNAL_URL: sqlite:///relative.db, sqlite:////absolute.db or mysql://user:password@host:port/database?ssl=1."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, unquote_to_bytes, urlsplit

from journal.base import Journal
from journal.errors import JournalMisnamed
from journal.sqlite import SqliteJournal

_SQLITE: Final = "sqlite:///"
_FORMS: Final = "write sqlite:///journal.db, sqlite:////absolute/journal.db or mysql://user:password@host:3306/database"


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """Server, user and database. ssl: encrypt. ssl_ca: file of the authorities that may sign its certificate."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(default="", repr=False)
    ssl: bool = False
    ssl_ca: Path | None = None

    def __str__(self) -> str:
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"


def parse(url: str) -> Path | MysqlAddress:
    """Return the file or the server that a URL names. Raises JournalMisnamed, which never repeats a password."""
    if url.lower().startswith(_SQLITE):
        return _path(url[len(_SQLITE) :])
    try:
        parts = urlsplit(url)
        port = 3306 if parts.port is None else parts.port
    except ValueError:
        raise JournalMisnamed(f"JOURNAL_URL cannot be read as a URL; {_FORMS}") from None
    if parts.scheme == "mysql":
        return _mysql(parts, port)
    if parts.scheme == "sqlite":
        raise JournalMisnamed(f"JOURNAL_URL has no file after sqlite:///; {_FORMS}")
    raise JournalMisnamed(f"JOURNAL_URL begins with {parts.scheme or 'no scheme'!r}; {_FORMS}")


def open_journal(url: str, limit: float = 10.0, create: bool = True) -> Journal:
    """Return the journal that a URL names, not yet open. Raises JournalMisnamed, also for an extra that is missing.

    limit: seconds that a call may take. create: make a journal that does not exist; else opening it is JournalMissing.
    """
    place = parse(url)
    if isinstance(place, Path):
        return SqliteJournal(place, limit=limit, create=create)
    try:
        from journal.mysql import MysqlJournal
    except ImportError as error:
        raise JournalMisnamed(f"JOURNAL_URL needs {error.name}, which is missing: install the extra mysql") from error
    return MysqlJournal(place, limit=limit, create=create)


def _path(text: str) -> Path:
    """Return the file in a URL. Escapes such as %20 are decoded; a % that begins none stands for itself."""
    if "?" in text or "#" in text or "\0" in text or not text.strip("/"):
        raise JournalMisnamed(f"JOURNAL_URL has no file after sqlite:///, or a ? or # (write %3F, %23); {_FORMS}")
    try:
        return Path(unquote_to_bytes(text).decode())
    except UnicodeDecodeError:
        return Path(text)  # per%cent.db: no escape of any text


def _mysql(parts: SplitResult, port: int) -> MysqlAddress:
    database = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not database or "/" in database or parts.fragment or not port:
        raise JournalMisnamed(f"JOURNAL_URL lacks a user, a host, a port above 0 or a database; {_FORMS}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - {"ssl", "ssl_ca"})
    if unknown or options.get("ssl", "1") not in ("0", "1"):
        wrong = ", ".join(unknown) or "ssl"
        raise JournalMisnamed(f"JOURNAL_URL may end with ?ssl=0, ?ssl=1 or ?ssl_ca=FILE, not {wrong}")
    authorities = Path(options["ssl_ca"]) if options.get("ssl_ca") else None
    return MysqlAddress(
        parts.hostname, port, unquote(parts.username), database, unquote(parts.password or ""),
        options.get("ssl", "0") == "1" or authorities is not None, authorities,
    )  # fmt: skip
