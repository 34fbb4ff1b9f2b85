"""All open WebSockets: takes them in, pings them, hands each what its session wants."""

import asyncio
import json
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from simulator import channels
from simulator.desk import MEMBER, Desk
from simulator.happening import Fill, Happening, LevelChanged, MarketChanged, OrderChanged, PositionChanged, Trade
from simulator.session import Session
from simulator.wire import Row

PING_EVERY: Final = 10.0
"""Seconds between pings with the payload "heartbeat" (recorded demo server)."""
OUTBOX: Final = 20_000
"""Frames that may wait for a slow reader before its socket is cut."""


class Socket:
    """One connection: a session and what waits to be written."""

    def __init__(self, desk: Desk, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.desk = desk
        self.ws = ws
        self._transport = transport
        self.session = Session(desk.exchange.markets, self.put, desk.clock)
        self.outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)

    def put(self, message: Row, channel: str) -> None:
        """Queue a frame; data frames may be lost or doubled by a fault."""
        faults = self.desk.faults
        text = json.dumps(message | {"sending_ts_ms": int(self.desk.clock() * 1000)})
        copies = 1
        if channel and faults.hit("ws_lose", channel=channel):
            copies = 0
        elif channel and faults.hit("ws_double", channel=channel):
            copies = 2
        for _ in range(copies):
            try:
                self.outbox.put_nowait(text)
            except asyncio.QueueFull:  # a reader this slow must learn that it has missed something
                self.cut()

    def cut(self) -> None:
        """End the connection without a farewell."""
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Send what waits, and a ping now and then, until the socket ends."""
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + PING_EVERY
        while not self.ws.closed:
            try:
                async with asyncio.timeout_at(ping_at):
                    text = await self.outbox.get()
            except TimeoutError:
                ping_at = loop.time() + PING_EVERY
                await self.ws.ping(b"heartbeat")
            else:
                await self.ws.send_str(text)


class Sockets:
    """Listens to the exchange and answers GET /trade-api/ws/v2."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.open: set[Socket] = set()
        self._moved: dict[str, None] = {}  # tickers whose quotes changed since the last flush, in order
        desk.exchange.listeners.append(self.hear)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from the signed handshake (the gate's) to its end."""
        ws = web.WebSocketResponse(max_msg_size=64 * 2**20)
        await ws.prepare(request)
        socket = Socket(self.desk, ws, request.transport)
        self.open.add(socket)
        writer = asyncio.create_task(socket.write())
        try:
            async for frame in ws:
                if frame.type == WSMsgType.TEXT:
                    socket.session.command(_decoded(frame.data))
        finally:
            self.open.discard(socket)
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return ws

    def hear(self, happening: Happening) -> None:
        """Pass on what happened to the sessions that want it."""
        if not self.open:
            return
        match happening:
            case Fill() if happening.account == MEMBER:
                self._deliver("fill", happening.ticker, channels.fill_message(happening))
            case PositionChanged() if happening.account == MEMBER:
                self._deliver("market_positions", happening.ticker, channels.position_message(happening))
            case OrderChanged() if happening.order.account == MEMBER:
                self._deliver("user_orders", happening.order.ticker, channels.order_message(happening))
            case Trade():
                self._moved[happening.ticker] = None
                self._deliver("trade", happening.ticker, channels.trade_message(happening))
            case MarketChanged() if happening.ticker in self.desk.exchange.markets:
                market = self.desk.exchange.markets[happening.ticker]
                self._deliver("market_lifecycle_v2", happening.ticker, channels.life_message(market, happening.at))
            case LevelChanged():
                self._moved[happening.ticker] = None
                mine = happening.account == MEMBER
                for socket in self.open:
                    socket.session.deliver(
                        "orderbook_delta",
                        happening.ticker,
                        lambda wanted: channels.delta_message(happening, mine, wanted.yes_price),
                    )

    def flush(self) -> None:
        """Send the quotes of the markets that moved."""
        moved, self._moved = self._moved, {}
        for ticker in moved:
            if ticker in self.desk.exchange.markets:
                message = channels.ticker_message(self.desk.exchange.markets[ticker], self.desk.clock())
                self._deliver("ticker", ticker, message)

    def cut(self) -> None:
        """End all connections without a farewell."""
        for socket in self.open:
            socket.cut()

    def _deliver(self, channel: str, ticker: str, message: Row) -> None:
        for socket in self.open:
            socket.session.deliver(channel, ticker, lambda _: message)


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
