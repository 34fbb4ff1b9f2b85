"""The way out of every answer: headers so that a browser takes it for what it is, and how long it took."""

import time
from typing import Final

from starlette.types import Message, Send

from routes import fast

SECURITY: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]

SECURITY_LINES: Final = fast.lines(SECURITY)
OUTGOING: Final = "prediction_investor.outgoing"  # where the scope has it


class ResponseHeaders:
    """A send that puts the headers on and remembers the status; one object for both, since each wrapper costs.

    Strict-Transport-Security is the proxy's, which alone knows whether there is TLS.
    """

    __slots__ = ("_started", "bare", "begun", "status")

    def __init__(self, send: Send) -> None:
        self.bare = send  # for what follows the first message, to which there is nothing to add
        self._started = time.perf_counter()
        self.begun = False  # an answer has
        self.status = 500  # what the server answers when the application gives nothing

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.perf_counter() - self._started

    def answer(self, lines: bytes, body: bytes) -> bool:
        """A whole answer with status 200 to a GET, past public ASGI; False when it must go that way, and did not."""
        if not fast.answer(self.bare, lines + SECURITY_LINES, body):
            return False
        self.begun, self.status = True, 200
        return True

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], *SECURITY]
        await self.bare(message)
