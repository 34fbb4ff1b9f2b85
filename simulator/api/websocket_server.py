"""All open WebSockets: accept them, ping them, and send each the events of its subscriptions."""

import asyncio
import json
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from simulator.api import websocket_messages as messages
from simulator.api.rows import JsonRow
from simulator.api.websocket_session import SocketSession
from simulator.events import (
    ExchangeEvent,
    FillEvent,
    LevelEvent,
    MarketEvent,
    OrderEvent,
    OrderGroupEvent,
    PositionEvent,
    TradeEvent,
)
from simulator.simulated_exchange import MEMBER, SimulatedExchange

PING_EVERY: Final = 10.0
"""Seconds between pings with the payload "heartbeat" (recorded demo server)."""
QUEUE_SIZE: Final = 20_000
"""Frames that may wait for a slow client before its socket is cut."""


class ClientSocket:
    """One connection: its session and the frames that wait to be written."""

    def __init__(
        self, exchange: SimulatedExchange, ws: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        self.exchange = exchange
        self.ws = ws
        self._transport = transport
        self.session = SocketSession(exchange.engine.markets, self.put, exchange.clock)
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_SIZE)

    def put(self, message: JsonRow, channel: str) -> None:
        """Queue a frame; a fault may lose or double data frames. channel: "" for a reply."""
        faults = self.exchange.faults
        text = json.dumps(message | {"sending_ts_ms": int(self.exchange.clock() * 1000)})
        copies = 1
        if channel and faults.hit("ws_lose", channel=channel):
            copies = 0
        elif channel and faults.hit("ws_double", channel=channel):
            copies = 2
        for _ in range(copies):
            try:
                self.queue.put_nowait(text)
            except asyncio.QueueFull:  # a client that misses frames must notice it
                self.cut()

    def cut(self) -> None:
        """End the connection without a close frame."""
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Send queued frames and pings until the socket ends."""
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + PING_EVERY
        while not self.ws.closed:
            try:
                async with asyncio.timeout_at(ping_at):
                    text = await self.queue.get()
            except TimeoutError:
                ping_at = loop.time() + PING_EVERY
                await self.ws.ping(b"heartbeat")
            else:
                await self.ws.send_str(text)


class WebSocketServer:
    """Send the events of one exchange to all open sockets."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.open: set[ClientSocket] = set()
        self._moved: dict[str, None] = {}  # tickers whose quotes changed since the last flush, in order
        exchange.engine.listeners.append(self.on_event)
        exchange.engine.level_listeners.append(self._on_level)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection, whose handshake has been authenticated, until it ends."""
        ws = web.WebSocketResponse(max_msg_size=64 * 2**20)
        await ws.prepare(request)
        socket = ClientSocket(self.exchange, ws, request.transport)
        self.open.add(socket)
        writer = asyncio.create_task(socket.write())
        try:
            async for frame in ws:
                if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    socket.session.command(_decode(frame.data))
        finally:
            self.open.discard(socket)
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return ws

    def on_event(self, event: ExchangeEvent) -> None:
        """Send an event to the sessions that subscribed to it."""
        if not self.open:
            return
        match event:
            case FillEvent() if event.account == MEMBER:
                self._deliver("fill", event.ticker, messages.fill_message(event))
            case PositionEvent() if event.account == MEMBER:
                self._deliver("market_positions", event.ticker, messages.position_message(event))
            case OrderEvent() if event.order.account == MEMBER:
                self._deliver("user_orders", event.order.ticker, messages.order_message(event))
            case TradeEvent():
                self._moved[event.ticker] = None
                self._deliver("trade", event.ticker, messages.trade_message(event))
            case MarketEvent() if event.change != "silent":
                message = messages.lifecycle_message(event, self.exchange.engine.markets[event.ticker])
                self._deliver("market_lifecycle_v2", "", message)
            case OrderGroupEvent():
                self._deliver("order_group_updates", "", messages.order_group_message(event))

    def flush(self) -> None:
        """Send the quotes of the markets that changed."""
        moved, self._moved = self._moved, {}
        for ticker in moved:
            if ticker in self.exchange.engine.markets:
                market = self.exchange.engine.markets[ticker]
                self._deliver("ticker", ticker, messages.ticker_message(market, self.exchange.clock()))

    def cut(self) -> None:
        """End all connections without a close frame."""
        for socket in self.open:
            socket.cut()

    def _on_level(self, event: LevelEvent) -> None:
        if not self.open:
            return
        self._moved[event.ticker] = None
        own = event.account == MEMBER
        for socket in self.open:
            socket.session.deliver(
                "orderbook_delta", event.ticker, lambda to: messages.delta_message(event, own, to.yes_price)
            )

    def _deliver(self, channel: str, ticker: str, message: JsonRow) -> None:
        for socket in self.open:
            socket.session.deliver(channel, ticker, lambda _: message)


def _decode(data: str | bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
