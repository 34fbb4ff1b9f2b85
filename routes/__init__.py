"""URLs in, JSON out; no decisions. The whole API stands in the table below."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Lifespan, Receive, Scope, Send

from routes import health, index, login, markets, metrics, openapi, portfolio, static_files, stream_stats
from routes.prefix import PREFIX
from routes.responses import JsonEndpoint
from routes.services import get_services
from routes.summary import summary
from streams.subscriber import AsgiSend


class Stream:
    """A stream's endpoint: the application that the lifespan made under this name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await get_services(scope).streams[self.name](scope, receive, cast(AsgiSend, send))


class ExactPathRoute(Router):
    """A router that finds a URL without parameters by one look-up: the search was a third of a cached answer."""

    def __init__(self, routes: list[BaseRoute], lifespan: Lifespan[Any] | None = None) -> None:
        super().__init__(routes, redirect_slashes=False, lifespan=lifespan)
        self.exact = {path: route for path, route in full_paths(routes) if "{" not in path}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's own search is for the rest: parameters, a proxy's prefix, what is not there, no HTTP."""
        route = self.exact.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await super().app(scope, receive, send)
        else:
            scope["route"] = route
            await route.handle(scope, receive, send)


def full_paths(routes: list[BaseRoute]) -> Iterator[tuple[str, Route]]:
    """The routes, those under a mount included, with their whole paths."""
    for route in routes:
        if isinstance(route, Mount):
            yield from ((route.path + path, inner) for path, inner in full_paths(list(route.routes)))
        elif isinstance(route, Route):
            yield route.path, route


def table(markets_ttl: float) -> dict[str, Callable[..., Any]]:
    """Every URL and what answers it. markets_ttl: seconds for which others may keep market data."""
    return {
        "/portfolio/balance": JsonEndpoint(portfolio.balance),
        "/portfolio/positions": JsonEndpoint(portfolio.positions),
        "/portfolio/fills": JsonEndpoint(portfolio.fills),
        "/portfolio/orders": JsonEndpoint(portfolio.orders),
        "/portfolio/settlements": JsonEndpoint(portfolio.settlements),
        "/portfolio/trades/live": JsonEndpoint(portfolio.live, max_age=0),
        "/portfolio/trades/history": JsonEndpoint(portfolio.history),
        "/portfolio/summary": JsonEndpoint(summary),
        "/markets": JsonEndpoint(markets.listing, max_age=markets_ttl),
        "/markets/{ticker}": JsonEndpoint(markets.one, max_age=markets_ttl),
        "/sse/trading": Stream("trading"),
        "/sse/trades": Stream("trades"),
        "/sse/portfolio": Stream("portfolio"),
        "/sse/status": Stream("status"),
        "/sse/stats": stream_stats.stats,
        "/sse/clients": stream_stats.clients,
        "/health": health.health,
        "/health/live": health.live,
        "/health/ready": health.ready,
        "/docs": static_files.docs,
        "/dashboard": static_files.dashboard,
        "/metrics": metrics.metrics,
        "/openapi.json": openapi.openapi,
        "/web/{file}": static_files.asset,
        "": index.index,
    }


def router(markets_ttl: float, lifespan: Lifespan[Any]) -> Router:
    """The table under its prefix; each URL with and without a trailing slash, and neither redirects."""
    both = [
        Route(path + slash, endpoint, methods=["GET"])
        for path, endpoint in table(markets_ttl).items()
        for slash in ("", "/")
        if path + slash
    ]
    logins = [Route("/session" + slash, login.Session) for slash in ("", "/")]
    inside = Router([*both, *logins], redirect_slashes=False)
    return ExactPathRoute([Mount(PREFIX, inside), Route(PREFIX, index.index, methods=["GET"])], lifespan)
