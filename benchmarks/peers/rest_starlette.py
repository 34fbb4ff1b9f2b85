"""The least that Starlette does for the same bytes: one route, one Response, no caching headers, no provenance."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = (
    b'{"source":"memory_cache","as_of":1700000000.123,"stale":false,"balance":10000,'
    b'"portfolio_value_reported":12.5,"currency":"USD","by_exchange_index":{"0":10000}}'
)


async def balance(request: Request) -> Response:
    """The ready bytes."""
    return Response(BODY, media_type="application/json")


app = Starlette(routes=[Route("/api/python/portfolio/balance", balance)])
