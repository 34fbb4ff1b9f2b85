"""Bytes on their way to readers: made once, shared by all who want them."""

from collections.abc import Sequence
from typing import Any


class Chunk:
    """Whole events as one piece. last is the seq of the last entry in it (0: none), born the clock when published."""

    __slots__ = ("_framed", "body", "born", "events", "last", "message")

    def __init__(self, body: bytes, events: int, last: int = 0, born: float = 0.0) -> None:
        self.body = body
        self.events = events
        self.last = last
        self.born = born
        # The ASGI message is shared too: servers read it and never write to it.
        self.message: dict[str, Any] = {"type": "http.response.body", "body": body, "more_body": True}
        self._framed: bytes | None = None

    @property
    def framed(self) -> bytes:
        """The body as one chunk of HTTP/1.1's chunked encoding."""
        if self._framed is None:
            self._framed = b"%x\r\n%b\r\n" % (len(self.body), self.body)
        return self._framed

    @classmethod
    def joined(cls, chunks: Sequence["Chunk"]) -> "Chunk":
        """Several as one, so that what waited leaves in one write. Ages from the oldest."""
        if len(chunks) == 1:
            return chunks[0]
        return cls(
            b"".join([chunk.body for chunk in chunks]),
            sum(chunk.events for chunk in chunks),
            max(chunk.last for chunk in chunks),
            chunks[0].born,
        )
