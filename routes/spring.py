"""Login sessions of Spring in the shared Redis.

A session is the hash <namespace>:sessions:<id>; the cookie holds the id in base64. It is logged in while its security
context is not empty and lastAccessedTime + maxInactiveInterval lies ahead, since the indexed repository keeps the hash
for 300 s after logout and expiry. Nothing of Spring's is changed. docs/spring.md has the observations behind this.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from cache.redis import Client
from routes.access import SessionsAway

CONTEXT: Final = "sessionAttr:SPRING_SECURITY_CONTEXT"
EMPTY: Final = 8  # bytes; an empty context has at most so many: no bytes, JSON null, or a serialized null
JAVA: Final = b"\xac\xed\x00\x05"  # how Java's serialization begins
_ID: Final = re.compile(r"[A-Za-z0-9-]{16,64}")
_NUMBER: Final = re.compile(rb"-?[0-9]{1,19}(?=[^0-9]*$)")


class SpringSessions:
    """Reads the shared Redis, with the time limits that its client was made with."""

    def __init__(self, redis: Client, namespace: str, clock: Callable[[], float] = time.time) -> None:
        self._redis, self._prefix, self._clock = redis, f"{namespace}:sessions:", clock

    async def is_live(self, cookie: str) -> bool:
        """Return True if the cookie names a session that has not expired and is logged in. Raises SessionsAway."""
        name = session_id(cookie)
        if name is None:
            return False
        key = self._prefix + name
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(key, "lastAccessedTime", "maxInactiveInterval")
                pipe.hstrlen(key, CONTEXT)
                (accessed, inactive), length = await pipe.execute()
        except (RedisError, OSError) as error:
            raise SessionsAway(f"the session store does not answer ({type(error).__name__})") from None
        last, seconds = java_number(accessed), java_number(inactive)  # milliseconds; negative: without end
        if length <= EMPTY or last is None or seconds is None:
            return False
        return seconds < 0 or last / 1000 + seconds > self._clock()


def java_number(value: bytes | None) -> int | None:
    """Return a Long or Integer that Java or JSON serialized; None for anything else."""
    if not value:
        return None
    if value.startswith(JAVA):
        size = 8 if b"java.lang.Long" in value else 4 if b"java.lang.Integer" in value else 0
        return int.from_bytes(value[-size:], "big", signed=True) if size else None
    found = _NUMBER.search(value)
    return int(found[0]) if found else None


def session_id(cookie: str) -> str | None:
    """Return the id in a cookie as Spring writes it; None for text that cannot be one."""
    try:
        text = base64.b64decode(cookie + "=" * (-len(cookie) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return text if _ID.fullmatch(text) else None
