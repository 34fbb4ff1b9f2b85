"""One request to the exchange: signed, within a size and a time limit, read as JSON, failures mapped to our errors."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from cache.decimal_json import dumps, loads
from kalshi import errors
from kalshi.auth import Signer

Params = Mapping[str, str | int]
LARGEST = 16 * 1024 * 1024  # bytes of an unpacked answer; the largest honest one, 1000 markets, is about 3 MB


class Transport:
    """Sends one request over the shared session. No redirect is followed: a signature is for one place only."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, largest: int = LARGEST) -> None:
        self._session = session
        self.base_url = base_url.rstrip("/")
        self._largest = largest

    async def send(
        self, method: str, path: str, params: Params | None, body: Any, signer: Signer | None, timeout: float
    ) -> Any:
        """Return the JSON value of a 2xx answer (None for no body), within timeout seconds. Raises KalshiError."""
        url = URL(self.base_url + path, encoded=True)
        where = f"{method} {path}"
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
                return _answer(where, response.status, await self._read(where, response))
        except TimeoutError:
            raise errors.Unreachable(f"{where}: no answer within {timeout:.1f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # `from None`: aiohttp's errors carry the request with its headers, which must not reach a traceback.
            raise errors.Unreachable(f"{where}: {connection_failure(error)}") from None

    async def _read(self, where: str, response: aiohttp.ClientResponse) -> bytes:
        """Return the body, decompressed. Raises BadAnswer: too large."""
        parts = bytearray()
        async for part in response.content.iter_chunked(65536):
            parts += part
            if len(parts) > self._largest:
                response.close()  # the rest is not wanted, and the connection is not worth reading it
                raise errors.BadAnswer(f"{where}: the answer is larger than {self._largest} bytes")
        return bytes(parts)


def connection_failure(error: Exception) -> str:
    """Return the reason for a failed connection, with the host, in words."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        cause: Any = getattr(error, "certificate_error", None) or error.os_error
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
        return f"TLS to {error.host} failed ({reason})"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # asyncio's own text gives no reason; a resolver's number is below zero
        reason = os.strerror(number) if number > 0 else error.os_error.strerror
        return f"cannot connect to {error.host}:{error.port} ({reason or type(error).__name__})"
    return f"{type(error).__name__}: {_words(error)}"


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or "no reason given"


def _answer(where: str, status: int, raw: bytes) -> Any:
    """Return the value of a 2xx answer, else raise its error. The Content-Type is ignored: it is often wrong."""
    if 300 <= status < 400:
        raise errors.BadAnswer(f"{where}: HTTP {status}, a redirect; the base URL is not that of the API")
    if status >= 400:
        raise refusal(where, status, raw)
    if not raw.strip():
        return None
    try:
        return loads(raw)
    except (ValueError, RecursionError) as error:
        raise errors.BadAnswer(f"{where}: HTTP {status}, but no JSON ({_words(error)}): {raw[:60]!r}") from None


def refusal(where: str, status: int, raw: bytes) -> errors.Refused:
    """Return the error of an error status, from any of the four body shapes that the exchange sends."""
    try:
        body = loads(raw)
    except (ValueError, RecursionError):
        body = None  # a proxy's HTML, or nothing: the status must do
    fields: Any = body if isinstance(body, dict) else {}
    nested = fields.get("error")
    if isinstance(nested, str):
        fields = {"message": nested}
    elif isinstance(nested, dict):
        fields = nested
    elif "msg" in fields:
        fields = {"message": fields["msg"]}
    code, message, details = (_short(fields.get(name)) for name in ("code", "message", "details"))
    return _kind(status, code)(where, status, code, message, details, body)


def _short(value: Any) -> str:
    return value[:300] if isinstance(value, str) else ""


def _kind(status: int, code: str) -> type[errors.Refused]:
    if status >= 500:
        return errors.ExchangeFault
    if code == "header_timestamp_expired":
        return errors.ClockSkew
    kinds: dict[int, type[errors.Refused]] = {
        400: errors.BadRequest, 401: errors.NotAllowed, 403: errors.NotAllowed, 404: errors.NotFound,
        409: errors.Conflict, 429: errors.RateLimited,
    }  # fmt: skip
    return kinds.get(status, errors.Refused)
