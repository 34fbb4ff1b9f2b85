"""FillSocket over a real socket: the events that it yields, and its reconnections."""

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from kalshi.account_models import Fill
from kalshi.auth import Signer
from kalshi.errors import Unreachable
from kalshi.fill_socket import Connected, Disconnected, FillSocket, MarketPaid
from tests.support import payloads
from tests.support.eventually import eventually
from tests.support.kalshi import FakeKalshi


def push_of(session: aiohttp.ClientSession, kalshi: FakeKalshi, **more: Any) -> FillSocket:
    options: dict[str, Any] = {"first": 0.02, "longest": 0.05, "silence": 5.0} | more
    return FillSocket(session, kalshi.ws_url, kalshi.signer, **options)


def frame(**changes: Any) -> dict[str, Any]:
    return {"type": "fill", "sid": 1, "msg": payloads.PUSHED | changes}


def lifecycle(**changes: Any) -> dict[str, Any]:
    return {"type": "market_lifecycle_v2", "sid": 2, "seq": 1, "msg": changes}


async def test_a_fill_is_yielded_after_the_subscription(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Connected comes first, so that REST can read earlier fills; then the fill, with the bot's own order id."""
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        assert isinstance(await anext(events), Connected)
        assert kalshi.commands[0] == {"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"]}}
        await kalshi.push(frame())
        fill = await anext(events)
        assert isinstance(fill, Fill)
        assert (fill.fill_id, fill.client_order_id, fill.side, fill.yes_price) == ("f-1", "c-1", "BUY", Decimal("0.52"))
        assert fill.timestamp == Decimal("1781159370.164")
        assert push.connected
    await eventually(lambda: not kalshi.sockets)


