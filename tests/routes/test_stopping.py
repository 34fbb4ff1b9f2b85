"""What is answered between the signal and the end."""

import json
from pathlib import Path
from typing import Any

from config.settings import ServerSettings
from server import create_app


async def ask(app: Any, state: Any, path: str) -> tuple[int, dict[str, Any]]:
    """One GET of the application itself, without a server around it: status and body."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
        "root_path": "", "scheme": "http", "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 1), "state": state,
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


async def test_a_server_that_stops_is_not_ready_and_still_alive(tmp_path: Path) -> None:
    """Its load balancer sends no more; whoever asks meanwhile is answered."""
    app = create_app(
        ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db", bot_status_endpoint="http://127.0.0.1:9/")
    )
    async with app.router.lifespan_context(app) as state:
        assert (await ask(app, state, "/api/python/health/ready"))[0] == 200
        state["services"].hub.close("shutdown")
        status, problem = await ask(app, state, "/api/python/health/ready")
        assert (status, problem["detail"]) == (503, "not ready: stopping")
        assert (await ask(app, state, "/api/python/health/live"))[0] == 200
        assert (await ask(app, state, "/api/python/portfolio/trades/live"))[0] == 200
