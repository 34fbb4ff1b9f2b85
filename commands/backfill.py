"""The exchange's older fills as drafts, for `journal backfill`."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import aiohttp

from config.settings import ServerSettings
from ingest.exchange_entries import trade_of
from journal.entries import Draft
from kalshi.client import KalshiClient
from kalshi.environments import mode_of
from runtime.bootstrap import signer

Fills = Callable[[Decimal], AsyncIterator[Draft]]
"""What the exchange knows since a moment (Unix seconds), in any order, as drafts whose source is kalshi_api.

Raises KalshiError."""


def exchange_fills(settings: ServerSettings) -> Fills | None:
    """Where backfill asks; None without keys. Nobody knows any more who made these, so their origin is the account."""
    if settings.kalshi_api_key is None or settings.kalshi_rsa_key_path is None:
        return None

    async def fills(since: Decimal) -> AsyncIterator[Draft]:
        key = signer(settings)  # read only now: a damaged key is nothing to who exports
        async with aiohttp.ClientSession() as session:
            client = KalshiClient.over(session, settings.kalshi_api_url, key, settings.kalshi_subaccount)
            async for fill in client.fills(min_ts=float(since)):
                yield trade_of(fill, "account", mode_of(settings.kalshi_api_url))

    return fills
