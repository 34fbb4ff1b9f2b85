"""Does the exchange say what we say? Asked before the first order and ever after; a difference stops the trading."""

import asyncio
import logging
from decimal import Decimal

from bot.account_fills import AccountFills
from bot.errors import VenueUnavailable
from bot.venues.fill_collector import FillCollector
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

_TRIES = 5  # reads of positions and fills may trail each other for a moment
_PAUSE = 0.5  # seconds between tries


class AccountCheck:
    """Compares positions with the fills that should have made them. Methods raise VenueUnavailable."""

    def __init__(self, client: KalshiClient, account: AccountFills, fills: FillCollector) -> None:
        self._client = client
        self._account = account
        self._fills = fills

    async def begin(self) -> None:
        """The first start of all: what is there now is where we begin.

        Fills are read before and after the positions: only when they are the same do the positions hold all of them.
        """
        try:
            for _ in range(_TRIES):
                now = Decimal(str(await self._client.user_data_timestamp()))
                before = {f.fill_id async for f in self._client.fills(min_ts=float(now) - 60)}
                positions = {p.ticker: p.quantity for p in await self._client.positions()}
                after = [f async for f in self._client.fills(min_ts=float(now) - 60)]
                if {fill.fill_id for fill in after} == before:
                    break
                await asyncio.sleep(_PAUSE)
            else:
                raise VenueUnavailable("the account trades without a pause; where it stands cannot be read")
            paid = [row async for row in self._client.settlements(min_ts=float(now) - 86400)]
        except KalshiError as error:
            raise VenueUnavailable(str(error)) from error
        for fill in after:
            self._account.mark(fill.fill_id, fill.timestamp)
        for row in paid:
            self._account.settle(row.ticker, row.settled)
        self._account.found(positions, now)

    async def differences(self) -> str:
        """What positions say against fills, in words; empty when they agree.

        While we trade the two are read at different moments and may differ by what happened between. Such a
        difference changes from one try to the next; only one that stays the same through all of them is real.
        """
        found: dict[str, tuple[Decimal, Decimal]] = {}
        lasting: set[tuple[str, Decimal]] | None = None
        try:
            for turn in range(_TRIES):
                await asyncio.sleep(_PAUSE if turn else 0)
                positions = {p.ticker: p.quantity for p in await self._client.positions()}
                await self._fills.walk()
                await self._fills.settlements()
                found = self._account.differences(positions)
                apart = {(ticker, theirs - ours) for ticker, (ours, theirs) in found.items()}
                lasting = apart if lasting is None else lasting & apart
                if not lasting:
                    return ""
        except KalshiError as error:
            raise VenueUnavailable(str(error)) from error
        real = {ticker for ticker, _ in lasting or ()}
        found = {ticker: pair for ticker, pair in found.items() if ticker in real}
        words = (f"{ticker}: our fills say {ours}, the exchange {theirs}" for ticker, (ours, theirs) in found.items())
        return ", ".join(words)
