"""Cached account data: balance, positions, fills, orders, settlements, each an Answer in our names and units."""

import contextlib
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, Final

from cache.base import Answer
from cache.stale_cache import CompleteValue, StaleCache
from kalshi.client import KalshiClient, Page
from kalshi.errors import KalshiError
from ledger.marks import value_position

PAGE_SIZES: Final = (100, 1000)  # rows of a page as it is read from the exchange
SLICES_KEPT: Final = 64
_SLICE_CURSOR: Final = re.compile(r"(100|1000)\.([0-9]{1,3})~(.*)")


@dataclass(frozen=True, slots=True)
class Tiers:
    """Maximum ages of answers in seconds; a trade makes them stale earlier."""

    account: float = 3600.0  # balance, positions
    history: float = 86400.0  # fills, settlements
    marks: float = 15.0  # prices of held markets; orders too, which come and go without a trade


@dataclass(slots=True)
class _Valued:
    """Positions with their marks, cached until positions or marks change."""

    positions: Answer
    tickers: list[str]
    marks: Answer | None = None
    answer: Answer | None = None


def with_marks(positions: list[dict[str, Any]], marks: Answer | None) -> dict[str, Any]:
    """Return all positions, each with mark, value and title where marks has them."""
    priced: Mapping[str, Any] = marks.value if marks else {}
    rows = [_with_mark(row, *priced.get(row["ticker"], (None, None))) for row in positions]
    as_of = marks.as_of if marks else None
    return {"positions": rows, "count": len(rows), "marks_as_of": as_of, "marks_stale": bool(marks and marks.stale)}


