"""The address of a MySQL or MariaDB journal: mysql://user:password@host:port/database?ssl=1."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote

from journal.errors import JournalMisnamed

FORMS: Final = "write sqlite:///journal.db, sqlite:////absolute/journal.db or mysql://user:password@host:3306/database"


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


def mysql_address(parts: SplitResult, port: int) -> MysqlAddress:
    """Return the address in a URL. Raises JournalMisnamed."""
    database = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not database or "/" in database or parts.fragment:
        raise JournalMisnamed(f"JOURNAL_URL lacks a user, a host or a database; {FORMS}")
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
