"""The markets, in our words and units; the exchange's own filters pass through."""

from starlette.requests import Request

from cache.base import Answer
from routes import params
from routes.services import services

STATUSES = ("unopened", "open", "paused", "closed", "settled")


async def listing(request: Request) -> Answer:
    """A page of markets."""
    filters = {
        "status": params.choice(request, "status", STATUSES),
        "event_ticker": params.ticker(request, "event_ticker"),
        "series_ticker": params.ticker(request, "series_ticker"),
        "tickers": params.tickers(request),
        "limit": str(params.limit(request)),
        "cursor": params.cursor(request),
    }
    return await services(request).markets.list({name: value for name, value in filters.items() if value})


async def one(request: Request) -> Answer:
    """One market."""
    return await services(request).markets.one(params.path_ticker(request))
