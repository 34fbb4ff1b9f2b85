"""The interface of a journal: entries 1, 2, 3 … without gaps, each execution once, on disk before it is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from journal.entries import Draft, Entry
from journal.head import Head


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to be leader. token grows with every new holder, so that an old one is recognised.

    epoch: of the journal in which it was acquired; in a journal that went back in time the token may be an old one.
    """

    holder: str
    token: int
    expires: float  # Unix seconds by the journal's own clock
    status: str = ""  # the last bot_status, as its JSON text, for the other workers
    epoch: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of a batch: the new entries in order, and how many drafts were known already."""

    entries: list[Entry] = field(default_factory=list)
    known: int = 0
    heuristic: int = 0  # of the known ones, those matched by fingerprint and time alone
    by_draft: list[int] = field(default_factory=list)  # for each draft, in order, the seq of its entry, 0 for none


@dataclass(frozen=True, slots=True)
class Query:
    """The conditions of a page of history. after, before: seqs (exclusive); since, until: Unix seconds (inclusive).

    With after or since the page runs forward, else backward from before (or the head); rows come by seq
    ascending when forward, descending when backward.
    """

    limit: int = 100
    after: int | None = None
    before: int | None = None
    since: Decimal | None = None
    until: Decimal | None = None
    ticker: str | None = None


class Journal(Protocol):
    """A store of entries. Every method may raise JournalError; one that hangs raises it within its time limit."""

    identity: str  # of the physical journal, computed when it is opened; 16 hex digits

    @property
    def epoch(self) -> str:
        """The epoch that this handle works in: known once open, changed by recover()."""
        ...

    async def open(self) -> None:
        """Connect, make or migrate the schema (safe to run twice and from two processes at once)."""
        ...

    async def close(self) -> None:
        """Give back threads, files and connections."""
        ...

    async def head(self) -> int:
        """Return the last seq, 0 when empty."""
        ...

    async def read_head(self) -> Head:
        """Return the epoch, the last seq and its checksum."""
        ...

    async def checksum(self, seq: int) -> str:
        """Return the checksum of an entry, "" when there is none at seq."""
        ...

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """Check the lease, drop what is known, give seqs, store entries and marks in one durable transaction.

        Raises LeaseLost when lease is given and no longer the row's or of another epoch, and JournalReverted when the
        journal does not hold what this handle has read before; then nothing is written.
        """
        ...

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Return the entries with a seq greater than after, ascending. Raises JournalDamaged for a missing one."""
        ...

    async def follow(self, after: int, limit: int) -> list[Entry]:
        """Return the entries that follow after. Raises JournalReverted when the journal lost what was read before."""
        ...

    async def recover(self) -> Head:
        """Accept the journal as it is after JournalReverted; return its head, under a new epoch if it lost entries."""
        ...

    async def verify(self, after: int, limit: int) -> int:
        """Return the last of up to limit entries that follow after, all of them whole; after at the journal's end.

        Raises JournalDamaged that names the first entry that is missing, changed or cannot be read.
        """
        ...

    async def history(self, query: Query) -> list[Entry]:
        """Return one page of entries; the cost does not grow with the journal."""
        ...

    async def marks(self) -> dict[str, str]:
        """Return the poller's bookmarks, stored with the entries that they belong to."""
        ...

    async def size(self) -> int:
        """Return the bytes on disk, as far as the store says."""
        ...

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease for term seconds when it is free, expired or this holder's; None when another holds it.

        One that expired stays its holder's until another takes it. Raises JournalReverted as append does.
        """
        ...

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold the lease for another term and store the bot's status for the other workers.

        Raises LeaseLost, and JournalReverted as append does.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """Let another worker become leader at once; nothing happens when the lease is another's."""
        ...

    async def lease(self) -> Lease | None:
        """Return the lease as it stands, whoever holds it; None when nobody ever did."""
        ...
