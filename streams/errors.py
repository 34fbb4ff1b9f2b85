"""Errors of the event streams."""


class StreamError(Exception):
    """An event stream failed; the message says what failed and what to do."""


class OutOfOrder(StreamError):
    """Published entries do not follow the last published one; no subscriber received them."""


class ReaderStalled(StreamError):
    """A reader's connection accepts no bytes for too long; its stream ends without a bye."""
