"""The limit of open file descriptors, of which each stream takes one."""

import resource
from typing import Final

MOST: Final = 1 << 20  # descriptors asked for where the hard limit is unlimited
RESERVED: Final = 200  # for the journal, Redis, the exchange and REST connections


def raise_descriptor_limit() -> int:
    """Raise the soft limit to the hard one and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY:
        return MOST
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def streams_within(limit: int, max_streams: int) -> int:
    """Return how many streams fit into so many descriptors, at most max_streams and at least one."""
    return max(1, min(max_streams, limit - RESERVED))
