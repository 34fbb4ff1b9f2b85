"""One request to the exchange: signed, within a size and a time limit, read as JSON, failures mapped to our errors."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from cache.decimal_json import dumps, loads
from kalshi import errors
from kalshi.auth import Signer

Params = Mapping[str, str | int]
LARGEST: Final = 16 * 1024 * 1024  # bytes of an unpacked answer; the largest honest one, 1000 markets, is about 3 MB
_REFUSALS: Final[dict[int, type[errors.Refused]]] = {
    400: errors.BadRequest, 401: errors.NotAllowed, 403: errors.NotAllowed, 404: errors.NotFound,
    409: errors.Conflict, 429: errors.RateLimited,
}  # fmt: skip


class Transport:
    """Sends one request over the shared session. No redirect is followed: a signature is for one place only."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, largest: int = LARGEST) -> None:
        self._session, self._largest = session, largest
        self.base_url = base_url.rstrip("/")

    async def send(
        self, method: str, path: str, params: Params | None, body: Any, signer: Signer | None, timeout: float
    ) -> Any:
        """Return the JSON value of a 2xx answer (None for no body), within timeout seconds. Raises KalshiError."""
        url, where = URL(self.base_url + path, encoded=True), f"{method} {path}"
        # Signed as late as can be, for the stamp ages; what is signed is the very path that is sent.
        headers = {"Accept": "application/json"} | (signer.headers(method, url.raw_path) if signer else {})
        data = None
        if body is not None:
            data, headers["Content-Type"] = dumps(body).encode(), "application/json"
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    method, url.update_query(params or {}), data=data, headers=headers, allow_redirects=False
                ) as response,
            ):
                raw = await read_body(response, self._largest)
        except TimeoutError:
            raise errors.Unreachable(f"{where}: no answer within {timeout:.1f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # `from None`: aiohttp's errors carry the request with its headers, which must not reach a traceback.
            raise errors.Unreachable(f"{where}: {connection_failure(error)}") from None
        if raw is None:
            raise errors.BadAnswer(f"{where}: the answer is larger than {self._largest} bytes")
        return _answer(where, response.status, raw)


async def read_body(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Return the body, decompressed; None where it is larger than `most` bytes, and then the connection is closed."""
    parts = bytearray()
    async for part in response.content.iter_chunked(65536):
        parts += part
        if len(parts) > most:
            response.close()
            return None
    return bytes(parts)


def connection_failure(error: Exception, with_place: bool = True) -> str:
    """Return the reason for a failed connection, the same text for the same failure; with_place: with the host."""
    if isinstance(error, aiohttp.ClientSSLError):
        cause: Any = getattr(error, "certificate_error", None) or error.os_error
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
        return f"TLS {f'to {error.host} ' if with_place else ''}failed ({reason})"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # asyncio's own text gives no reason; a resolver's number is below zero
        reason = (os.strerror(number) if number > 0 else error.os_error.strerror) or type(error.os_error).__name__
        return f"{f'cannot connect to {error.host}:{error.port}' if with_place else 'no connection'} ({reason})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off or could not be unpacked"
    return f"no HTTP answer ({type(error).__name__})"


def _answer(where: str, status: int, raw: bytes) -> Any:
    """Return the value of a 2xx answer, else raise its error. The Content-Type is ignored: it is often wrong."""
    if 300 <= status < 400:
        raise errors.BadAnswer(f"{where}: HTTP {status}, a redirect; the base URL is not that of the API")
    if status >= 400:
        raise refusal(where, status, raw)
    try:
        return loads(raw) if raw.strip() else None
    except (ValueError, RecursionError) as error:
        raise errors.BadAnswer(f"{where}: HTTP {status}, but no JSON ({error!s:.200}): {raw[:60]!r}") from None


def refusal(where: str, status: int, raw: bytes) -> errors.Refused:
    """Return the error of an error status, from any of the four body shapes that the exchange sends."""
    try:
        body = loads(raw)
    except (ValueError, RecursionError):
        body = None  # a proxy's HTML, or nothing: the status must do
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    nested = fields.get("error", fields.get("msg"))
    if isinstance(nested, str | dict):
        fields = {"message": nested} if isinstance(nested, str) else nested
    texts = (fields.get(name) for name in ("code", "message", "details"))
    code, message, details = (text[:300] if isinstance(text, str) else "" for text in texts)
    kind = _REFUSALS.get(status, errors.ExchangeFault if status >= 500 else errors.Refused)
    if code == "header_timestamp_expired" and status < 500:
        kind = errors.ClockSkew
    return kind(where, status, code, message, details, body)
