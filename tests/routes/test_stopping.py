"""Answers between the signal to stop and the end."""

from pathlib import Path

from cache.decimal_json import loads
from config.settings import ServerSettings
from runtime.server_application import ServerApplication
from tests.support.asgi import asgi_request


async def test_a_stopping_server_is_not_ready_and_still_answers(tmp_path: Path) -> None:
    """Readiness turns 503, so that a load balancer sends no more; requests are answered meanwhile."""
    app = ServerApplication(
        ServerSettings(journal_url=f"sqlite:///{tmp_path}/j.db", bot_status_endpoint="http://127.0.0.1:9/")
    )
    async with app.lifespan() as state:
        assert (await asgi_request(app, "/api/python/health/ready", state=state)).status == 200
        state["services"].hub.close("shutdown")
        response = await asgi_request(app, "/api/python/health/ready", state=state)
        assert (response.status, loads(response.body)["detail"]) == (503, "not ready: stopping")
        for path in ("/health/live", "/portfolio/trades/live"):
            assert (await asgi_request(app, f"/api/python{path}", state=state)).status == 200
