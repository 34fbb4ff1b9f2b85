"""The logins that another service keeps: what is asked of them, whoever answers."""

from typing import Final, Protocol

COOKIE: Final = "SESSION"


class SessionsAway(Exception):
    """Whoever keeps the sessions does not answer: nobody can be let in."""


class Sessions(Protocol):
    """Knows who is logged in."""

    async def is_live(self, cookie: str) -> bool:
        """Whether the cookie names a session that exists and is logged in. Raises SessionsAway."""
        ...
