"""A cached balance as FastAPI answers it: a pydantic model, validated and encoded for each request."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class BalanceBody(BaseModel):
    """The same members as ours."""

    source: str
    as_of: float
    stale: bool
    balance: float
    portfolio_value_reported: float
    currency: str
    by_exchange_index: dict[str, float]


CACHED = BalanceBody(
    source="memory_cache",
    as_of=1700000000.123,
    stale=False,
    balance=10000.0,
    portfolio_value_reported=12.5,
    currency="USD",
    by_exchange_index={"0": 10000.0},
)


@app.get("/api/python/portfolio/balance")
async def balance() -> BalanceBody:
    """The cached model."""
    return CACHED
