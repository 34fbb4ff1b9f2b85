"""The checksums of entries, each over the one before it, the kind and the body: any change, swap or cut breaks them.

It finds accidents. Whoever can write to the database can also write a new chain.
"""

from hashlib import blake2b

from journal import fingerprint
from journal.codec import draft
from journal.entries import Trade
from journal.head import Head
from journal.statements import Dialect, Statement, StatementSteps

_PAGE = 1000


def checksum(previous: str, kind: str, body: str) -> str:
    """Return 16 hex digits for an entry. previous: the checksum of the entry before it, "" for the first."""
    return blake2b(f"{previous}\n{kind}\n{body}".encode(), digest_size=8).hexdigest()


def contains(seen: Head, head: Head) -> StatementSteps[bool]:
    """Return True if the journal that ends at head has the entry at which seen ended, whatever their epochs."""
    if head.seq < seen.seq:
        return False
    if head.seq == seen.seq:
        return head.checksum == seen.checksum
    rows = yield Statement("SELECT checksum FROM entries WHERE seq = ?", [seen.seq])
    return not seen.seq or rows == [(seen.checksum,)]


def chain_old_entries(dialect: Dialect) -> StatementSteps[None]:
    """Give the entries that version 0.1 wrote their checksums, and trades the names by which they may be corrected.

    Pages are found by seq, so that it continues where an interrupted run ended.
    """
    [(last, previous)] = yield Statement(
        "SELECT COALESCE(MAX(seq), 0), COALESCE(MAX(checksum), '') FROM entries WHERE seq ="
        " (SELECT MAX(seq) FROM entries WHERE checksum <> '')"
    )
    while rows := (
        yield Statement(f"SELECT seq, kind, body FROM entries WHERE seq > ? ORDER BY seq LIMIT {_PAGE}", [last])
    ):
        sums: list[tuple[str, int]] = []
        ids: list[tuple[str, str, int]] = []
        for seq, kind, body in rows:
            previous = checksum(previous, kind, body)
            sums.append((previous, seq))
            trade = draft(kind, body)
            if isinstance(trade, Trade):
                ids.append((fingerprint.report_name(trade), fingerprint.content_digest(trade), seq))
        yield Statement("UPDATE entries SET checksum = ? WHERE seq = ?", sums, many=True)
        if ids:
            yield Statement(
                f"INSERT INTO sightings (name, life, seq) VALUES (?, ?, ?){dialect.skip_known}", ids, many=True
            )
        last = rows[-1][0]
    yield Statement("UPDATE journal SET checksum = ? WHERE id = 1", [previous])
