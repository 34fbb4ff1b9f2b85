"""Typed reads of the exchange, one method for each kind of record, and walks over all pages of a kind."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import aiohttp

from kalshi.account_models import AccountSettlement, Balance, BankTransfer, Direction, Fill, Order, Position
from kalshi.auth import Signer
from kalshi.errors import BadAnswer, ExchangeFault, NotFound
from kalshi.market_models import Cutoff, ExchangeStatus, Market, Orderbook
from kalshi.rate_limits import Lane
from kalshi.records import RecordReader
from kalshi.transport import Params, RetryingClient, Transport

Row = TypeVar("Row")
FULL = 1000  # rows a page may hold at most; more is an error, not a smaller page
FULL_TRANSFERS = 500  # the most that a page of deposits or withdrawals may hold
MOST_PAGES = 200  # of one walk
AT_ONCE = 100  # tickers that one call may name
PAST = "past:"  # marks a page cursor that leads into the historical tier
SLICE = 50  # rows read in one go
MOVING = 3600  # seconds near the cutoff within which a row may be in either tier


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the cursor of the next page, None on the last."""

    rows: list[Row]
    next: str | None


async def walk(
    turn: Callable[[str | None], Awaitable[Page[Row]]], identity: Callable[[Row], str], what: str,
    seen: set[str] | None = None, most: int = MOST_PAGES, final: bool = False,
) -> AsyncIterator[Row]:  # fmt: skip
    """Yield each row once, page after page, from turn(cursor), which begins with None.

    The exchange answers an unknown cursor with its first page and no error. So a repeated cursor, a page without a new
    row and too many pages are errors: to stop there would pass for the whole.
    seen: ids that were yielded already; it grows. final: rows never change, so two with one id that differ are an
    error. Raises BadAnswer, and the errors of turn.
    """
    found = set() if seen is None else seen
    met: dict[str, Row] = {}  # rows of this walk, also known ones: a known row may come again, a repeated page may not
    cursor: str | None = None
    for _ in range(most):
        page = await turn(cursor)
        before = len(met)
        for row in page.rows:
            name = identity(row)
            if met.setdefault(name, row) != row and final:
                raise BadAnswer(f"{what}: two rows of {name[:60]} that differ")
            if name not in found:
                found.add(name)
                yield row
        if page.next is None:
            return
        if len(met) == before or page.next == cursor:
            raise BadAnswer(f"{what}: the walk goes in circles at cursor {page.next[:40]!r}")
        cursor = page.next
    raise BadAnswer(f"{what}: no end after {most} pages")


