"""The account at the exchange: balance, positions, fills, orders, settlements."""

from typing import Final

from cache.base import Answer
from routes.parameters import Query
from routes.services import Services

ORDER_STATUSES: Final = ("resting", "canceled", "executed")


async def balance(services: Services, query: Query) -> Answer:
    """Return the cash, in dollars."""
    return await services.portfolio.balance()


async def positions(services: Services, query: Query) -> Answer:
    """Return the open positions with marks and P&L."""
    return await services.portfolio.positions()


async def fills(services: Services, query: Query) -> Answer:
    """Return a page of the account's fills, newest first."""
    return await services.portfolio.fills(query["limit"], query["cursor"])


async def orders(services: Services, query: Query) -> Answer:
    """Return a page of the account's orders."""
    return await services.portfolio.orders(query["limit"], query["cursor"], query["status"])


async def settlements(services: Services, query: Query) -> Answer:
    """Return a page of the markets that paid out, newest first."""
    return await services.portfolio.settlements(query["limit"], query["cursor"])
