"""Errors of several workers that share one journal and one Redis."""


class ClusterError(Exception):
    """Workers cannot work together; the message says what is wrong, where, and what to do."""


class PrefixInUse(ClusterError):
    """Another journal's workers use this Redis prefix, so cursors of one journal would be read as the other's."""

    def __init__(self, key: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"Redis key {key} says that journal {theirs} uses this prefix, ours is {ours}: two services share a Redis, "
            f"or a journal was replaced under running workers. Give each its own REDIS_KEY_PREFIX, or stop the other "
            f"and wait 15 s"
        )
