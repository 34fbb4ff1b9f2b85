"""What can go wrong with the streams, drawn as a tree.

StreamError
├── OutOfOrder    entries were published that do not follow the hub's position: whoever publishes has lost its place
├── TwoJournals   another journal's workers use our Redis prefix
├── Stalled       a reader's connection takes nothing
├── Unreadable    a record or an answer of the bot does not say what it must
└── BotError      the bot could not be asked
    ├── NotThere  404
    ├── Mute      its status says nothing that can be read
    └── TooLarge  its answer is over the limit
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


class Stalled(StreamError):
    """The reader's connection takes nothing for too long; it must be cut, for it cannot even be told."""


class Unreadable(StreamError):
    """A record or an answer cannot be read; the message names the field and is the same for the same mistake."""


class BotError(StreamError):
    """The bot could not be asked; the message says which answer was wrong and how, the same for the same trouble."""


class NotThere(BotError):
    """The bot has nothing under this URL."""


class Mute(BotError):
    """The bot's status was answered, with nothing that can be read."""


class TooLarge(BotError):
    """An answer was over the limit; whatever it held was not read."""
