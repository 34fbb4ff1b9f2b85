"""What can go wrong with the bot, drawn as a tree.

TradingError
├── InvalidBotSettings    the environment and flags contradict themselves; every mistake in one message
├── InvalidStateFile     the state file is not ours or not whole; a person must look
├── AnotherBotRunning         another bot trades with our state file or under our prefix
└── VenueError       the place where orders go
    ├── OrderRejected      the venue said no: nothing was done, and it told why
    ├── OrderUncertain       no answer that can be believed: the order may or may not exist
    └── VenueUnavailable  a read failed; what we know is as old as the last one that worked
"""


class TradingError(Exception):
    """Something is wrong with the bot; the message says what, where, and what to do."""


class InvalidBotSettings(TradingError):
    """The settings contradict themselves or cannot be read."""


class InvalidStateFile(TradingError):
    """The state file cannot be believed."""


class AnotherBotRunning(TradingError):
    """Another bot seems to trade with the same state file, or under the same prefix; two must not share either."""


class VenueError(TradingError):
    """The venue did not do what was asked."""


class OrderRejected(VenueError):
    """The venue said no; nothing was done."""


class OrderUncertain(VenueError):
    """Nobody knows whether it was done: read before you act again."""


class VenueUnavailable(VenueError):
    """A read failed; try again later."""
