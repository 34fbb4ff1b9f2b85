"""Errors of reading the bot.

IngestError
├── UnreadableRecord        a record or a response of the bot lacks a field or holds a wrong value
└── BotRequestError         a request to the bot failed
    ├── BotUrlNotFound      404
    ├── BotStatusUnreadable its status holds nothing that can be read
    └── BotResponseTooLarge its response is over the limit
"""


class IngestError(Exception):
    """Reading what happened failed; the message says what failed, where, and what to do."""


class UnreadableRecord(IngestError):
    """A record or a response cannot be read; the message names the field and repeats for the same mistake."""


class BotRequestError(IngestError):
    """A request to the bot failed; the message names the URL and the failure and repeats for the same failure."""


class BotUrlNotFound(BotRequestError):
    """The bot answers 404 for this URL."""


class BotStatusUnreadable(BotRequestError):
    """The bot answered its status URL with nothing that can be read."""


class BotResponseTooLarge(BotRequestError):
    """A response was over the size limit; its content was not read."""
