"""Cached account data: balance, positions, fills, orders, settlements, each an Answer in our names and units."""

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from cache.base import Answer
from cache.stale_cache import CompleteValue, StaleCache
from kalshi import serializers
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from kalshi.freshness import Freshness
from kalshi.rate_limits import Lane

Read = Callable[[], Awaitable[dict[str, Any]]]


ReadPage = Callable[[int, str | None], Awaitable[dict[str, Any]]]
"""Reads a page of so many rows after the exchange's cursor."""

PAGE_SIZES: Final = (100, 1000)  # rows of a page as it is read from the exchange
SLICES_KEPT: Final = 64
_SLICE_CURSOR: Final = re.compile(r"(100|1000)\.([0-9]{1,3})~(.*)")


@dataclass(frozen=True, slots=True)
class Tiers:
    """Maximum ages of answers in seconds; a trade makes them stale earlier."""

    account: float = 3600.0  # balance, positions
    history: float = 86400.0  # fills, settlements
    marks: float = 15.0  # prices of held markets; orders too, which come and go without a trade


@dataclass(frozen=True, slots=True)
class _Valued:
    """Positions with their marks, cached until positions or marks change."""

    held: Answer
    tickers: list[str]
    marks_key: str
    marks: Answer | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class PagePlace:
    """A place in a page of size rows that follows the exchange's cursor `after`, empty for the first page."""

    size: int
    start: int
    after: str


def read_page_cursor(cursor: str | None, limit: int) -> PagePlace:
    """Return the place that a `next` of ours names: `<size>.<start>~<the exchange's cursor>`, or its cursor alone."""
    match = _SLICE_CURSOR.fullmatch(cursor or "")
    if match is not None:
        return PagePlace(int(match[1]), int(match[2]), match[3])
    return PagePlace(next(size for size in PAGE_SIZES if limit <= size), 0, cursor or "")


def slice_page(page: dict[str, Any], name: str, place: PagePlace, limit: int) -> dict[str, Any]:
    """Return limit rows of a page, their count and the cursor of the rest. Rows that came meanwhile are repeated."""
    rows = page[name][place.start : place.start + limit]
    end = place.start + len(rows)
    more = end < len(page[name])
    following = f"{place.size}.{end}~{place.after}" if more else page["next"]
    return {name: rows, "count": len(rows), "next": following}


