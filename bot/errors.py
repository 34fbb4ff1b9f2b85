"""What can go wrong with the bot, drawn as a tree.

BotError
├── SettingsWrong    the environment and flags contradict themselves; every mistake in one message
├── StateDamaged     the state file is not ours or not whole; a person must look
├── NotAlone         another bot trades with our state file or under our prefix
└── VenueError       the place where orders go
    ├── Refused      the venue said no: nothing was done, and it told why
    ├── Unsure       no answer that can be believed: the order may or may not exist
    └── Unreachable  a read failed; what we know is as old as the last one that worked
"""


class BotError(Exception):
    """Something is wrong with the bot; the message says what, where, and what to do."""


class SettingsWrong(BotError):
    """The settings contradict themselves or cannot be read."""


class StateDamaged(BotError):
    """The state file cannot be believed."""


class NotAlone(BotError):
    """Another bot seems to trade with the same state file, or under the same prefix; two must not share either."""


class VenueError(BotError):
    """The venue did not do what was asked."""


class Refused(VenueError):
    """The venue said no; nothing was done."""


class Unsure(VenueError):
    """Nobody knows whether it was done: read before you act again."""


class Unreachable(VenueError):
    """A read failed; try again later."""
