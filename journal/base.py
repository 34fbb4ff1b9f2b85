"""What a journal promises: entries 1, 2, 3 … without holes, each execution once, on disk before anyone is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from journal.entries import Draft, Entry


@dataclass(frozen=True, slots=True)
class Lease:
    """Who polls now. token grows with every new holder, so that an old one is known by its token."""

    holder: str
    token: int
    expires: float  # Unix seconds by the journal's own clock
    status: str = ""  # the last bot_status, as its JSON text, for the workers that do not poll


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: the new entries in order, and how many drafts were known already."""

    entries: list[Entry] = field(default_factory=list)
    known: int = 0
    heuristic: int = 0  # of the known ones, those matched by likeness and not by an id
    by_draft: list[int] = field(default_factory=list)  # for each draft, in order, the seq that stands for it


@dataclass(frozen=True, slots=True)
class Query:
    """What history asks for. after and before are seqs (exclusive), since and until Unix seconds (inclusive).

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
    """Keeps entries. Every method may raise JournalError; one that is hung raises it within its time limit."""

    epoch: str  # known once open; a short token made with the journal

    async def open(self) -> None:
        """Connect, make or migrate the schema (safe to run twice and from two processes at once)."""
        ...

    async def close(self) -> None:
        """Give back threads, files and connections."""
        ...

    async def head(self) -> int:
        """The last seq, 0 when empty."""
        ...

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """In one durable transaction: check the lease, drop what is known, give seqs, keep the marks.

        Raises LeaseLost when lease is given and no longer the row's, and then nothing is kept.
        """
        ...

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Entries with a seq greater than after, ascending: what a returning reader missed."""
        ...

    async def history(self, query: Query) -> list[Entry]:
        """One page of the past; cost does not grow with the journal."""
        ...

    async def marks(self) -> dict[str, str]:
        """The poller's bookmarks, kept with the entries they belong to."""
        ...

    async def size(self) -> int:
        """Bytes on disk, as far as the store says."""
        ...

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease for term seconds when it is free, expired or ours; None when another holds it.

        One that expired stays its holder's until another takes it.
        """
        ...

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold on for another term and leave the bot's status for the others; LeaseLost when it is gone."""
        ...

    async def release(self, lease: Lease) -> None:
        """Let another take over at once; nothing happens when the lease is no longer ours."""
        ...

    async def lease(self) -> Lease | None:
        """The row as it stands, whoever holds it; None when nobody ever did."""
        ...
