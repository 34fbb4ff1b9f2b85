"""Tickets of browsers: what the API token was exchanged for, signed, with an end, and revoked by a logout."""

import contextlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cache.decimal_json import dumps, loads
from journal.base import Journal
from journal.errors import JournalError

COOKIE: Final = "pi_session"
LIFETIME: Final = 12 * 3600  # seconds
MARK: Final = "revoked_tickets"  # the journal's bookmark that holds them, so that all workers know, after a restart too
REFRESH: Final = 5.0  # seconds between two reads of it
MOST: Final = 500  # revoked tickets that are stored; each is dropped after its expiry


@dataclass(frozen=True, slots=True)
class Ticket:
    """A genuine ticket: its id, and the Unix seconds of its end."""

    id: str
    end: int


class Tickets:
    """Issue and check tickets. A new API token makes every old ticket invalid; all workers accept each other's."""

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"prediction-investor ticket", "sha256")
        self._clock = clock

    def is_token(self, given: str) -> bool:
        """Return True for the API token; takes the same time for every other text."""
        digest = sha256(given.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(digest, sha256(self._token).digest())

    def issue(self) -> str:
        """Return a ticket for LIFETIME seconds."""
        text = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{text}.{self._sign(text)}"

    def read(self, text: str) -> Ticket | None:
        """Return the ticket in a cookie; None for a forged, cut or expired one."""
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(signed).encode()):
            return None
        end, _, name = signed.partition(".")  # genuine, so it is what issue() wrote
        return Ticket(name, int(end)) if int(end) > self._clock() else None

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), sha256).hexdigest()


class RevokedTickets:
    """Tickets that a logout ended before their time, stored in the journal."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._journal, self._clock = journal, clock
        self._ends: dict[str, int] = {}  # by id
        self._read_at = 0.0  # Unix seconds

    async def contains(self, ticket: Ticket) -> bool:
        """Return True if the ticket was revoked, by any worker, at most REFRESH seconds ago or earlier."""
        if not 0 <= self._clock() - self._read_at < REFRESH:
            self._read_at = self._clock()
            with contextlib.suppress(JournalError):  # what was known stays known; /health shows the failure
                await self._refresh()
        return ticket.id in self._ends

    async def add(self, ticket: Ticket) -> None:
        """Revoke a ticket. Raises JournalError if that cannot be stored; this worker refuses it all the same."""
        self._ends[ticket.id] = ticket.end
        await self._refresh()
        newest = sorted(self._ends.items(), key=lambda item: item[1])[-MOST:]
        await self._journal.append([], marks={MARK: dumps(dict(newest))})

    async def _refresh(self) -> None:
        stored = loads((await self._journal.marks()).get(MARK, "{}"))
        now = self._clock()
        self._ends = {name: end for name, end in {**stored, **self._ends}.items() if end > now}
