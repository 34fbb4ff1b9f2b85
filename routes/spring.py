"""Spring's sessions in the shared Redis: whether a browser's SESSION cookie names one that is live and logged in.

Spring Session keeps a session as the hash spring:session:sessions:<id>, with its security context in the field
sessionAttr:SPRING_SECURITY_CONTEXT once somebody has logged in; the cookie holds the id in base64. These keys are the
only ones outside our prefix that are ever touched, by EXISTS and HEXISTS alone; nothing of them is read or decoded.
Written after Spring's documents; not tested against a running Spring.
"""

import base64
import binascii
import re

from redis.exceptions import RedisError

from cache.redis import Client
from routes.access import SessionsAway

NAMESPACE = "spring:session:sessions:"
LOGGED_IN = "sessionAttr:SPRING_SECURITY_CONTEXT"
_ID = re.compile(r"[A-Za-z0-9-]{16,64}")


class SpringSessions:
    """Asks the shared Redis, with the limits that its client was made with. It holds no state of its own."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def is_live(self, cookie: str) -> bool:
        """Whether the cookie names a session that exists and is logged in. Raises SessionsAway."""
        name = session_id(cookie)
        if name is None:
            return False
        key = NAMESPACE + name
        try:
            return bool(await self._redis.exists(key)) and bool(await self._redis.hexists(key, LOGGED_IN))
        except (RedisError, OSError) as error:
            raise SessionsAway(f"the session store does not answer ({type(error).__name__})") from None


def session_id(cookie: str) -> str | None:
    """The id in a cookie as Spring writes it; None for what cannot be one."""
    try:
        text = base64.b64decode(cookie + "=" * (-len(cookie) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return text if _ID.fullmatch(text) else None
