"""The socket: a signed handshake, commands and their replies, what the channels tell, pings."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator.desk import Desk as desk_of
from simulator.desk import Plan
from simulator.sockets import Socket
from tests.simulator.conftest import Desk


class Line:
    """One open socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def command(self, cmd: str, **params: object) -> None:
        """Send a command with id 1."""
        await self.ws.send_json({"id": 1, "cmd": cmd, "params": params})

    async def next(self, kind: str | None = None) -> Any:
        """The next message, or the next of a kind."""
        async with asyncio.timeout(5):
            while True:
                message = json.loads((await self.ws.receive()).data)
                assert abs(message["sending_ts_ms"]) > 10**12
                if kind in (None, message["type"]):
                    return message

    async def subscribe(self, *channels: str, **params: object) -> dict[str, int]:
        """Subscribe; channel -> sid."""
        await self.command("subscribe", channels=list(channels), **params)
        replies = [await self.next("subscribed") for _ in channels]
        return {reply["msg"]["channel"]: reply["msg"]["sid"] for reply in replies}


@pytest.fixture
async def line(desk: Desk) -> AsyncIterator[Line]:
    """A socket signed for."""
    headers = desk.call.headers("GET", "/trade-api/ws/v2")
    async with aiohttp.ClientSession() as session, session.ws_connect(desk.simulator.ws_url, headers=headers) as ws:
        yield Line(ws)