class KalshiClient:
    """Reads the exchange through `calls`; `request` serves calls without a method here, such as order writes.

    subaccount: used alike for balance, positions, fills, orders and settlements, whose own defaults differ.
    lane: the token budget of the reads, "public" for those of REST clients.
    All methods raise KalshiError; those about the account raise NotConfigured without keys.
    """

    def __init__(self, calls: RetryingClient, subaccount: int = 0, lane: Lane = "own") -> None:
        self.calls, self.request = calls, calls.request
        self.subaccount = subaccount
        self.lane: Lane = lane

    @classmethod
    def over(
        cls, session: aiohttp.ClientSession, base_url: str, signer: Signer | None = None, subaccount: int = 0
    ) -> "KalshiClient":
        """Return a client with the usual limits over a shared session; base_url ends in /trade-api/v2."""
        return cls(RetryingClient(Transport(session, base_url), signer), subaccount)

    @property
    def account(self) -> str:
        """Return a short name of account and environment, for cache keys; no two share one."""
        key = self.calls.signer.key_id if self.calls.signer else ""
        whose = f"{self.calls.wire.base_url}|{key}|{self.subaccount}"
        return hashlib.sha256(whose.encode()).hexdigest()[:12]

    async def balance(self) -> Balance:
        return Balance.from_api(await self._get("/portfolio/balance", mine=True))

    async def positions(self, settled: str = "unsettled") -> list[Position]:
        """Return all positions; settled: unsettled, settled or all."""
        path, params = "/portfolio/positions", {"settlement_status": settled}
        rows = self._rows(path, params, Position.from_api, lambda row: row.ticker, name="market_positions")
        return [row async for row in rows]

    async def fills_page(self, limit: int = 100, cursor: str | None = None) -> Page[Fill]:
        """Return one page of executions, newest first; then those of the historical tier."""
        return await self._both_tiers("fills", {"limit": limit}, Fill.from_api, cursor)

    async def fills(self, min_ts: float | None = None, ticker: str | None = None) -> AsyncIterator[Fill]:
        """Yield every execution since a time (whole Unix seconds, included), of both tiers."""
        params = _filters(min_ts, ticker=ticker)
        output: set[str] = set()
        for path in ("/portfolio/fills", "/historical/fills"):
            # The cutoff is asked for after the live walk: what moved over meanwhile is then found in the old tier.
            if path == "/historical/fills" and min_ts is not None and min_ts > (await self.cutoff()).fills + MOVING:
                return
            async for fill in self._rows(path, params, Fill.from_api, lambda row: row.fill_id, output):
                yield fill

    async def orders(
        self, status: str | None = None, limit: int = 100, cursor: str | None = None,
        *, ticker: str | None = None, min_ts: float | None = None,
    ) -> Page[Order]:  # fmt: skip
        """Return one page of orders; then those of the historical tier.

        status: resting, canceled or executed; min_ts: made since then (Unix seconds), in the live tier alone.
        """
        params = {"limit": limit, **_filters(min_ts, status=status, ticker=ticker)}
        page = await self._both_tiers("orders", params, Order.from_api, cursor)
        return Page(page.rows, None) if page.next == PAST and (status == "resting" or min_ts is not None) else page

    async def transfers(self) -> list[BankTransfer]:
        """Return all deposits and withdrawals, oldest state first. The exchange has no filter by time for them."""
        found: list[BankTransfer] = []
        kinds: tuple[tuple[Direction, str], ...] = (("deposit", "deposits"), ("withdrawal", "withdrawals"))
        for direction, name in kinds:
            read, path = partial(BankTransfer.from_api, direction=direction), f"/portfolio/{name}"
            page = partial(self._page, path, {"limit": FULL_TRANSFERS}, read, mine=False)
            # Not final: the status of a row changes.
            found += [row async for row in walk(page, lambda row: row.transfer_id, f"GET {path}")]
        return sorted(found, key=lambda row: row.timestamp)

    async def settlements_page(self, limit: int = 100, cursor: str | None = None) -> Page[AccountSettlement]:
        return await self._page("/portfolio/settlements", {"limit": limit}, AccountSettlement.from_api, cursor)

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        """Return an iterator over every settlement since a time (Unix seconds)."""
        path = "/portfolio/settlements"
        return self._rows(path, _filters(min_ts), AccountSettlement.from_api, lambda row: f"{row.ticker} {row.settled}")

    async def user_data_timestamp(self) -> float:
        """Return the Unix seconds up to which account reads are complete: they lag behind the matching engine."""
        return float((await self._get("/exchange/user_data_timestamp", total=3.0)).moment("as_of_time"))

    async def status(self) -> ExchangeStatus:
        """Return the status of the exchange, which sends it with a 5xx code while it is closed."""
        try:
            fields = await self._get("/exchange/status", retry=False)
        except ExchangeFault as error:
            if not isinstance(error.body, dict) or "exchange_active" not in error.body:
                raise
            fields = RecordReader(error.body, "GET /exchange/status")
        return ExchangeStatus.from_api(fields)

    async def cutoff(self) -> Cutoff:
        return Cutoff.from_api(await self._get("/historical/cutoff"))

    async def markets(self, filters: Params) -> Page[Market]:
        """Return one page of markets; filters are the exchange's own (limit, cursor, status, tickers …)."""
        return await self._page("/markets", filters, Market.from_api, mine=False)

    async def markets_named(self, tickers: Iterable[str]) -> list[Market]:
        """Return these markets, 100 a call; an unknown ticker is left out."""
        names, found = sorted(set(tickers)), list[Market]()
        for start in range(0, len(names), AT_ONCE):
            some = ",".join(names[start : start + AT_ONCE])
            found += (await self.markets({"tickers": some, "limit": AT_ONCE})).rows
        return found

    async def market(self, ticker: str) -> Market:
        return Market.from_api((await self._get(f"/markets/{segment(ticker)}")).one("market"))

    async def orderbook(self, ticker: str, depth: int = 0) -> Orderbook:
        """Return the bids of one market, depth levels of each outcome (0: all). Raises NotFound."""
        return Orderbook.from_api(await self._get(f"/markets/{segment(ticker)}/orderbook", {"depth": depth}))

    async def order(self, order_id: str) -> Order:
        return Order.from_api((await self._get(f"/portfolio/orders/{segment(order_id)}")).one("order"))

    async def _get(self, path: str, params: Params | None = None, mine: bool = False, **limits: Any) -> RecordReader:
        sent: Params = {**(params or {}), **({"subaccount": self.subaccount} if mine else {})}
        return RecordReader(await self.request("GET", path, sent, lane=self.lane, **limits), f"GET {path}")

    async def _page(
        self, path: str, params: Params, read: Callable[[RecordReader], Row], cursor: str | None = None,
        *, mine: bool = True, name: str = "",
    ) -> Page[Row]:  # fmt: skip
        """Return one page of rows. name: of their list, by default the end of the path."""
        fields = await self._get(path, {**params, "cursor": cursor} if cursor else params, mine)
        rows: list[Row] = []
        for place, row in enumerate(fields.many(name or path.rpartition("/")[2])):
            if place % SLICE == SLICE - 1:
                await asyncio.sleep(0)  # a thousand markets take tens of milliseconds, and streams are not to wait
            rows.append(read(row))
        return Page(rows, fields.maybe_text("cursor"))

    async def _both_tiers(
        self, name: str, params: Params, read: Callable[[RecordReader], Row], cursor: str | None
    ) -> Page[Row]:
        if cursor is not None and cursor.startswith(PAST):
            page = await self._page(f"/historical/{name}", params, read, cursor.removeprefix(PAST))
            return Page(page.rows, f"{PAST}{page.next}" if page.next else None)
        page = await self._page(f"/portfolio/{name}", params, read, cursor)
        return Page(page.rows, page.next or PAST)

    def _rows(
        self, path: str, params: Params, read: Callable[[RecordReader], Row], identity: Callable[[Row], str],
        output: set[str] | None = None, name: str = "",
    ) -> AsyncIterator[Row]:  # fmt: skip
        """Return an iterator over the rows of all pages, which never change. output: ids that were yielded already."""
        page = partial(self._page, path, {"limit": FULL, **params}, read, name=name)
        return walk(page, identity, f"GET {path}", output, final=True)


def segment(name: str) -> str:
    """Return an id quoted as one path segment. Raises NotFound for `.` and `..`, which would name another path."""
    if not name.strip(".") or len(name) > 200 or "/" in name or "\\" in name or not name.isprintable():
        raise NotFound(f"{name[:60]!r}", 404, "not_found", "no ticker or id looks like this")
    return quote(name, safe="")


def _filters(min_ts: float | None = None, **words: str | None) -> dict[str, str | int]:
    """Return query parameters; a time is rounded down to the whole seconds that the exchange takes."""
    found: dict[str, str | int] = {name: word for name, word in words.items() if word}
    return found if min_ts is None else {**found, "min_ts": max(0, int(min_ts // 1))}
