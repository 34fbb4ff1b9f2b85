"""Headers that every answer carries, so that a browser takes it for what it is and nothing else."""

from typing import Final

from starlette.types import Message, Send

SECURITY: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


def secured(send: Send) -> Send:
    """A send that puts them on; Strict-Transport-Security is the proxy's, which alone knows whether there is TLS."""

    async def secured_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *SECURITY]
        await send(message)

    return secured_send
