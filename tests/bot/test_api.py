"""Tests of the bot's HTTP API: trades, pages and waiting, 304, commands and their token."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.api import BotApi
from bot.errors import VenueUnavailable
from bot.trade_log import TradeLog
from tests.support.trading import execution

TOKEN = "0123456789abcdef"


class Fake:
    """Commands that are recorded."""

    def __init__(self, trades: int) -> None:
        self.trade_log = TradeLog("boot")
        self.called: list[str] = []
        self.down = False
        for number in range(trades):
            self.trade_log.add(execution("BUY", "5", "0.65", name=f"f{number}"), exchange=True)

    def decisions(self) -> Mapping[str, Any]:
        return {"decisions": [], "count": 0, "counts": {"sent": 7}}

    def status(self) -> Mapping[str, Any]:
        return {"status": "running", "mode": "paper", "trades": self.trade_log.seq}

    async def pause(self) -> None:
        self.called.append("pause")

    async def resume(self) -> None:
        self.called.append("resume")

    async def halt(self) -> None:
        self.called.append("halt")

    async def clear(self) -> None:
        if self.down:
            raise VenueUnavailable("the exchange is down")
        self.called.append("clear")


@asynccontextmanager
async def listening(controls: Fake, token: str) -> AsyncIterator[int]:
    """The API on a free port."""
    runner = web.AppRunner(BotApi(controls, token).app(), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(controls: Fake, token: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """A session at the API's root."""
    async with (
        listening(controls, token) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def test_a_command_that_needs_the_exchange_says_when_it_is_away() -> None:
    """503 with the reason and when to try again; nothing was done."""
    controls = Fake(0)
    controls.down = True
    async with serving(controls, TOKEN) as session:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with session.post("/clear", headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert (await response.json()) == {"error": "unavailable", "message": "the exchange is down"}
        assert controls.called == []
        controls.down = False
        async with session.post("/clear", headers=headers) as response:
            assert response.status == 200
        assert controls.called == ["clear"]


async def test_a_plain_poller_sees_the_last_hundred() -> None:
    """GET /trades without a word: at most a hundred, oldest first, six fields, exact numbers."""
    async with serving(Fake(130)) as session, session.get("/trades") as response:
        text = await response.text()
        body = json.loads(text)
    assert (body["count"], body["seq"], body["boot_id"]) == (100, 130, "boot")
    assert [trade["seq"] for trade in body["trades"]] == list(range(31, 131))
    assert {"timestamp", "ticker", "side", "quantity", "price", "trade_id"} <= body["trades"][0].keys()
    assert '"price":0.65' in text


async def test_health_and_status_are_the_same() -> None:
    """Both URLs answer."""
    async with serving(Fake(3)) as session:
        for path in ("/health", "/status"):
            async with session.get(path) as response:
                assert (await response.json())["trades"] == 3


async def test_an_unchanged_window_is_304() -> None:
    """The tag changes with the next trade."""
    controls = Fake(2)
    async with serving(controls) as session:
        async with session.get("/trades") as response:
            tag = response.headers["ETag"]
        async with session.get("/trades", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        controls.trade_log.add(execution("BUY", "1", "0.5"), exchange=True)
        async with session.get("/trades", headers={"If-None-Match": tag}) as response:
            assert response.status == 200


async def test_pages_after_a_seq() -> None:
    """after and limit walk forward."""
    async with serving(Fake(7)) as session, session.get("/trades?after=3&limit=2") as response:
        assert [trade["seq"] for trade in (await response.json())["trades"]] == [4, 5]


async def test_a_waiting_reader_is_answered_with_the_next_trade() -> None:
    """The long poll answers with the trade, within milliseconds of it, and empty when its time is over."""
    controls = Fake(1)
    async with serving(controls) as session:

        async def poll(wait: str) -> tuple[int, float]:
            async with session.get(f"/trades?after=1&wait={wait}") as response:
                return (await response.json())["count"], time.monotonic()

        waiting = asyncio.create_task(poll("20"))
        await asyncio.sleep(0.2)
        added = time.monotonic()
        controls.trade_log.add(execution("BUY", "1", "0.5"), exchange=True)
        count, received = await waiting
        assert count == 1
        assert received - added < 0.5
        async with session.get("/trades?after=2&wait=0.05") as response:
            assert (await response.json())["count"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "after=-1",
        "after=x",
        "after=1&limit=0",
        "limit=5000",
        "after=1&wait=x",
        "after=1&wait=-1",
        "after=1&wait=nan",
        f"after={'0' * 6000}",
        "after=%D9%A3",
        "after=1_0",
        "limit=+5",
        "after=1&wait=1_0",
        "after=1&wait=1e1",
        "after=1&wait=%EF%BC%91",
        "after=",
        "after=%FF",
        f"limit={'9' * 5000}",
        f"after=1&wait={'1' * 5000}",
    ],
)
async def test_a_query_that_cannot_be_read_is_400(query: str) -> None:
    """The JSON names the parameter and what is expected."""
    async with serving(Fake(1)) as session, session.get(f"/trades?{query}") as response:
        assert response.status == 400
        assert (await response.json())["error"] == "bad_request"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nothing", 404, id="unknown path"),
        pytest.param("POST", "/trades", 405, id="wrong method"),
        pytest.param("DELETE", "/status", 405, id="wrong method on status"),
        pytest.param("POST", "/halt", 404, id="no token set: no commands"),
    ],
)
async def test_errors_are_json(method: str, path: str, status: int) -> None:
    """404 and 405, never HTML."""
    async with serving(Fake(0)) as session, session.request(method, path) as response:
        assert response.status == status
        assert "error" in await response.json()
        assert status != 405 or "GET" in response.headers["Allow"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", "", "[::2]:80"])
async def test_a_foreign_host_is_refused(host: str) -> None:
    """A page that rebinds its own name to 127.0.0.1 reads nothing and commands nothing."""
    controls = Fake(1)
    async with serving(controls, TOKEN) as session:
        async with session.get("/trades", headers={"Host": host}) as response:
            assert response.status in (400, 403)
            assert "trade_id" not in await response.text()
        headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
        async with session.post("/halt", headers=headers) as response:
            assert response.status in (400, 403)
    assert controls.called == []


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ", f"bearer{TOKEN}"])
async def test_a_command_without_the_token_is_401(given: str) -> None:
    """401, and nothing happens."""
    controls = Fake(0)
    async with serving(controls, TOKEN) as session, session.post("/halt", headers={"Authorization": given}) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert controls.called == []


@pytest.mark.parametrize("name", ["pause", "resume", "halt", "clear"])
async def test_a_command_with_the_token_is_executed(name: str) -> None:
    """POST answers with the status that follows; GET is 405."""
    controls = Fake(0)
    async with serving(controls, TOKEN) as session:
        async with session.post(f"/{name}", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert (await response.json())["status"] == "running"
        async with session.get(f"/{name}", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert response.status == 405
    assert controls.called == [name]


@pytest.mark.parametrize(
    "given", [b"Bearer \xff\xfe", b"\xff", b"Bearer \xc3\x28", b"Bearer " + "0123456789abcdeé".encode()], ids=repr
)
async def test_a_token_of_any_bytes_is_401(given: bytes) -> None:
    """Bytes that are not UTF-8 are a wrong token, not an error of the bot."""
    controls = Fake(0)
    async with listening(controls, TOKEN) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = (
                b"POST /halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\nAuthorization: "
            )
            writer.write(head + given + b"\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
            await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 401")
    assert controls.called == []


async def test_decisions_are_served_as_they_are() -> None:
    """GET /decisions answers with the log's JSON."""
    async with serving(Fake(0)) as session, session.get("/decisions") as response:
        assert (response.status, await response.json()) == (200, {"decisions": [], "count": 0, "counts": {"sent": 7}})
