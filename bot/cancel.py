"""python -m bot cancel: cancel resting orders from outside the bot, prove that none is left, and print a receipt."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp

from bot.application import make_client
from bot.arguments import argument
from bot.errors import InvalidBotSettings, VenueError
from bot.strategies import strategies
from bot.venues.order_client import OrderClient
from cache.decimal_json import dumps
from config import parsers
from config.bot import BotSettings, read_bot_settings
from kalshi.account_models import Fill, Order
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

_LIMIT = 60.0  # seconds for everything together
_PAUSE = 0.5  # seconds between rounds
_AT_ONCE = 8  # cancels in flight
_READS = 2  # empty reads in a row that prove it


@dataclass(slots=True)
class CancelReceipt:
    """The result of a cancel command. proven: two reads in a row, each later than all cancels, showed no order."""

    scope: str
    started: float  # Unix seconds
    cancelled: dict[str, Order] = field(default_factory=dict)
    gone: dict[str, Order] = field(default_factory=dict)  # seen resting, and ended without our cancel
    resting: dict[str, Order] = field(default_factory=dict)  # of the last read
    empty_reads: list[tuple[float, float]] = field(default_factory=list)  # (read at, account data as of)
    fills: list[Fill] = field(default_factory=list)
    proven: bool = False
    error: str = ""
    finished: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as JSON-ready values."""
        return {
            "proven": self.proven, "scope": self.scope, "started": self.started, "finished": self.finished,
            "cancelled": [_order_row(order) for order in self.cancelled.values()],
            "ended_otherwise": [_order_row(order) for order in self.gone.values()],
            "may_rest": [_order_row(order) for order in self.resting.values()],
            "empty_reads": [{"read_at": at, "as_of": as_of} for at, as_of in self.empty_reads],
            "fills_meanwhile": [_fill_row(fill) for fill in self.fills], "error": self.error or None,
        }  # fmt: skip

    def as_text(self) -> str:
        """Return the receipt for people."""
        word = "RECEIPT" if self.proven else "UNPROVEN"
        lines = [f"{word}: orders of {self.scope}, {_time(self.started)} to {_time(self.finished)}"]
        lines += [f"cancelled: {len(self.cancelled)}", *(f"  {_words(order)}" for order in self.cancelled.values())]
        if self.gone:
            lines += [
                f"expired, filled or cancelled by others: {len(self.gone)}",
                *(f"  {_words(order)}" for order in self.gone.values()),
            ]
        lines.append(f"fills meanwhile: {len(self.fills)}")
        lines += [f"  {f.fill_id} {f.side} {f.quantity} {f.ticker} at {f.yes_price}" for f in self.fills]
        for at, as_of in self.empty_reads:
            lines.append(f"no order rests: read {_time(at)}, account data as of {_time(as_of)}")
        if not self.proven:
            lines += [
                f"may still rest: {len(self.resting)}",
                *(f"  {_words(order)}" for order in self.resting.values()),
            ]
            lines.append(f"not proven within the time limit: {self.error}; run it again")
        return "\n".join(lines)


