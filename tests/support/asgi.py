"""One request to an ASGI application without a server."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class AsgiResponse:
    """Everything that an application sent for one request."""

    messages: list[Any] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status."""
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(message.get("body", b"") for message in self.messages[1:])


async def asgi_request(
    app: Any, path: str, query: bytes = b"", method: str = "GET", headers: dict[str, str] | None = None, **more: Any
) -> AsgiResponse:
    """Send one request without a body. more: further members of the scope, such as state."""
    response = AsgiResponse()
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        response.messages.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query,
        "headers": [(b"host", b"localhost"), *pairs], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "state": {}, **more,
    }  # fmt: skip
    await app(scope, receive, send)
    return response
