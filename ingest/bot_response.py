"""One answer of the bot: its body within limits, its JSON, and what is wrong with it in words that stay the same."""

import json
import os
from decimal import Decimal
from typing import Any, Final

import aiohttp

from ingest.errors import BotRequestError, BotResponseTooLarge, BotUrlNotFound

MOST_BYTES: Final = 1_000_000  # of one answer, unpacked


async def read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body of a good answer, unpacked. Raises BotRequestError for any other."""
    if response.status == 404:
        raise BotUrlNotFound("HTTP 404")
    if 300 <= response.status < 400:
        raise BotRequestError(f"HTTP {response.status}: redirects are not followed")
    if response.status != 200:
        raise BotRequestError(f"HTTP {response.status}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > MOST_BYTES:
            raise BotResponseTooLarge(f"larger than {MOST_BYTES // 1000} kB")
    return bytes(body)


def value(body: bytes) -> Any:
    """Its JSON value, numbers exact. Raises BotRequestError."""
    try:
        # Python writes NaN where a bot has no number: the field that holds it cannot be read, all else can.
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise BotRequestError("HTML instead of JSON" if body.lstrip()[:1] == b"<" else "not whole JSON") from None


def words(wrong: aiohttp.ClientError) -> str:
    """The same words for the same trouble: no addresses of objects, no lengths, no counters."""
    if isinstance(wrong, aiohttp.ClientConnectorError):
        # asyncio's own text names the address, which readers of bot_status need not know.
        number = wrong.os_error.errno
        return f"no connection ({os.strerror(number) if number else type(wrong.os_error).__name__})"
    if isinstance(wrong, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    if isinstance(wrong, aiohttp.ClientPayloadError):
        return "the answer broke off or could not be unpacked"
    return f"no HTTP answer ({type(wrong).__name__})"