async def test_it_comes_back_after_the_line_is_cut(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Disconnected with a reason, then Connected again; nothing between is made up."""
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        await anext(events)
        await kalshi.cut()
        lost = await anext(events)
        assert isinstance(lost, Disconnected)
        assert "closed the socket" in lost.reason
        assert isinstance(await anext(events), Connected)
        await kalshi.push(frame(trade_id="f-2"))
        again = await anext(events)
        assert isinstance(again, Fill)
        assert again.fill_id == "f-2"
        assert kalshi.handshakes == 2


async def test_a_refused_handshake_is_logged_once_and_tried_again(
    session: aiohttp.ClientSession, kalshi: FakeKalshi
) -> None:
    """The reason holds the status and nothing of the signature; when the exchange accepts again it connects."""
    kalshi.refuse_sockets = True
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        lost = await anext(events)
        assert lost == Disconnected("the handshake was refused with HTTP 401")
        again = asyncio.ensure_future(anext(events))
        await eventually(lambda: kalshi.handshakes >= 4)
        kalshi.refuse_sockets = False
        assert isinstance(await again, Connected)


async def test_a_wrong_key_is_refused(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """The handshake is signed like a request."""
    other = FakeKalshi()
    push = FillSocket(session, kalshi.ws_url, Signer("unknown", other.key), first=0.01)
    async with aclosing(push.events()) as events:
        assert await anext(events) == Disconnected("the handshake was refused with HTTP 401")


@pytest.mark.parametrize(
    "bad",
    ["{half", "[]", '{"type":"fill","msg":{"trade_id":"f"}}', '{"type":"fill"}', '{"type":"error","msg":{"code":25}}'],
    ids=["no json", "no object", "fields missing", "no msg", "buffer overflow"],
)
async def test_an_unreadable_frame_ends_the_connection(
    session: aiohttp.ClientSession, kalshi: FakeKalshi, bad: Any
) -> None:
    """It may have been a fill: reconnecting makes REST look for it."""
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        await anext(events)
        await kalshi.push(bad)
        assert isinstance(await anext(events), Disconnected)
        assert isinstance(await anext(events), Connected)


async def test_strange_frames_and_other_subaccounts_are_passed_over(
    session: aiohttp.ClientSession, kalshi: FakeKalshi
) -> None:
    """New kinds of frames and harmless errors change nothing; fills of another subaccount are not ours."""
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        await anext(events)
        await kalshi.push({"type": "something_new", "msg": {}})
        await kalshi.push({"type": "error", "msg": {"code": 7, "msg": "Unknown subscription ID"}})
        for socket in kalshi.sockets:
            await socket.send_bytes(b"\x00\x01")
        await kalshi.push(frame(trade_id="other", subaccount=3))
        await kalshi.push(frame(trade_id="mine", subaccount=0, new_field=1))
        mine = await anext(events)
        assert isinstance(mine, Fill)
        assert mine.fill_id == "mine"


async def test_a_payout_of_the_accounts_market_is_an_event(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Of all changes of all markets only `settled` in a market of the account is reported."""
    push = push_of(session, kalshi, is_traded={"KXOURS"}.__contains__)
    async with aclosing(push.events()) as events:
        assert isinstance(await anext(events), Connected)
        await kalshi.push({"type": "market_lifecycle_v2", "msg": None})
        await kalshi.push(lifecycle(event_type=7, market_ticker=["KXOURS"]))
        for change, ticker in (("settled", "KXOTHER"), ("determined", "KXOURS"), ("new_word", "KXOURS")):
            await kalshi.push(lifecycle(event_type=change, market_ticker=ticker))
        await kalshi.push(lifecycle(event_type="settled", market_ticker="KXOURS", settled_ts=1781159370))
        assert await anext(events) == MarketPaid("KXOURS")
        assert kalshi.commands[1]["params"] == {"channels": ["market_lifecycle_v2"]}


async def test_fills_arrive_where_payouts_are_refused(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """An error in answer to the second subscription, even one that ends a subscription, leaves the first one alone."""
    push = push_of(session, kalshi)
    async with aclosing(push.events()) as events:
        assert isinstance(await anext(events), Connected)
        await kalshi.push({"type": "error", "id": 2, "msg": {"code": 10, "msg": "Channel error"}})
        await kalshi.push(frame())
        pushed = await anext(events)
        assert isinstance(pushed, Fill)
        assert pushed.fill_id == "f-1"
        assert kalshi.handshakes == 1


async def test_a_silent_line_is_given_up(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Neither a ping nor an answer to the subscription: half-open lines are found."""
    kalshi.silent = True
    push = push_of(session, kalshi, silence=0.1)
    async with aclosing(push.events()) as events:
        assert await anext(events) == Disconnected("no frame within 0 s")


async def test_pings_are_answered_and_keep_the_connection(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Without any fill for longer than the limit, pings alone keep the connection open."""
    push = push_of(session, kalshi, silence=0.3)
    async with aclosing(push.events()) as events:
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        for _ in range(8):
            await asyncio.sleep(0.06)
            for socket in kalshi.sockets:
                await socket.ping(b"heartbeat")
        assert not waiting.done()
        await kalshi.push(frame())
        assert isinstance(await waiting, Fill)


async def test_a_subscription_that_never_comes_is_given_up(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Pings come, but without a subscription no fill ever would."""
    kalshi.silent = True
    push = push_of(session, kalshi, silence=0.3)

    async def pings() -> None:
        while True:
            await asyncio.sleep(0.05)
            for socket in list(kalshi.sockets):
                await socket.ping(b"heartbeat")

    pinging = asyncio.create_task(pings())
    async with aclosing(push.events()) as events:
        assert await anext(events) == Disconnected("no subscription within 0 s")
    pinging.cancel()


async def test_a_handshake_that_hangs_is_given_up(session: aiohttp.ClientSession) -> None:
    """A server accepts the connection and sends nothing."""

    async def mute(reader: Any, writer: Any) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    push = FillSocket(session, f"ws://127.0.0.1:{port}/ws", Signer("id", FakeKalshi().key), silence=0.1)
    async with server, aclosing(push.events()) as events:
        assert await anext(events) == Disconnected("no handshake within 0 s")


async def test_a_socket_that_breaks_under_a_pong_is_a_reason(
    session: aiohttp.ClientSession, kalshi: FakeKalshi
) -> None:
    """The library raises where it would write to a line that is gone."""

    class Broken(aiohttp.ClientWebSocketResponse):
        def __init__(self) -> None:
            pass

        async def send_str(self, data: str, compress: int | None = None) -> None:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    with pytest.raises(Unreachable, match="the connection failed: ClientConnectionResetError"):
        await anext(push_of(session, kalshi)._events(Broken()))


async def test_a_refused_connection(session: aiohttp.ClientSession) -> None:
    """A refused connection is a reason, not an exception."""
    push = FillSocket(session, "ws://127.0.0.1:9/trade-api/ws/v2", Signer("id", FakeKalshi().key), first=0.01)
    async with aclosing(push.events()) as events:
        lost = await anext(events)
    assert isinstance(lost, Disconnected)
    assert lost.reason == "cannot connect to 127.0.0.1:9 (Connection refused)"
    assert not push.connected
