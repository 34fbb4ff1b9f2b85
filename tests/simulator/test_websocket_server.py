"""The socket: signed handshake, commands and replies, the frames of each channel, pings."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.api.websocket_server import ClientSocket
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange
from tests.simulator.conftest import Member
from tests.support.signed import Signed
from tests.support.simulator import running_simulator


class SocketClient:
    """One open socket of a test."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def command(self, cmd: str, **params: object) -> None:
        """Send a command with id 1."""
        await self.ws.send_json({"id": 1, "cmd": cmd, "params": params})

    async def next(self, kind: str | None = None) -> Any:
        """Return the next message, or the next of a type."""
        async with asyncio.timeout(5):
            while True:
                message = json.loads((await self.ws.receive()).data)
                assert abs(message["sending_ts_ms"]) > 10**12
                if kind in (None, message["type"]):
                    return message

    async def subscribe(self, *channels: str, **params: object) -> dict[str, int]:
        """Subscribe and return channel -> sid."""
        await self.command("subscribe", channels=list(channels), **params)
        replies = [await self.next("subscribed") for _ in channels]
        return {reply["msg"]["channel"]: reply["msg"]["sid"] for reply in replies}


@pytest.fixture
async def client(member: Member) -> AsyncIterator[SocketClient]:
    """Return a signed socket."""
    headers = member.call.headers("GET", "/trade-api/ws/v2")
    async with aiohttp.ClientSession() as session, session.ws_connect(member.simulator.ws_url, headers=headers) as ws:
        yield SocketClient(ws)


