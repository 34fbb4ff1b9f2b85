"""Failures of a bot that sends no HTTP, or stops within a response."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from ingest.bot_client import BotClient, PollResult, PollSettings
from tests.support.apache import self_signed


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[", "the answer broke off or could not be unpacked"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", "the answer broke off"),
        (b"", "closed the connection without an answer"),
    ],
    ids=["another protocol", "half a body", "no gzip", "nothing"],
)
async def test_a_failure_has_the_same_reason_for_both_urls(says: bytes, reason: str) -> None:
    """The text stays the same while the failure does, and contains no address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(says)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, aiohttp.ClientSession() as session:
        port = server.sockets[0].getsockname()[1]
        bot = BotClient(session, PollSettings(f"http://127.0.0.1:{port}/status", f"http://127.0.0.1:{port}/trades"))
        first, again = [await bot.poll() for _ in range(2)]
    assert reason in first.trouble
    assert first.trouble == again.trouble
    assert str(port) not in first.trouble
    assert first.reading is None
    assert first.report is None


async def test_a_self_signed_bot_is_named_as_such(tmp_path: Path) -> None:
    """Its certificate is the reason, and neither an errno's text nor an address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server,
        aiohttp.ClientSession() as session,
    ):
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        poll = await BotClient(session, PollSettings(f"{url}/status", f"{url}/trades")).poll()
    assert poll.trouble == "TLS failed (self-signed certificate)"


def test_a_poll_without_answers_is_not_good() -> None:
    """The result of a poll without answers names no missing status URL and no size."""
    result = PollResult(1.0)
    assert (result.good, result.too_large, result.has_no_status, result.trouble) == (False, False, False, "")
