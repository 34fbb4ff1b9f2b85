"""Compares the account's positions at the exchange with the fills that should have made them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal

from bot.account_fills import OVERLAP, AccountFills
from bot.errors import VenueUnavailable
from bot.reasons import STARTING, reason_of
from bot.venues.fill_collector import FillCollector
from kalshi.account_models import Position
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

_TRIES = 5  # reads of positions and fills may trail each other for a moment
_PAUSE = 0.5  # seconds between tries


class AccountCheck:
    """Reads positions and fills. Methods raise VenueUnavailable.

    on_positions: called with each list of positions that was read.
    """

    def __init__(
        self, client: KalshiClient, account: AccountFills, fills: FillCollector,
        on_positions: Callable[[list[Position]], None] = lambda positions: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._client = client
        self._account = account
        self._fills = fills
        self._on_positions = on_positions
        self._sleep = sleep

    async def begin(self) -> None:
        """Take the present positions as the opening ones; every earlier fill is part of them.

        Fills are read before and after the positions: only if they are the same do the positions hold all of them.
        """
        try:
            for _ in range(_TRIES):
                now = Decimal(str(await self._client.user_data_timestamp()))
                since = max(0.0, float(now) - 2 * OVERLAP)
                before = {fill.fill_id async for fill in self._client.fills(min_ts=since)}
                positions = await self._client.positions()
                after = [fill async for fill in self._client.fills(min_ts=since)]
                if {fill.fill_id for fill in after} == before:
                    break
                await self._sleep(_PAUSE)
            else:
                raise VenueUnavailable(
                    "the account trades without a pause; its opening positions cannot be read", STARTING
                )
            paid = [row async for row in self._client.settlements(min_ts=float(now) - 86400)]
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error
        for fill in after:
            self._account.mark(fill.fill_id, fill.timestamp)
        for row in paid:
            self._account.settle(row.ticker, row.settled)
        self._account.open_with({row.ticker: row.quantity for row in positions}, now)
        self._on_positions(positions)

    async def cash(self) -> tuple[Decimal, Decimal]:
        """Return the account's cash and the cost of its open positions, in dollars."""
        try:
            balance = (await self._client.balance()).balance
            return balance, sum((row.cost for row in await self._client.positions()), Decimal(0))
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error

    async def differences(self) -> str:
        """Return the positions that differ from the fills, in words; "" if they agree.

        While the bot trades both are read at different moments and may differ by what happened between. Such a
        difference changes from one try to the next; only one that stays the same in all tries is real.
        """
        found: dict[str, tuple[Decimal, Decimal]] = {}
        lasting: set[tuple[str, Decimal]] | None = None
        try:
            for number in range(_TRIES):
                if number:
                    await self._sleep(_PAUSE)
                rows = await self._client.positions()
                await self._fills.read_all()
                await self._fills.read_settlements()
                self._on_positions(rows)
                found = self._account.differences({row.ticker: row.quantity for row in rows})
                apart = {(ticker, theirs - ours) for ticker, (ours, theirs) in found.items()}
                lasting = apart if lasting is None else lasting & apart
                if not lasting:
                    return ""
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error
        real = {ticker for ticker, _ in lasting or ()}
        return ", ".join(
            f"{ticker}: our fills say {ours}, the exchange {theirs}"
            for ticker, (ours, theirs) in found.items()
            if ticker in real
        )
