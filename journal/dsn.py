"""JOURNAL_URL: sqlite:///relative.db, sqlite:////absolute.db or mysql://user:password@host:port/database?ssl=1."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from journal.errors import JournalMisnamed
from journal.sql_journal import SqlJournal
from journal.sqlite import SqliteJournal


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """Where a MySQL or MariaDB journal is. ssl: encrypt; ssl_ca: a file of authorities that must vouch for it."""

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
    """The file or the server that a URL names. Raises JournalMisnamed, which never repeats a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise JournalMisnamed(f"JOURNAL_URL cannot be read as a URL; {_FORMS}") from None
    if parts.scheme == "sqlite":
        if parts.netloc or parts.query or parts.fragment or not parts.path.strip("/"):
            raise JournalMisnamed(f"JOURNAL_URL has no file after sqlite:///; {_FORMS}")
        return Path(unquote(parts.path.removeprefix("/")))
    if parts.scheme == "mysql":
        return _mysql(parts, port or 3306)
    raise JournalMisnamed(f"JOURNAL_URL begins with {parts.scheme or 'no scheme'!r}; {_FORMS}")


def open_journal(url: str, limit: float = 10.0) -> SqlJournal:
    """The journal that a URL names, not yet open. limit: seconds that a call may take.

    Raises JournalMisnamed for a URL that names none, or when the extra that it needs is not installed.
    """
    place = parse(url)
    if isinstance(place, Path):
        return SqliteJournal(place, limit=limit)
    try:
        from journal.mysql import MysqlJournal
    except ImportError as error:
        why = f"JOURNAL_URL names MySQL, but {error.name} is missing: install the extra mysql"
        raise JournalMisnamed(why) from error
    return MysqlJournal(place, limit=limit)


_FORMS = "write sqlite:///journal.db, sqlite:////absolute/journal.db or mysql://user:password@host:3306/database"


def _mysql(parts: SplitResult, port: int) -> MysqlAddress:
    database = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not database or "/" in database or parts.fragment:
        raise JournalMisnamed(f"JOURNAL_URL lacks a user, a host or a database; {_FORMS}")
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