class Portfolio:
    """Account data. Every method raises KalshiError, NotConfigured without keys."""

    def __init__(
        self,
        client: KalshiClient,
        keeper: StaleCache,
        tiers: Tiers | None = None,
        lane: Lane = "public",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._keeper, self._lane = client, keeper, lane
        self.tiers = tiers or Tiers()
        self.freshness = Freshness(clock)
        self._prefix = f"kalshi:{client.account}"
        # All mutable state besides freshness: positions with their marks, by status.
        self._valued: dict[str, _Valued] = {}
        self._slices: dict[tuple[str, int, int], tuple[Answer, Answer]] = {}  # by key, start and limit

    def touched(self, at: float) -> None:
        """Note a trade or settlement at this time (Unix seconds): answers read before it are stale now."""
        self.freshness.touched(at)

    async def balance(self) -> Answer:
        """Return `balance`, `portfolio_value_reported`, `currency`, `by_exchange_index` (cash per shard)."""

        async def read() -> dict[str, Any]:
            return serializers.balance(await self._client.balance(self._lane))

        return await self._account("balance", self.tiers.account, read)

    async def positions(self, settled: Literal["unsettled", "settled", "all"] = "unsettled") -> Answer:
        """Return `positions`, `count`, `marks_as_of`, `marks_stale`; settled: unsettled, settled or all.

        Marks come from one batched call of their own and are younger than the rest; without them mark, value and
        unrealized_pnl are null and the rest stands. source, as_of and stale are those of the positions.
        """

        async def read() -> dict[str, Any]:
            return {
                "positions": [serializers.position(row) for row in await self._client.positions(settled, self._lane)]
            }

        kept = await self._account(f"positions:{settled}", self.tiers.account, read)
        known = self._valued.get(settled)
        if known is not None and known.held is kept:
            tickers, key = known.tickers, known.marks_key
        else:
            tickers = sorted(row["ticker"] for row in kept.value["positions"] if row["quantity"])
            key, known = f"{self._prefix}:marks:{_short(tickers)}", None
        marks = await self._marks(key, tickers) if tickers else None
        if known is not None and known.marks is marks:
            return known.answer
        answer = Answer(serializers.with_marks(kept.value["positions"], marks), kept.source, kept.as_of, kept.stale)
        self._valued[settled] = _Valued(kept, tickers, key, marks, answer)
        return answer

    async def fills(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """Return `fills`, `count`, `next`: one page, newest first; `next` leads into the historical tier."""

        async def read(size: int, after: str | None) -> dict[str, Any]:
            page = await self._client.fills_page(size, after, self._lane)
            return {"fills": [serializers.fill(row) for row in page.rows], "next": page.next}

        return await self._page("fills", "fills", self.tiers.history, limit, cursor, read)

    async def orders(self, limit: int = 100, cursor: str | None = None, status: str | None = None) -> Answer:
        """Return `orders`, `count`, `next`: one page; status: resting, canceled or executed."""

        async def read(size: int, after: str | None) -> dict[str, Any]:
            page = await self._client.orders(status, size, after, self._lane)
            return {"orders": [serializers.order(row) for row in page.rows], "next": page.next}

        return await self._page(f"orders:{status or 'all'}", "orders", self.tiers.marks, limit, cursor, read)

    async def settlements(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """Return `settlements`, `count`, `next`: one page, newest first."""

        async def read(size: int, after: str | None) -> dict[str, Any]:
            page = await self._client.settlements_page(size, after, self._lane)
            return {"settlements": [serializers.settlement(row) for row in page.rows], "next": page.next}

        return await self._page("settlements", "settlements", self.tiers.history, limit, cursor, read)

    async def _page(self, name: str, rows: str, ttl: float, limit: int, cursor: str | None, read: ReadPage) -> Answer:
        """Return limit rows of a page of the exchange, which is cached whole: a limit makes no key of its own."""
        place = read_page_cursor(cursor, limit)
        key = f"{name}:{place.size}:{_short([place.after]) if place.after else ''}"
        whole = await self._account(key, ttl, lambda: read(place.size, place.after or None))
        known = self._slices.get((key, place.start, limit))
        if known is not None and known[0] is whole:
            return known[1]
        answer = replace(whole, value=slice_page(whole.value, rows, place, limit))
        self._slices[key, place.start, limit] = whole, answer
        if len(self._slices) > SLICES_KEPT:
            del self._slices[next(iter(self._slices))]
        return answer

    async def _account(self, name: str, ttl: float, read: Read) -> Answer:
        self._client.calls.keys()  # without keys there is nothing to keep, not even a failure

        async def fetch() -> CompleteValue:
            through = await self._through()  # before the answer: afterwards it would promise too much
            return CompleteValue(await read(), through)

        return await self._keeper.get(f"{self._prefix}:{name}", ttl, fetch, self.freshness.since)

    async def _through(self) -> float:
        try:
            return await self._client.user_data_timestamp(self._lane)
        except KalshiError:
            return 0.0  # unknown: the answer itself may still come, and is settled only while nothing has happened

    async def _marks(self, key: str, tickers: list[str]) -> Answer | None:
        """Return mark and title by ticker; None if they cannot be read."""

        async def fetch() -> dict[str, Any]:
            markets = await self._client.markets_named(tickers, self._lane)
            return {market.ticker: [market.mark, market.title or market.yes_title or None] for market in markets}

        try:
            return await self._keeper.get(key, self.tiers.marks, fetch)
        except KalshiError:
            return None  # counted and told by the client; positions without prices are better than none


def _short(names: list[str]) -> str:
    return hashlib.sha256(",".join(names).encode()).hexdigest()[:24]
