"""The hand of fate: what happens to the account and to markets because a test or a demonstration wants it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator.asked import SIDES, Asked
from simulator.buckets import TIERS
from simulator.desk import Desk
from simulator.gate import answer
from simulator.market import Market
from simulator.order import NewOrder
from simulator.refusal import refuse
from simulator.units import DOLLAR
from simulator.wire import placed_row

Deed = Callable[[web.Request], Awaitable[web.Response]]


class Fate:
    """One handler a deed; its name is its URL."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def deeds(self) -> tuple[Deed, ...]:
        """All of them."""
        return (
            self.fill, self.quote, self.take, self.settle, self.close, self.halt, self.resume, self.advance,
            self.cutoff, self.tier,
        )  # fmt: skip

    async def fill(self, request: web.Request) -> web.Response:
        """The account trades outside the bot: somebody stands ready at the price, the account takes."""
        asked, market = await self._asked(request)
        side = asked.word("side", SIDES)
        price = asked.price() if "price" in asked else market.snap(market.fair)
        count, exchange = asked.count(), self.desk.exchange
        # a private execution beside the book: what rests there is neither met nor moved
        done = exchange.cross(self.desk.member, NewOrder(market.ticker, side, price, count), self.desk.crowd.makers)
        self.desk.truth.catch_up()
        booked = (fill.fill_id for fill in reversed(self.desk.truth.fills) if fill.order_id == done.order_id)
        return answer(placed_row(done, done.updated) | {"fill_id": next(booked, None)}, 201)

    async def quote(self, request: web.Request) -> web.Response:
        """Replace the crowd's quotes."""
        asked, market = await self._asked(request)
        bid, ask, count = asked.price("bid"), asked.price("ask"), asked.count()
        self.desk.crowd.withdraw(market)
        self.desk.crowd.post(market, bid, ask, count)
        return answer({"ticker": market.ticker})

    async def take(self, request: web.Request) -> web.Response:
        """Somebody trades against the book."""
        asked, market = await self._asked(request)
        side, price, count = asked.word("side", SIDES), asked.price(), asked.count()
        new = NewOrder(market.ticker, side, price, count, "immediate_or_cancel")
        order = self.desk.exchange.place(self.desk.crowd.takers, new)
        return answer(placed_row(order, order.updated), 201)

    async def settle(self, request: web.Request) -> web.Response:
        """Close, determine and pay a market at once; void pays its last price."""
        asked, market = await self._asked(request)
        result = asked.word("result", ("yes", "no", "scalar", "void"))
        value = _worth(result, asked, market)
        if market.state == "finalized" or value > DOLLAR:
            raise refuse(400, "bad_request", "already settled, or value above one dollar")
        life, now = self.desk.life, self.desk.clock()
        if market.state in ("initialized", "active", "inactive"):
            life.close(market, now)
        life.determine(market, "scalar" if result == "void" else result, value, now)
        life.finalize(market, now)
        return answer({"ticker": market.ticker, "result": market.result})

    async def close(self, request: web.Request) -> web.Response:
        """End trading in a market."""
        _, market = await self._asked(request)
        self.desk.life.close(market, self.desk.clock())
        return answer({"ticker": market.ticker, "status": market.state})

    async def halt(self, request: web.Request) -> web.Response:
        """Pause one market."""
        _, market = await self._asked(request)
        self.desk.life.halt(market, self.desk.clock())
        return answer({"ticker": market.ticker, "status": market.state})

    async def resume(self, request: web.Request) -> web.Response:
        """Reactivate it."""
        _, market = await self._asked(request)
        self.desk.life.resume(market, self.desk.clock())
        return answer({"ticker": market.ticker, "status": market.state})

    async def advance(self, request: web.Request) -> web.Response:
        """Let the schedule pass some seconds."""
        seconds = Asked.decode(await request.read()).whole("seconds") or 0
        self.desk.life.hasten(seconds, self.desk.clock())
        return answer({"advanced": seconds})

    async def cutoff(self, request: web.Request) -> web.Response:
        """Move the border of the historical tier."""
        self.desk.cutoff_age = float(Asked.decode(await request.read()).whole("seconds") or 0)
        return answer({"cutoff_age": self.desk.cutoff_age})

    async def tier(self, request: web.Request) -> web.Response:
        """Other token buckets."""
        self.desk.buckets.change(Asked.decode(await request.read()).word("tier", tuple(TIERS)))
        return answer({"tier": self.desk.buckets.tier})

    async def _asked(self, request: web.Request) -> tuple[Asked, Market]:
        asked = Asked.decode(await request.read())
        return asked, self.desk.exchange.market(asked.text("ticker"))


def _worth(result: str, asked: Asked, market: Market) -> int:
    """What one YES contract pays; a value that is asked for is in whole cents."""
    fixed = {"yes": DOLLAR, "no": 0, "void": market.snap(market.mark())}.get(result)
    return asked.price("value") // 100 * 100 if fixed is None else fixed
