"""Fill socket: executions and payouts as the exchange pushes them, over one signed WebSocket that reconnects.

A pushed fill has no sequence number and is not sent again (Kalshi docs: websocket, fill channel), so a fill that was
lost with a connection is not seen here. A consumer reads REST after every Connected.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from types import SimpleNamespace
from typing import Final

import aiohttp
from yarl import URL

from cache.decimal_json import loads
from kalshi.account_models import Fill
from kalshi.auth import Signer
from kalshi.errors import BadAnswer, KalshiError, Unreachable
from kalshi.records import RecordReader
from kalshi.transport import connection_failure

log = logging.getLogger(__name__)

_SUBSCRIBE = '{"id":1,"cmd":"subscribe","params":{"channels":["fill"]}}'
# A command of its own: an exchange that refuses it still pushes fills.
_FOLLOW_MARKETS: Final = 2
_SUBSCRIBE_MARKETS = '{"id":2,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}'
_ENDS = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
_FATAL = frozenset({10, 25})  # channel error, buffer overflow: the subscription is over though the socket lives
STEADY = 30.0  # seconds after which a connection counts as good and the pauses begin small again


@dataclass(frozen=True, slots=True)
class Connected:
    """Subscribed: every execution from now on arrives here. Earlier ones are read by REST."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Executions may be missed from now on; reason is shown in /health."""

    reason: str


@dataclass(frozen=True, slots=True)
class MarketPaid:
    """A market of the account has paid out. The amount is read by REST."""

    ticker: str


Event = Connected | Disconnected | Fill | MarketPaid


def refuse_redirects() -> aiohttp.TraceConfig:
    """Return a trace that ends a request at a redirect: its signed headers are for one place only."""

    async def refuse(
        session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        params.response.close()
        raise BadAnswer(f"the handshake was redirected with HTTP {params.response.status}, which is not followed")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


@dataclass(eq=False, repr=False)
class FillSocket:
    """Keeps one socket open and yields its events."""

    session: aiohttp.ClientSession
    ws_url: str
    signer: Signer
    subaccount: int = 0  # fills of others are dropped, as REST drops them
    _: KW_ONLY
    is_traded: Callable[[str], bool] = lambda ticker: False  # the exchange pushes the payouts of all its markets
    silence: float = 25.0  # seconds without a frame after which the connection is lost; there is a ping every 10 s
    first: float = 0.5  # seconds between two tries at first; doubled each time, with jitter
    longest: float = 30.0
    connected: bool = field(default=False, init=False)
    reason: str = field(default="not connected yet", init=False)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield Connected, fills, Disconnected, Connected again, without end. Close it (aclosing) when done."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                async with aclosing(self._connection()) as connection:
                    async for event in connection:
                        yield event
            except KalshiError as error:
                reason = str(error)
            if self.connected or reason != self.reason:
                log.warning("the exchange's push is off: %s", reason)
                self.connected, self.reason = False, reason
                yield Disconnected(reason)
            tries = 0 if time.monotonic() - began > STEADY else tries + 1
            # Half of the pause is certain and half is chance: many clients that lost one server spread out.
            pause = min(self.longest, self.first * 2.0 ** min(tries, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _connection(self) -> AsyncGenerator[Event, None]:
        """Yield the events of one connection until it is lost. Raises KalshiError."""
        # A session of its own on the shared connections, because ws_connect() has no option against redirects.
        session = aiohttp.ClientSession(
            connector=self.session.connector, connector_owner=False, trace_configs=[refuse_redirects()]
        )
        async with session, await self._handshake(session) as socket, aclosing(self._events(socket)) as events:
            async for event in events:
                yield event

    async def _handshake(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        headers = self.signer.headers("GET", URL(self.ws_url).raw_path)
        try:
            async with asyncio.timeout(self.silence):
                return await session.ws_connect(
                    self.ws_url, headers=headers, autoping=False, max_msg_size=1 << 22,
                    timeout=aiohttp.ClientWSTimeout(ws_close=0.3),
                )  # fmt: skip
        except aiohttp.WSServerHandshakeError as error:
            # `from None` here and below: the causes carry the request with its signed headers.
            raise Unreachable(f"the handshake was refused with HTTP {error.status}") from None
        except TimeoutError:
            raise Unreachable(f"no handshake within {self.silence:.0f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(connection_failure(error)) from None

    async def _events(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[Event, None]:
        """Yield the events in text frames and answer pings, which prove that the connection is alive."""
        began = time.monotonic()
        try:
            await socket.send_str(_SUBSCRIBE)
            await socket.send_str(_SUBSCRIBE_MARKETS)
            while self.connected or time.monotonic() - began < self.silence:
                frame = await socket.receive(timeout=self.silence)
                if frame.type is aiohttp.WSMsgType.TEXT and (event := self._read(frame.data)) is not None:
                    yield event
                elif frame.type is aiohttp.WSMsgType.PING:
                    await socket.pong(frame.data)
                elif frame.type in _ENDS:
                    raise Unreachable(f"the exchange closed the socket (code {socket.close_code})")
        except TimeoutError:
            raise Unreachable(f"no frame within {self.silence:.0f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"the connection failed: {type(error).__name__}") from None
        raise Unreachable(f"no subscription within {self.silence:.0f} s")

    def _read(self, text: str) -> Event | None:
        """Return the event in a frame or None. An unreadable one may be a fill: raising makes REST look for it."""
        try:
            frame = RecordReader(loads(text), "socket frame")
        except (ValueError, RecursionError):
            raise BadAnswer(f"socket frame: no JSON: {text[:60]!r}") from None
        kind = frame.text("type")
        if kind == "fill":
            fill = Fill.from_push(frame.one("msg"))
            return fill if (fill.subaccount or 0) == self.subaccount else None
        if kind == "market_lifecycle_v2" or frame.maybe_whole("id") == _FOLLOW_MARKETS:
            return self._read_market(kind, frame)
        if kind == "subscribed" and not self.connected:
            self.connected, self.reason = True, ""
            log.info("the exchange pushes fills")
            return Connected()
        if kind == "error":
            error = frame.one("msg")
            text = f"the exchange's socket sent error {error.whole('code')}: {error.maybe_text('msg')}"
            if error.whole("code") in _FATAL or not self.connected:
                raise BadAnswer(text)
            log.warning("%s; the connection stays open", text)
        return None

    def _read_market(self, kind: str, frame: RecordReader) -> MarketPaid | None:
        """Return the payout in a frame about markets. An unreadable one is not a fill, and the connection stays."""
        try:
            message = frame.one("msg")
            change, ticker = message.maybe_text("event_type"), message.maybe_text("market_ticker") or ""
            if kind == "error":
                log.warning("the exchange does not push payouts; REST reads them: %s", message.maybe_text("msg"))
        except KalshiError as error:
            log.warning("a change of a market cannot be read; REST reads payouts: %s", error)
            return None
        # Of the changes only this one names a payout (Kalshi docs: market lifecycle).
        return MarketPaid(ticker) if change == "settled" and self.is_traded(ticker) else None