class OrderCanceller:
    """Cancels every resting order of the account whose client id begins with prefix; "" means all orders.

    wall: Unix seconds, monotonic: seconds that only grow.
    """

    def __init__(
        self, client: KalshiClient, prefix: str, limit: float = _LIMIT,
        wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._client = client
        self._orders = OrderClient(client)
        self._prefix = prefix
        self._limit = limit
        self._wall, self._monotonic, self._sleep = wall, monotonic, sleep
        scope = f"prefix {prefix}" if prefix else "the whole account"
        # all mutable state: the receipt; Unix seconds of the last cancel, by the exchange's clock where its answer has
        # it; the exchange's read time of the first round; the last failure
        self.receipt = CancelReceipt(scope, wall())
        self._changed = self.receipt.started
        self._began: float | None = None
        self._trouble = ""

    async def run(self) -> CancelReceipt:
        """Cancel and read until no order is left, or until the time limit. Returns the receipt."""
        receipt, deadline = self.receipt, self._monotonic() + self._limit
        try:
            async with asyncio.timeout(self._limit):
                while not receipt.proven and self._monotonic() < deadline:
                    try:
                        self._trouble = ""
                        await self._round()
                        receipt.error = self._trouble
                    except (KalshiError, VenueError) as error:
                        receipt.error = str(error)
                    if not receipt.proven:
                        await self._sleep(_PAUSE)
                if receipt.proven:
                    await self._read_fills()
        except TimeoutError:
            receipt.error = receipt.error or "the exchange did not answer in time"
        except KalshiError as error:
            receipt.proven, receipt.error = False, f"fills cannot be read: {error}"
        if not receipt.proven:
            receipt.error = receipt.error or "orders kept appearing"
        receipt.finished = self._wall()
        return receipt

    async def _round(self) -> None:
        """Read the resting orders and cancel them; two empty reads in a row that include every cancel are the proof."""
        receipt = self.receipt
        as_of = await self._client.user_data_timestamp()  # before the orders: they are at least as new
        self._began = as_of if self._began is None else self._began
        resting = [order for order in await self._orders.resting() if order.client_order_id.startswith(self._prefix)]
        ended = [order for name, order in receipt.resting.items() if name not in {one.order_id for one in resting}]
        receipt.gone |= {order.order_id: order for order in ended if order.order_id not in receipt.cancelled}
        receipt.resting = {order.order_id: order for order in resting}
        done = receipt.cancelled.keys() | receipt.gone.keys()
        # an order that ended may show for a while, as reads trail; once they do not, it is cancelled again
        late = as_of < self._changed or (receipt.empty_reads and as_of <= receipt.empty_reads[-1][1])
        if to_cancel := [order for order in resting if order.order_id not in done or not late]:
            if still := sum(order.order_id in done for order in to_cancel):
                self._trouble = f"{still} orders still rest although the exchange confirmed that they ended"
            receipt.empty_reads.clear()
            await self._cancel(to_cancel)
        elif late:
            self._trouble = f"account data is as of {_time(as_of)}, older than the last cancel or read"
        else:
            receipt.empty_reads.append((self._wall(), as_of))
            receipt.proven = len(receipt.empty_reads) >= _READS

    async def _cancel(self, orders: Sequence[Order]) -> None:
        free = asyncio.Semaphore(_AT_ONCE)

        async def cancel(order: Order) -> None:
            async with free:
                cancelled, at = None, None
                try:
                    cancelled = await self._orders.cancel(order.order_id, order.ticker)
                    at = None if cancelled is None else cancelled.at
                except VenueError as error:  # the next read shows if it rests
                    self._trouble = str(error)
                    return
                finally:
                    self._changed = max(self._changed, self._wall() if at is None else at)
                kind = self.receipt.gone if cancelled is None else self.receipt.cancelled
                if order.order_id not in self.receipt.cancelled:
                    kind[order.order_id] = order

        await asyncio.gather(*(cancel(order) for order in orders))

    async def _read_fills(self) -> None:
        """Read the fills of the orders in question since the start."""
        ours = self.receipt.cancelled.keys() | self.receipt.gone.keys()
        since = min(self.receipt.started, self._began or self.receipt.started)  # our clock may be ahead
        fills = [fill async for fill in self._client.fills(min_ts=since)]
        self.receipt.fills = sorted((f for f in fills if f.order_id in ours), key=lambda fill: fill.timestamp)


async def cancel_orders(settings: BotSettings, signer: Signer, prefix: str, limit: float = _LIMIT) -> CancelReceipt:
    """Cancel the orders of a prefix with a client of its own. Returns the receipt."""
    async with aiohttp.ClientSession() as session:
        return await OrderCanceller(make_client(session, settings, signer), prefix, limit).run()


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns 0 if it is proven that no order rests, else 1. Raises TradingError and KeyUnusable."""
    parser = argparse.ArgumentParser(
        "python -m bot cancel", description="Cancel resting orders and print a receipt; other flags as of the bot.",
    )  # fmt: skip
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--prefix", help="orders whose client_order_id begins with this; default BOT_ORDER_PREFIX")
    scope.add_argument("--all", action="store_true", help="every resting order of the account, whoever sent it")
    parser.add_argument(
        "--within",
        type=argument(parsers.number(1, 3600)),
        default=_LIMIT,
        help="seconds after which it gives up [%(default)s]",
    )
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON")
    given, rest = parser.parse_known_args(arguments)
    settings = read_bot_settings(rest, strategies())
    require_keys(settings.api_key, settings.key_path)
    prefix = "" if given.all else given.prefix if given.prefix is not None else settings.order_prefix
    if not prefix and not given.all:
        raise InvalidBotSettings("--prefix: expected at least one character; use --all for every order")
    signer = Signer.from_file(settings.api_key, settings.key_path)
    receipt = asyncio.run(cancel_orders(settings, signer, prefix, given.within))
    text = json.dumps(json.loads(dumps(receipt.as_json())), indent=2) if given.json else receipt.as_text()
    print(text, file=sys.stdout)
    return 0 if receipt.proven else 1


def require_keys(key: str, path: str) -> None:
    """Raise InvalidBotSettings unless key id and private key are given."""
    missing = [name for name, value in (("KALSHI_API_KEY", key), ("KALSHI_RSA_KEY_PATH", path)) if not value]
    if missing:
        raise InvalidBotSettings(f"{' and '.join(missing)}: expected a value, because orders are cancelled with it")


def _order_row(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id, "client_order_id": order.client_order_id, "ticker": order.ticker,
        "side": order.side, "price": order.yes_price, "quantity": order.remaining,
    }  # fmt: skip


def _fill_row(fill: Fill) -> dict[str, Any]:
    return {
        "fill_id": fill.fill_id, "order_id": fill.order_id, "ticker": fill.ticker, "side": fill.side,
        "quantity": fill.quantity, "price": fill.yes_price, "timestamp": fill.timestamp,
    }  # fmt: skip


def _words(order: Order) -> str:
    name = order.client_order_id or "no client id"
    return f"{order.order_id} ({name}) {order.side} {order.remaining} {order.ticker} at {order.yes_price}"


def _time(seconds: float | Decimal) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%H:%M:%S.%f")[:-3] + " UTC"