def _with_mark(row: dict[str, Any], yes_mark: Decimal | None, title: str | None) -> dict[str, Any]:
    valued = value_position(row["quantity"], row["cost"], yes_mark)
    return {
        "ticker": row["ticker"], "title": title, "quantity": row["quantity"], "outcome": row["outcome"],
        "cost": row["cost"], "average_price": row["average_price"], "mark": valued.mark, "value": valued.value,
        "unrealized_pnl": valued.unrealized, "realized_pnl": row["realized_pnl"], "fees": row["fees"],
    }  # fmt: skip


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
    """Account data. Every method raises KalshiError, NotConfigured without keys.

    Account reads lag behind the matching engine, so a balance read after a trade may lack it. The exchange says up to
    when its reads are complete (user_data_timestamp). Read before an answer, that time bounds the answer from below:
    once it has passed the last event, the answer includes the event; until then it is stale (CachedValue.freshness
    decides, with `changed` as newer_than).
    """

    def __init__(
        self, client: KalshiClient, keeper: StaleCache, tiers: Tiers = Tiers(), clock: Callable[[], float] = time.time
    ) -> None:
        self._client = KalshiClient(client.calls, client.subaccount, "public")
        self._keeper, self._tiers, self._clock = keeper, tiers, clock
        self._prefix = f"kalshi:{client.account}"
        # All mutable state: the newest trade or settlement known (Unix seconds; 0: none), positions with their marks.
        self.changed = 0.0
        self._valued: _Valued | None = None
        self._slices: dict[tuple[str, int, int], tuple[Answer, Answer]] = {}  # by key, start and limit

    def touched(self, at: float) -> None:
        """Note a trade or settlement (Unix seconds; the future counts as now): what was read before is stale."""
        self.changed = max(self.changed, min(at, self._clock()))

    async def balance(self) -> Answer:
        """Return `balance`, `portfolio_value_reported`, `currency`, `by_exchange_index` (cash per shard)."""

        async def read() -> dict[str, Any]:
            return (await self._client.balance()).as_json()

        return await self._account("balance", self._tiers.account, read)

    async def positions(self) -> Answer:
        """Return `positions` in markets that have not paid out, `count`, `marks_as_of`, `marks_stale`.

        Marks come from one batched call of their own and are younger than the rest; without them mark, value and
        unrealized_pnl are null and the rest stands. source, as_of and stale are those of the positions.
        """

        async def read() -> dict[str, Any]:
            return {"positions": [row.as_json() for row in await self._client.positions()]}

        kept = await self._account("positions:unsettled", self._tiers.account, read)
        known = self._valued
        if known is None or known.positions is not kept:
            tickers = sorted(row["ticker"] for row in kept.value["positions"] if row["quantity"])
            known = self._valued = _Valued(kept, tickers)
        marks = await self._marks(known.tickers) if known.tickers else None
        if known.answer is None or known.marks is not marks:
            known.marks = marks
            known.answer = replace(kept, value=with_marks(kept.value["positions"], marks))
        return known.answer

    async def fills(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """Return `fills`, `count`, `next`: one page, newest first; `next` leads into the historical tier."""
        return await self._page("fills", "fills", self._tiers.history, limit, cursor, self._client.fills_page)

    async def orders(self, limit: int = 100, cursor: str | None = None, status: str | None = None) -> Answer:
        """Return `orders`, `count`, `next`: one page; status: resting, canceled or executed."""
        read = partial(self._client.orders, status)
        return await self._page(f"orders:{status or 'all'}", "orders", self._tiers.marks, limit, cursor, read)

    async def settlements(self, limit: int = 100, cursor: str | None = None) -> Answer:
        """Return `settlements`, `count`, `next`: one page, newest first."""
        read = self._client.settlements_page
        return await self._page("settlements", "settlements", self._tiers.history, limit, cursor, read)

    async def _page(
        self, name: str, rows: str, ttl: float, limit: int, cursor: str | None,
        read_page: Callable[[int, str | None], Awaitable[Page[Any]]],
    ) -> Answer:  # fmt: skip
        """Return limit rows of a page of the exchange, which is cached whole: a limit makes no key of its own."""
        place = read_page_cursor(cursor, limit)

        async def read() -> dict[str, Any]:
            page = await read_page(place.size, place.after or None)
            return {rows: [row.as_json() for row in page.rows], "next": page.next}

        key = f"{name}:{place.size}:{_short([place.after]) if place.after else ''}"
        whole = await self._account(key, ttl, read)
        known = self._slices.get((key, place.start, limit))
        if known is not None and known[0] is whole:
            return known[1]
        answer = replace(whole, value=slice_page(whole.value, rows, place, limit))
        self._slices[key, place.start, limit] = whole, answer
        if len(self._slices) > SLICES_KEPT:
            del self._slices[next(iter(self._slices))]
        return answer

    async def _account(self, name: str, ttl: float, read: Callable[[], Awaitable[dict[str, Any]]]) -> Answer:
        if self._client.calls.signer is None:  # nothing to keep, not even a failure
            self._client.calls.keys()

        async def fetch() -> CompleteValue:
            # Read before the answer: afterwards it would promise too much. Unknown it is 0: the answer itself may still
            # come, and is complete only while nothing has happened.
            through = 0.0
            with contextlib.suppress(KalshiError):
                through = await self._client.user_data_timestamp()
            return CompleteValue(await read(), through)

        return await self._keeper.get(f"{self._prefix}:{name}", ttl, fetch, self.changed)

    async def _marks(self, tickers: list[str]) -> Answer | None:
        """Return mark and title by ticker; None if they cannot be read."""

        async def fetch() -> dict[str, Any]:
            markets = await self._client.markets_named(tickers)
            return {market.ticker: [market.mark, market.title or market.yes_title or None] for market in markets}

        try:
            return await self._keeper.get(f"{self._prefix}:marks:{_short(tickers)}", self._tiers.marks, fetch)
        except KalshiError:
            return None  # counted and logged by the client; positions without prices are better than none


def _short(names: list[str]) -> str:
    return hashlib.sha256(",".join(names).encode()).hexdigest()[:24]
