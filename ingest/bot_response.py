"""One HTTP response of the bot: its body within a size limit, its JSON, and stable texts for failures."""

import json
import os
from decimal import Decimal
from typing import Any, Final

import aiohttp

from ingest.errors import BotRequestError, BotResponseTooLarge, BotUrlNotFound

MAX_BYTES: Final = 1_000_000  # of one body, decompressed


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body of a 200 response, decompressed. Raises BotRequestError for any other."""
    if response.status == 404:
        raise BotUrlNotFound("HTTP 404")
    if 300 <= response.status < 400:
        raise BotRequestError(f"HTTP {response.status}: redirects are not followed")
    if response.status != 200:
        raise BotRequestError(f"HTTP {response.status}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise BotResponseTooLarge(f"larger than {MAX_BYTES // 1000} kB")
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body, its numbers exact. Raises BotRequestError."""
    try:
        # Python writes NaN for a missing number: only the field that holds it is unreadable.
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise BotRequestError("HTML instead of JSON" if body.lstrip()[:1] == b"<" else "not whole JSON") from None


def failure_text(error: aiohttp.ClientError) -> str:
    """Return the same text for the same failure: without object addresses, lengths and counters."""
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return f"TLS failed ({_tls_reason(error)})"
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio's own text names the address, which readers of bot_status need not see.
        number = error.os_error.errno
        return f"no connection ({os.strerror(number) if number else type(error.os_error).__name__})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off or could not be unpacked"
    return f"no HTTP answer ({type(error).__name__})"


def _tls_reason(error: aiohttp.ClientError) -> str:
    """Return the verification failure, such as `self-signed certificate`, where the error holds one."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__)
