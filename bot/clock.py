"""The two clocks of the bot: one for what happened when, one for how long ago."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BotClock:
    """wall: Unix seconds, which may jump. monotonic: seconds that only grow, for ages and intervals."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
