"""Where Redis is; apart from cache/redis.py, so that a service without one does not load the library."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is and as whom we come."""

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.db}"
