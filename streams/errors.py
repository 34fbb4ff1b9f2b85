"""What can go wrong with the streams, drawn as a tree.

StreamError
├── OutOfOrder   entries were published that do not follow the hub's position: whoever publishes has lost its place
└── TwoJournals  another journal's workers use our Redis prefix
"""


class StreamError(Exception):
    """Something is wrong with the streams; the message says what, where, and what to do."""


class OutOfOrder(StreamError):
    """The entries do not follow the last ones without a hole; none of them was told to anybody."""


class TwoJournals(StreamError):
    """Under one Redis prefix there can be only one journal: cursors of one would be read as the other's."""

    def __init__(self, key: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"Redis key {key} says that journal {theirs} uses this prefix, ours is {ours}: two services share a Redis, "
            f"or a journal was replaced under running workers. Give each its own REDIS_KEY_PREFIX, or stop the other "
            f"and wait 15 s"
        )
