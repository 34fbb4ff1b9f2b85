"""Markets in our words and units; the exchange's own filters pass through."""

from typing import Final

from cache.base import Answer
from routes.parameters import Query
from routes.services import Services

STATUSES: Final = ("unopened", "open", "paused", "closed", "settled")


async def listing(services: Services, query: Query) -> Answer:
    """Return a page of markets."""
    return await services.markets.list({name: value for name, value in query.items() if value is not None})


async def one(services: Services, query: Query) -> Answer:
    """Return one market."""
    return await services.markets.one(query["ticker"])