async def test_the_handshake_is_signed(member: Member) -> None:
    """A handshake without signature is 401, even for public channels."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await session.ws_connect(member.simulator.ws_url)


async def test_a_fill_is_sent_once_with_the_id_of_rest(member: Member, client: SocketClient) -> None:
    """fill, market_positions and user_orders for one trade made outside."""
    sids = await client.subscribe("fill", "market_positions", "user_orders")
    assert len(set(sids.values())) == 3
    member.simulator.fill(member.ticker, "ask", "2.50", "0.4100")
    order, fill, position = [await client.next() for _ in range(3)]
    assert [m["type"] for m in (order, fill, position)] == ["user_order", "fill", "market_position"]
    assert fill["sid"] == sids["fill"]
    assert "seq" not in fill
    row = member.fills()[0]
    assert fill["msg"]["trade_id"] == row["fill_id"]
    same = ("count_fp", "yes_price_dollars", "fee_cost", "book_side", "outcome_side", "order_id", "is_taker")
    assert {name: fill["msg"][name] for name in same} == {name: row[name] for name in same}
    position_fp = member.call("GET", f"/portfolio/positions?ticker={member.ticker}")[1]["market_positions"][0][
        "position_fp"
    ]
    assert fill["msg"]["post_position_fp"] == position["msg"]["position_fp"] == position_fp
    assert "no_price_dollars" not in fill["msg"]


async def test_the_book_is_a_snapshot_and_gapless_deltas(member: Member, client: SocketClient) -> None:
    """seq starts at 1 and grows by one; NO levels come in NO prices unless requested otherwise."""
    sids = await client.subscribe("orderbook_delta", market_ticker=member.ticker)
    snapshot = await client.next("orderbook_snapshot")
    assert snapshot["seq"] == 1
    assert snapshot["msg"]["no_dollars_fp"] == [["0.5500", "1000.00"]]
    _, placed = await asyncio.to_thread(member.place, price="0.3100", count="4.00")
    delta = await client.next("orderbook_delta")
    assert (delta["seq"], delta["msg"]["price_dollars"], delta["msg"]["delta_fp"]) == (2, "0.3100", "4.00")
    assert delta["msg"]["client_order_id"]
    sid = sids["orderbook_delta"]
    await client.command("update_subscription", sid=sid, action="get_snapshot", market_ticker=member.ticker)
    assert (await client.next("orderbook_snapshot"))["seq"] == 3
    assert (await client.next("ok"))["seq"] == 4


async def test_no_levels_come_in_yes_prices_on_request(member: Member, client: SocketClient) -> None:
    """The same level reads 0.45 with the flag."""
    await client.subscribe("orderbook_delta", market_tickers=[member.ticker], use_yes_price=True)
    assert (await client.next("orderbook_snapshot"))["msg"]["no_dollars_fp"] == [["0.4500", "1000.00"]]


async def test_the_ticker_follows_the_quotes(member: Member, client: SocketClient) -> None:
    """A new quote arrives within moments."""
    await client.subscribe("ticker", market_tickers=[member.ticker])
    await asyncio.to_thread(member.simulator.quote, member.ticker, "0.3000", "0.3300")
    while (message := await client.next("ticker"))["msg"]["yes_ask_dollars"] != "0.3300":
        pass
    assert message["msg"]["yes_bid_dollars"] == "0.3000"


async def test_the_ticker_takes_markets_by_their_ids(member: Member, client: SocketClient) -> None:
    """market_ids as the messages name them: other markets are left out."""
    await client.subscribe("ticker", market_ids=[member.markets[0]])
    for ticker in (member.ticker, member.markets[0]):
        await asyncio.to_thread(member.simulator.quote, ticker, "0.4100", "0.4300")
    assert (await client.next("ticker"))["msg"]["market_id"] == member.markets[0]


async def test_the_ticker_begins_with_the_quotes_now_on_request(member: Member, client: SocketClient) -> None:
    """send_initial_snapshot: one message per market before anything moves."""
    await client.subscribe("ticker", market_tickers=[member.ticker], send_initial_snapshot=True)
    message = (await client.next())["msg"]
    assert (message["market_ticker"], message["yes_bid_dollars"]) == (member.ticker, "0.4000")


async def lifecycle_frames(client: SocketClient, ticker: str, last: str) -> list[Any]:
    """Return the frames of a market up to the one with the event_type last."""
    frames: list[Any] = []
    while not frames or frames[-1]["msg"]["event_type"] != last:
        frame = await client.next("market_lifecycle_v2")
        frames += [frame] if frame["msg"]["market_ticker"] == ticker else []
    return frames


async def test_the_frames_of_a_settled_market_have_the_documented_fields(member: Member, client: SocketClient) -> None:
    """An early close has close_ts, determined result, time and value, settled settled_ts alone; all have seq."""
    ticker = member.markets[10]
    await client.subscribe("market_lifecycle_v2")
    await asyncio.to_thread(member.simulator.control, "POST", "/settle", {"ticker": ticker, "result": "no"})
    frames = await lifecycle_frames(client, ticker, "settled")
    assert [frame["seq"] for frame in frames] == [1, 2, 3]
    closed, determined, settled = (frame["msg"] for frame in frames)
    common = {"event_type", "market_ticker"}
    assert (closed["event_type"], closed.keys() - common) == ("close_date_updated", {"close_ts"})
    assert determined.keys() - common == {"result", "determination_ts", "settlement_value"}
    assert (determined["event_type"], determined["result"], determined["settlement_value"]) == (
        "determined",
        "no",
        "0.0000",
    )
    assert settled.keys() - common == {"settled_ts"}


async def test_pause_and_resume_carry_is_deactivated(member: Member, client: SocketClient) -> None:
    """deactivated with true, activated with false, and nothing else."""
    ticker = member.markets[11]
    await client.subscribe("market_lifecycle_v2")
    for action in ("halt", "resume"):
        await asyncio.to_thread(member.simulator.control, "POST", f"/{action}", {"ticker": ticker})
    frames = [frame["msg"] for frame in await lifecycle_frames(client, ticker, "activated")]
    assert frames == [
        {"event_type": "deactivated", "market_ticker": ticker, "is_deactivated": True},
        {"event_type": "activated", "market_ticker": ticker, "is_deactivated": False},
    ]


async def test_opening_and_natural_close_send_no_frame(tmp_path: Path) -> None:
    """At great speed markets open, close and settle: only created, determined and settled are sent."""
    with running_simulator(tmp_path, "--speed", "2000", quiet=False) as simulator:
        call = Signed(simulator.url, "demo-ed25519", simulator.keys["demo-ed25519"])
        headers = call.headers("GET", "/trade-api/ws/v2")
        async with aiohttp.ClientSession() as session, session.ws_connect(simulator.ws_url, headers=headers) as ws:
            client = SocketClient(ws)
            await client.subscribe("market_lifecycle_v2")
            frames = [await client.next("market_lifecycle_v2") for _ in range(25)]
    by_type = {frame["msg"]["event_type"]: frame["msg"] for frame in frames}
    assert by_type.keys() == {"created", "determined", "settled"}
    assert [frame["seq"] for frame in frames] == list(range(1, 26))
    assert {"open_ts", "close_ts", "exchange_index"} <= by_type["created"].keys()
    assert "close_ts" not in by_type["determined"]


@pytest.mark.parametrize("side", ["bid", "ask"])
async def test_user_order_frames_have_is_yes(member: Member, client: SocketClient, side: str) -> None:
    """is_yes is deprecated and required; it is true for a bid."""
    await client.subscribe("user_orders")
    await asyncio.to_thread(member.place, side=side, price="0.0200" if side == "bid" else "0.9900")
    assert (await client.next("user_order"))["msg"]["is_yes"] == (side == "bid")


async def test_a_binary_command_is_executed(client: SocketClient) -> None:
    """A command in a binary frame is answered like one in a text frame."""
    await client.ws.send_bytes(b'{"id": 4, "cmd": "subscribe", "params": {"channels": ["fill"]}}')
    reply = await client.next("subscribed")
    assert (reply["id"], reply["msg"]["channel"]) == (4, "fill")
    await client.ws.send_bytes(b"\xff\x00")
    assert (await client.next("error"))["msg"]["code"] == 1


async def test_an_order_group_is_followed_by_frames(member: Member, client: SocketClient) -> None:
    """created, limit_updated, triggered, reset and deleted with seq; the limit is in the first two alone."""
    groups = "/portfolio/order_groups"
    await client.subscribe("order_group_updates")
    group = member.call("POST", f"{groups}/create", {"contracts_limit": 5})[1]["order_group_id"]
    member.call("PUT", f"{groups}/{group}/limit", {"contracts_limit_fp": "7.00"})
    for action in ("trigger", "reset"):
        member.call("PUT", f"{groups}/{group}/{action}")
    member.call("DELETE", f"{groups}/{group}")
    frames = [await client.next("order_group_updates") for _ in range(5)]
    assert [frame["seq"] for frame in frames] == [1, 2, 3, 4, 5]
    rows = [(frame["msg"]["event_type"], frame["msg"].get("contracts_limit_fp")) for frame in frames]
    assert rows == [
        ("created", "5.00"),
        ("limit_updated", "7.00"),
        ("triggered", None),
        ("reset", None),
        ("deleted", None),
    ]


async def test_subscriptions_are_listed_changed_and_ended(member: Member, client: SocketClient) -> None:
    """list, repeated subscribe, add and delete markets, unsubscribe."""
    sids = await client.subscribe("fill", market_ticker=member.ticker)
    assert await client.subscribe("fill", market_ticker=member.markets[0]) == sids
    await client.command(
        "update_subscription", sids=[sids["fill"]], action="delete_markets", market_ticker=member.ticker
    )
    assert (await client.next("ok"))["msg"]["market_tickers"] == [member.markets[0]]
    await client.command("list_subscriptions")
    assert (await client.next("ok"))["msg"] == [{"channel": "fill", "sid": sids["fill"]}]
    await client.command("unsubscribe", sids=[sids["fill"]])
    assert (await client.next("unsubscribed"))["sid"] == sids["fill"]


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
        ({"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"], "market_ids": ["A"]}}, 11),
        (
            {"id": 1, "cmd": "subscribe", "params": {"channels": ["ticker"], "market_id": "A", "market_ticker": "A"}},
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
async def test_a_wrong_command_is_answered_with_its_code(client: SocketClient, message: object, code: int) -> None:
    """The documented codes; the socket stays open."""
    await client.ws.send_str(message if isinstance(message, str) else json.dumps(message))
    assert (await client.next("error"))["msg"]["code"] == code
    await client.command("list_subscriptions")
    assert (await client.next("ok"))["msg"] == []


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
    member: Member, client: SocketClient, params: dict[str, object], code: int
) -> None:
    """The documented codes; the subscription is as it was."""
    sids = await client.subscribe("fill", market_ticker=member.ticker)
    await client.command("update_subscription", sids=[sids["fill"]], **params)
    assert (await client.next("error"))["msg"]["code"] == code
    await client.command("update_subscription", sid=sids["fill"], action="add_markets", market_ticker=member.ticker)
    assert (await client.next("ok"))["msg"]["market_tickers"] == [member.ticker]


async def test_a_client_that_is_too_slow_is_cut() -> None:
    """Its connection ends, so that it notices the gap, and nothing more is queued for it."""

    class Transport:
        aborted = 0

        def abort(self) -> None:
            self.aborted += 1

    transport: Any = Transport()
    web_socket: Any = None
    exchange = SimulatedExchange(ExchangeOptions(quiet=True), lambda: 1_800_000_000.0)
    socket = ClientSocket(exchange, web_socket, transport)
    socket.queue = asyncio.Queue(2)
    for _ in range(3):
        socket.put({"type": "fill"}, "fill")
    assert (socket.queue.qsize(), transport.aborted) == (2, 1)


@pytest.mark.parametrize(("kind", "copies"), [("ws_lose", 0), ("ws_double", 2)])
async def test_a_frame_is_lost_or_doubled(member: Member, client: SocketClient, kind: str, copies: int) -> None:
    """One data frame of the channel is affected, the next one is not."""
    await client.subscribe("fill")
    member.simulator.fault(kind, channel="fill", times=1)
    for _ in range(2):
        member.simulator.fill(member.ticker, "bid", "1.00", "0.4500")
    ids = [(await client.next("fill"))["msg"]["trade_id"] for _ in range(copies + 1)]
    newest = [fill["fill_id"] for fill in member.fills()[:2]]
    assert ids == [newest[1]] * copies + [newest[0]]


async def test_a_fault_cuts_all_sockets(member: Member, client: SocketClient) -> None:
    """ws_cut ends the sockets once and is removed."""
    await asyncio.to_thread(member.simulator.fault, "ws_cut")
    async with asyncio.timeout(5):
        assert (await client.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert member.simulator.control("GET", "/faults") == {"faults": []}


@pytest.mark.slow
async def test_the_server_pings_every_ten_seconds(member: Member) -> None:
    """A Ping frame with the payload heartbeat."""
    headers = member.call.headers("GET", "/trade-api/ws/v2")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(member.simulator.ws_url, headers=headers, autoping=False) as ws,
        asyncio.timeout(12),
    ):
        frame = await ws.receive()
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.PING, b"heartbeat")
