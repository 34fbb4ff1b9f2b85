"""Errors of the bot.

TradingError
├── InvalidBotSettings    settings that contradict each other or cannot be read; one message names every mistake
├── InvalidStateFile      a state file that is damaged, belongs to another account, or cannot be written
├── AnotherBotRunning     another bot uses the state file or the order prefix
├── LimitsTooLarge        limits that the account's money cannot cover; the message names the largest allowed
├── StrategyError         a strategy raised an exception, or returned a value that is not an intent
└── VenueError            an operation of a venue failed
    ├── OrderRejected     the venue refused the order: nothing was done
    ├── OrderUncertain    no readable answer: the order may or may not exist
    └── VenueUnavailable  a read failed: the last values stay in use until the next one succeeds
"""


class TradingError(Exception):
    """Base of all errors of the bot. The message names the failure, its place, and what to do."""


class InvalidBotSettings(TradingError):
    """Settings contradict each other or cannot be read."""


class InvalidStateFile(TradingError):
    """A state file is damaged, belongs to another account, or cannot be written."""


class AnotherBotRunning(TradingError):
    """Another bot uses the same state file or the same order prefix."""


class LimitsTooLarge(TradingError):
    """A limit is larger than the account's money can cover."""


class StrategyError(TradingError):
    """A strategy raised an exception, or returned a value that is not an intent."""


class VenueError(TradingError):
    """An operation of a venue failed. reason: a short word for it, see bot.reasons."""

    def __init__(self, message: str, reason: str = "other") -> None:
        super().__init__(message)
        self.reason = reason


class OrderRejected(VenueError):
    """The venue refused the order; nothing was done."""


class OrderUncertain(VenueError):
    """The answer was lost or unreadable; read the order's state before sending anything else."""


class VenueUnavailable(VenueError):
    """A read failed; it is tried again later."""
