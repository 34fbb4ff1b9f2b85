"""Authentication: the three headers, the clock window, the signature and the scopes of a key."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from simulator.api.keys import PublicKey
from simulator.errors import ApiError, nested_error

WINDOW: Final = 20.0
"""Seconds by which a timestamp may differ; measured: the exchange accepts 10 and refuses 30."""
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class Authenticator:
    """Verify signatures over timestamp + METHOD + path (Kalshi docs: api keys)."""

    def __init__(self, keys: Mapping[str, PublicKey], clock: Callable[[], float]) -> None:
        self.keys = keys
        self.clock = clock
        self.scopes: dict[str, tuple[str, ...]] = dict.fromkeys(keys, ("read", "write"))

    def authenticate(self, headers: Mapping[str, str], method: str, *paths: str) -> str:
        """Return the key id of a correctly signed request. Raises ApiError.

        paths: the forms of the path that count as signed.
        """
        signature = headers.get("KALSHI-ACCESS-SIGNATURE", "")
        if not signature:
            raise nested_error(401, "signature_is_missing_from_headers")
        stamp = headers.get("KALSHI-ACCESS-TIMESTAMP", "")
        if not stamp.isascii() or not stamp.isdigit() or abs(int(stamp[:20]) / 1000 - self.clock()) > WINDOW:
            raise nested_error(401, "header_timestamp_expired")
        key_id = headers.get("KALSHI-ACCESS-KEY", "")
        if key_id not in self.keys:
            raise _key_error("NOT_FOUND")
        if not any(_is_signed(self.keys[key_id], signature, f"{stamp}{method}{path}".encode()) for path in paths):
            raise _key_error("INCORRECT_API_KEY_SIGNATURE")
        return key_id

    def check_scope(self, key_id: str, scope: str) -> None:
        """Raise ApiError 403 if the key lacks a scope; a parent such as write grants write::trade."""
        if not {scope, scope.partition("::")[0]} & set(self.scopes[key_id]):
            raise nested_error(403, "forbidden", f"API key lacks the scope {scope}")


def _key_error(details: str) -> ApiError:
    return nested_error(401, "authentication_error", details, message="authentication_error")


def _is_signed(key: PublicKey, signature: str, text: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, RSAPublicKey):
            key.verify(raw, text, _PSS, hashes.SHA256())
        else:
            key.verify(raw, text)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
