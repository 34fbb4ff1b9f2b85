"""Address of Redis, in a module of its own so that a service without Redis does not load the library."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Host, database and credentials."""

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.db}"
