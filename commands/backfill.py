"""Older fills of the exchange as drafts, for `journal backfill`."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import aiohttp

from config.settings import ServerSettings
from ingest.exchange_fills import trade_of
from journal.entries import Draft
from kalshi.client import KalshiClient
from kalshi.environments import mode_of
from runtime.bootstrap import signer

Fills = Callable[[Decimal], AsyncIterator[Draft]]
"""Yields the exchange's fills since a time (Unix seconds), in any order, as drafts. Raises KalshiError."""


def exchange_fills(settings: ServerSettings) -> Fills | None:
    """Return the source of fills, None without keys. Origin of an old fill is the account: its maker is unknown."""
    if settings.kalshi_api_key is None or settings.kalshi_rsa_key_path is None:
        return None

    async def fills(since: Decimal) -> AsyncIterator[Draft]:
        key = signer(settings)  # read here, so that an export works with a damaged key
        async with aiohttp.ClientSession() as session:
            client = KalshiClient.over(session, settings.kalshi_api_url, key, settings.kalshi_subaccount)
            async for fill in client.fills(min_ts=float(since)):
                yield trade_of(fill, "account", mode_of(settings.kalshi_api_url))

    return fills