async def test_the_handshake_is_signed(desk: Desk) -> None:
    """401 without, even for public channels."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await session.ws_connect(desk.simulator.ws_url)


async def test_a_fill_is_told_once_with_the_id_of_rest(desk: Desk, line: Line) -> None:
    """fill, market_positions and user_orders for one trade made outside."""
    sids = await line.subscribe("fill", "market_positions", "user_orders")
    assert len(set(sids.values())) == 3
    desk.simulator.fill(desk.ticker, "ask", "2.50", "0.4100")
    order, fill, position = [await line.next() for _ in range(3)]
    assert [m["type"] for m in (order, fill, position)] == ["user_order", "fill", "market_position"]
    assert fill["sid"] == sids["fill"]
    assert "seq" not in fill
    row = desk.fills()[0]
    assert fill["msg"]["trade_id"] == row["fill_id"]
    same = ("count_fp", "yes_price_dollars", "fee_cost", "book_side", "outcome_side", "order_id", "is_taker")
    assert {name: fill["msg"][name] for name in same} == {name: row[name] for name in same}
    held = desk.call("GET", f"/portfolio/positions?ticker={desk.ticker}")[1]["market_positions"][0]["position_fp"]
    assert fill["msg"]["post_position_fp"] == position["msg"]["position_fp"] == held
    assert "no_price_dollars" not in fill["msg"]


async def test_the_book_is_a_snapshot_and_gapless_deltas(desk: Desk, line: Line) -> None:
    """seq starts at 1 and grows by one; NO levels come in NO prices unless asked otherwise."""
    sids = await line.subscribe("orderbook_delta", market_ticker=desk.ticker)
    snapshot = await line.next("orderbook_snapshot")
    assert snapshot["seq"] == 1
    assert snapshot["msg"]["no_dollars_fp"] == [["0.5500", "1000.00"]]
    _, placed = await asyncio.to_thread(desk.place, price="0.3100", count="4.00")
    delta = await line.next("orderbook_delta")
    assert (delta["seq"], delta["msg"]["price_dollars"], delta["msg"]["delta_fp"]) == (2, "0.3100", "4.00")
    assert delta["msg"]["client_order_id"]
    sid = sids["orderbook_delta"]
    await line.command("update_subscription", sid=sid, action="get_snapshot", market_ticker=desk.ticker)
    assert (await line.next("orderbook_snapshot"))["seq"] == 3
    assert (await line.next("ok"))["seq"] == 4


async def test_yes_prices_on_request(desk: Desk, line: Line) -> None:
    """The same level reads 0.45 with the flag."""
    await line.subscribe("orderbook_delta", market_tickers=[desk.ticker], use_yes_price=True)
    assert (await line.next("orderbook_snapshot"))["msg"]["no_dollars_fp"] == [["0.4500", "1000.00"]]


async def test_the_ticker_follows_the_quotes(desk: Desk, line: Line) -> None:
    """A new quote arrives within moments."""
    await line.subscribe("ticker", market_tickers=[desk.ticker])
    await asyncio.to_thread(desk.simulator.quote, desk.ticker, "0.3000", "0.3300")
    while (message := await line.next("ticker"))["msg"]["yes_ask_dollars"] != "0.3300":
        pass
    assert message["msg"]["yes_bid_dollars"] == "0.3000"


async def test_the_ticker_begins_with_the_quotes_now_on_request(desk: Desk, line: Line) -> None:
    """send_initial_snapshot: one message per market before anything moves."""
    await line.subscribe("ticker", market_tickers=[desk.ticker], send_initial_snapshot=True)
    message = (await line.next())["msg"]
    assert (message["market_ticker"], message["yes_bid_dollars"]) == (desk.ticker, "0.4000")


async def test_the_life_of_a_market_is_told(desk: Desk, line: Line) -> None:
    """Closed, determined, settled, with the result."""
    ticker = desk.markets[10]
    await line.subscribe("market_lifecycle_v2")
    await asyncio.to_thread(desk.simulator.control, "POST", "/settle", {"ticker": ticker, "result": "no"})
    told = []
    while "settled" not in told:
        message = (await line.next("market_lifecycle_v2"))["msg"]
        told += [message["event_type"]] if message["market_ticker"] == ticker else []
    assert told == ["close_date_updated", "determined", "settled"]
    assert message["result"] == "no"


async def test_commands_one_by_one(desk: Desk, line: Line) -> None:
    """list, repeated subscribe, add and delete markets, unsubscribe."""
    sids = await line.subscribe("fill", market_ticker=desk.ticker)
    assert await line.subscribe("fill", market_ticker=desk.markets[0]) == sids
    await line.command("update_subscription", sids=[sids["fill"]], action="delete_markets", market_ticker=desk.ticker)
    assert (await line.next("ok"))["msg"]["market_tickers"] == [desk.markets[0]]
    await line.command("list_subscriptions")
    assert (await line.next("ok"))["msg"] == [{"channel": "fill", "sid": sids["fill"]}]
    await line.command("unsubscribe", sids=[sids["fill"]])
    assert (await line.next("unsubscribed"))["sid"] == sids["fill"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", 1),
        ({"id": 1, "cmd": "dance", "params": {}}, 5),
        ({"id": 1, "cmd": "subscribe"}, 2),
        ({"id": 1, "cmd": "subscribe", "params": {}}, 3),
        ({"id": 1, "cmd": "subscribe", "params": {"channels": ["gossip"]}}, 8),
        ({"id": 1, "cmd": "subscribe", "params": {"channels": ["orderbook_delta"]}}, 14),
        (
            {"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"], "market_ticker": "A", "market_tickers": []}},
            11,
        ),
        ({"id": 1, "cmd": "unsubscribe", "params": {}}, 4),
        ({"id": 1, "cmd": "unsubscribe", "params": {"sids": [9]}}, 7),
        ({"id": 1, "cmd": "update_subscription", "params": {"sids": [1, 2]}}, 12),
        ({"id": 1, "cmd": "update_subscription", "params": {"sid": 9}}, 7),
        ({"id": 1, "cmd": [1], "params": {}}, 5),
        ({"id": 1, "cmd": "subscribe", "params": {"channels": [[]]}}, 8),
    ],
    ids=str,
)
async def test_a_wrong_command_is_answered_with_its_code(line: Line, message: object, code: int) -> None:
    """The documented codes; the socket stays open."""
    await line.ws.send_str(message if isinstance(message, str) else json.dumps(message))
    assert (await line.next("error"))["msg"]["code"] == code
    await line.command("list_subscriptions")
    assert (await line.next("ok"))["msg"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 15),
        ({"action": "dance", "market_ticker": "A"}, 13),
        ({"action": "add_markets"}, 14),
        ({"action": "add_markets", "market_tickers": "A"}, 11),
        ({"action": "add_markets", "market_tickers": [7]}, 11),
    ],
    ids=["no action", "unknown action", "no markets", "no list", "no texts"],
)
async def test_a_wrong_update_is_answered_with_its_code(
    desk: Desk, line: Line, params: dict[str, object], code: int
) -> None:
    """The documented codes; the subscription is as it was."""
    sids = await line.subscribe("fill", market_ticker=desk.ticker)
    await line.command("update_subscription", sids=[sids["fill"]], **params)
    assert (await line.next("error"))["msg"]["code"] == code
    await line.command("update_subscription", sid=sids["fill"], action="add_markets", market_ticker=desk.ticker)
    assert (await line.next("ok"))["msg"]["market_tickers"] == [desk.ticker]


async def test_a_reader_that_is_too_slow_is_cut() -> None:
    """It must learn that it has missed something: its connection ends, and nothing more is kept for it."""

    class Transport:
        aborted = 0

        def abort(self) -> None:
            self.aborted += 1

    transport: Any = Transport()
    web_socket: Any = None
    socket = Socket(desk_of(Plan(quiet=True), lambda: 1_800_000_000.0), web_socket, transport)
    socket.outbox = asyncio.Queue(2)
    for _ in range(3):
        socket.put({"type": "fill"}, "fill")
    assert (socket.outbox.qsize(), transport.aborted) == (2, 1)


@pytest.mark.parametrize(("kind", "copies"), [("ws_lose", 0), ("ws_double", 2)])
async def test_a_frame_is_lost_or_doubled(desk: Desk, line: Line, kind: str, copies: int) -> None:
    """One data frame of the channel, then all is well."""
    await line.subscribe("fill")
    desk.simulator.fault(kind, channel="fill", times=1)
    for _ in range(2):
        desk.simulator.fill(desk.ticker, "bid", "1.00", "0.4500")
    ids = [(await line.next("fill"))["msg"]["trade_id"] for _ in range(copies + 1)]
    newest = [fill["fill_id"] for fill in desk.fills()[:2]]
    assert ids == [newest[1]] * copies + [newest[0]]


async def test_all_sockets_are_cut(desk: Desk, line: Line) -> None:
    """ws_cut ends them; maintenance too, and refuses new ones."""
    await asyncio.to_thread(desk.simulator.fault, "ws_cut")
    async with asyncio.timeout(5):
        assert (await line.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert desk.simulator.control("GET", "/faults") == {"faults": []}


@pytest.mark.slow
async def test_the_server_pings_every_ten_seconds(desk: Desk) -> None:
    """A Ping frame with the payload heartbeat."""
    headers = desk.call.headers("GET", "/trade-api/ws/v2")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(desk.simulator.ws_url, headers=headers, autoping=False) as ws,
        asyncio.timeout(12),
    ):
        frame = await ws.receive()
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.PING, b"heartbeat")
