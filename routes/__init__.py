"""URLs in, JSON out; no decisions. The whole API stands in the table below."""

from collections.abc import Callable
from typing import Any, cast

from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from routes import health, index, markets, metrics, openapi, pages, portfolio, readers, session
from routes.replies import Reply
from routes.services import of
from routes.summary import summary
from streams.subscriber import AsgiSend

PREFIX = "/api/python"


class Stream:
    """A stream's endpoint: the application that the lifespan made under this name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await of(scope).streams[self.name](scope, receive, cast(AsgiSend, send))


class Exact(Router):
    """A router that finds a URL without parameters by one look-up: the search was a fifth of a cached answer."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        super().__init__(routes, redirect_slashes=False)
        self.exact = {route.path: route for route in routes if isinstance(route, Route) and "{" not in route.path}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's own search is for the rest."""
        route = self.exact.get(scope["path"][len(scope["root_path"]) :])
        if route is None:
            await super().app(scope, receive, send)
        else:
            scope["route"] = route
            await route.handle(scope, receive, send)


def table(markets_ttl: float) -> dict[str, Callable[..., Any]]:
    """Every URL and what answers it. markets_ttl: seconds for which others may keep market data."""
    return {
        "/portfolio/balance": Reply(portfolio.balance),
        "/portfolio/positions": Reply(portfolio.positions),
        "/portfolio/fills": Reply(portfolio.fills),
        "/portfolio/orders": Reply(portfolio.orders),
        "/portfolio/settlements": Reply(portfolio.settlements),
        "/portfolio/trades/live": Reply(portfolio.live, max_age=0),
        "/portfolio/trades/history": Reply(portfolio.history),
        "/portfolio/summary": Reply(summary),
        "/markets": Reply(markets.listing, max_age=markets_ttl),
        "/markets/{ticker}": Reply(markets.one, max_age=markets_ttl),
        "/sse/trading": Stream("trading"),
        "/sse/trades": Stream("trades"),
        "/sse/portfolio": Stream("portfolio"),
        "/sse/status": Stream("status"),
        "/sse/stats": readers.stats,
        "/sse/clients": readers.clients,
        "/health": health.health,
        "/health/live": health.live,
        "/health/ready": health.ready,
        "/docs": pages.docs,
        "/dashboard": pages.dashboard,
        "/metrics": metrics.metrics,
        "/openapi.json": openapi.openapi,
        "/web/{file}": pages.asset,
        "": index.index,
    }


def routes(markets_ttl: float) -> list[BaseRoute]:
    """The table under its prefix; each URL with and without a trailing slash, and neither redirects."""
    both = [
        Route(path + slash, endpoint, methods=["GET"])
        for path, endpoint in table(markets_ttl).items()
        for slash in ("", "/")
        if path + slash
    ]
    logins = [Route("/session" + slash, session.Session) for slash in ("", "/")]
    return [Mount(PREFIX, Exact([*both, *logins])), Route(PREFIX, index.index, methods=["GET"])]
