"""A browser's ticket: what the token was traded for, signed, with an end; nothing is stored for it."""

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256

COOKIE = "pi_session"
LIFETIME = 12 * 3600  # seconds


class Tickets:
    """Makes and checks tickets. A new token makes every old ticket worthless; all workers accept each other's."""

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"prediction-investor ticket", "sha256")
        self._clock = clock

    def is_token(self, given: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one."""
        return hmac.compare_digest(sha256(given.encode()).digest(), sha256(self._token).digest())

    def issue(self) -> str:
        """A ticket for LIFETIME seconds from now."""
        text = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{text}.{self._sign(text)}"

    def expires(self, ticket: str) -> float | None:
        """Unix seconds when a genuine ticket ends; None for a forged, cut or ended one."""
        text, _, signature = ticket.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            return None
        end = float(text.partition(".")[0])  # genuine, so it is what issue wrote
        return end if end > self._clock() else None

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), sha256).hexdigest()
