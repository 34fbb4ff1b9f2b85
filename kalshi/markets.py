"""Cached market data in our names and units."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cache.base import Answer
from cache.stale_cache import StaleCache
from kalshi.client import KalshiClient, segment
from kalshi.errors import FieldError

FILTERS = ("status", "event_ticker", "series_ticker", "tickers", "limit", "cursor")


class Markets:
    """Public market data; works without keys. ttl: maximum age of an answer in seconds."""

    def __init__(self, client: KalshiClient, keeper: StaleCache, ttl: float = 300.0) -> None:
        self._client, self._keeper, self.ttl = KalshiClient(client.calls, lane="public"), keeper, ttl
        where = hashlib.sha256(client.calls.wire.base_url.encode()).hexdigest()[:12]
        self._prefix = f"kalshi:{where}:market"

    async def list(self, filters: Mapping[str, Any]) -> Answer:
        """Return `markets`, `count`, `next` for the filters of FILTERS. Raises KalshiError."""
        requested = {name: filters[name] for name in FILTERS if filters.get(name)}

        async def fetch() -> dict[str, Any]:
            page = await self._client.markets(requested)
            rows = [market.as_json() for market in page.rows]
            return {"markets": rows, "count": len(rows), "next": page.next}

        text = "&".join(f"{name}={value}" for name, value in requested.items())
        key = f"{self._prefix}s:{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        return await self._keeper.get(key, self.ttl, fetch)

    async def one(self, ticker: str) -> Answer:
        """Return the market's fields. Raises NotFound and other KalshiErrors."""

        async def fetch() -> dict[str, Any]:
            market = await self._client.market(ticker)
            if market.ticker != ticker:
                raise FieldError("GET /markets/{ticker}", "ticker", f"should be {ticker!r}, not {market.ticker!r:.60}")
            return market.as_json() | {"rules": market.rules}

        return await self._keeper.get(f"{self._prefix}:{segment(ticker)}", self.ttl, fetch)
