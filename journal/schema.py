"""The tables, made in numbered steps; a journal stores how many it has taken, so that each is taken once.

The second group is that of version 0.2. Its changes keep open workers of version 0.1 from writing entries without a
checksum and from becoming leader; they go on reading until they are restarted.
"""

import secrets
import string
from collections.abc import Callable
from typing import Final

from journal import codec, entry_store, fingerprint
from journal.statements import Dialect, Statement, StatementSteps

SchemaStep = str | Callable[[Dialect], StatementSteps[None]]

_PAGE = 1000  # entries


def _chain_old_entries(dialect: Dialect) -> StatementSteps[None]:
    """Give entries of version 0.1 their checksums, and trades their names; continue where an interrupted run ended."""
    [(last, checksum)] = yield Statement(
        "SELECT COALESCE(MAX(seq), 0), COALESCE(MAX(checksum), '') FROM entries WHERE seq ="
        " (SELECT MAX(seq) FROM entries WHERE checksum <> '')"
    )
    sql = f"SELECT seq, kind, body FROM entries WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"
    while rows := (yield Statement(sql, [last])):
        sums: list[tuple[str, int]] = []
        for last, kind, body in rows:
            checksum = codec.checksum(checksum, kind, body)
            sums.append((checksum, last))
        yield Statement("UPDATE entries SET checksum = ? WHERE seq = ?", sums, many=True)
        yield from entry_store.write_ids(fingerprint.own_ids(rows), dialect.skip_known)
    yield Statement("UPDATE journal SET checksum = ? WHERE id = 1", [checksum])


SQLITE_STEPS: Final[tuple[tuple[SchemaStep, ...], ...]] = (
    (
        """CREATE TABLE entries (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, timestamp INTEGER NOT NULL, ticker TEXT NOT NULL,
            source TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL)""",
        # Pages are found in the indexes alone. Those by time end with the seq by themselves, as SQLite's row id.
        "CREATE INDEX by_seq ON entries (seq, timestamp)",
        "CREATE INDEX by_time ON entries (timestamp)",
        "CREATE INDEX by_seq_of_ticker ON entries (ticker, seq, timestamp)",
        "CREATE INDEX by_time_of_ticker ON entries (ticker, timestamp)",
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
    (
        "ALTER TABLE entries ADD COLUMN checksum TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN checksum TEXT NOT NULL DEFAULT ''",
        _chain_old_entries,
        """CREATE TRIGGER chained BEFORE INSERT ON entries WHEN NEW.checksum = '' BEGIN
            SELECT RAISE(ABORT, 'this worker is older than the journal: restart it with the new version'); END""",
        "ALTER TABLE lease RENAME COLUMN status TO bot_status",
        "UPDATE lease SET expires = 0",
    ),
)

_BINARY: Final = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"  # the server's default would fold case
_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"


def _unless_exists(table: str, column: str, sql: str) -> SchemaStep:
    """Return a step that makes a column. MySQL cannot skip one that exists, so the step looks first."""

    def step(dialect: Dialect) -> StatementSteps[None]:
        columns = "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()"
        [(count,)] = yield Statement(f"{columns} AND table_name = ? AND column_name = ?", [table, column])
        if not count:
            yield Statement(sql)

    return step


MYSQL_STEPS: Final[tuple[SchemaStep, ...]] = (
    # Each may be run twice: a server that dies between a step and its number repeats it.
    f"""CREATE TABLE IF NOT EXISTS entries (
        seq BIGINT NOT NULL PRIMARY KEY, kind VARCHAR(16) {_ASCII} NOT NULL, timestamp BIGINT NOT NULL,
        ticker VARCHAR(255) {_BINARY} NOT NULL, source VARCHAR(64) {_BINARY} NOT NULL, open TINYINT NOT NULL,
        body MEDIUMTEXT {_ASCII} NOT NULL,
        KEY by_seq (seq, timestamp), KEY by_time (timestamp, seq),
        KEY by_seq_of_ticker (ticker, seq, timestamp), KEY by_time_of_ticker (ticker, timestamp, seq)
    ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC""",
    f"""CREATE TABLE IF NOT EXISTS sightings (
        name CHAR(32) {_ASCII} NOT NULL, life CHAR(16) {_ASCII} NOT NULL, seq BIGINT NOT NULL,
        PRIMARY KEY (name, life)) ENGINE = InnoDB""",
    """CREATE TABLE IF NOT EXISTS spans (
        span BIGINT NOT NULL PRIMARY KEY, earliest BIGINT NOT NULL, latest BIGINT NOT NULL) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS marks (
        name VARCHAR(190) {_BINARY} NOT NULL PRIMARY KEY, value MEDIUMTEXT {_BINARY} NOT NULL) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS journal (
        id INT NOT NULL PRIMARY KEY, epoch CHAR(8) {_ASCII} NOT NULL, head BIGINT NOT NULL) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS lease (
        id INT NOT NULL PRIMARY KEY, holder VARCHAR(255) {_BINARY} NOT NULL, token BIGINT NOT NULL,
        expires DOUBLE NOT NULL, term DOUBLE NOT NULL, status MEDIUMTEXT {_BINARY} NOT NULL) ENGINE = InnoDB""",
    "INSERT IGNORE INTO lease (id, holder, token, expires, term, status) VALUES (1, '', 0, 0, 0, '')",
    "INSERT IGNORE INTO journal (id, epoch, head) VALUES (1, '', 0)",
    # Without a default, so that the INSERT of an older worker fails.
    _unless_exists("entries", "checksum", f"ALTER TABLE entries ADD COLUMN checksum CHAR(16) {_ASCII} NOT NULL"),
    _unless_exists(
        "journal", "checksum", f"ALTER TABLE journal ADD COLUMN checksum CHAR(16) {_ASCII} NOT NULL DEFAULT ''"
    ),
    _unless_exists(
        "lease", "bot_status", f"ALTER TABLE lease CHANGE COLUMN status bot_status MEDIUMTEXT {_BINARY} NOT NULL"
    ),
    "UPDATE lease SET expires = 0",
    _chain_old_entries,
)


def take(step: SchemaStep, dialect: Dialect) -> StatementSteps[None]:
    """Run one step."""
    if isinstance(step, str):
        yield Statement(step)
    else:
        yield from step(dialect)


def new_epoch() -> str:
    """Return eight random characters."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
