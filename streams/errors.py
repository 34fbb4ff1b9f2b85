"""What can go wrong with the streams, drawn as a tree.

StreamError
└── OutOfOrder   entries were published that do not follow the hub's position: whoever publishes has lost its place
"""


class StreamError(Exception):
    """Something is wrong with the streams; the message says what, where, and what to do."""


class OutOfOrder(StreamError):
    """The entries do not follow the last ones without a hole; none of them was told to anybody."""
