"""Who asks: the three headers, the clock window and the signature, refused as the exchange refuses them."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from simulator.keys import PublicKey
from simulator.refusal import Refusal, refuse

WINDOW: Final = 20.0
"""Seconds that a timestamp may lie off; what was measured of the exchange allows 10 and refuses 30."""
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class Doorman:
    """Verifies signatures over timestamp + METHOD + path (Kalshi docs: api keys)."""

    def __init__(self, keys: Mapping[str, PublicKey], clock: Callable[[], float]) -> None:
        self.keys = keys
        self.clock = clock

    def check(self, headers: Mapping[str, str], method: str, *paths: str) -> str:
        """The key id of a well-signed request; paths: the forms of the path that count as signed. Raises Refusal."""
        signature = headers.get("KALSHI-ACCESS-SIGNATURE", "")
        if not signature:
            raise refuse(401, "signature_is_missing_from_headers")
        stamp = headers.get("KALSHI-ACCESS-TIMESTAMP", "")
        if not stamp.isascii() or not stamp.isdigit() or abs(int(stamp[:20]) / 1000 - self.clock()) > WINDOW:
            raise refuse(401, "header_timestamp_expired")
        key_id = headers.get("KALSHI-ACCESS-KEY", "")
        if key_id not in self.keys:
            raise _unknown("NOT_FOUND")
        if not any(_signed(self.keys[key_id], signature, f"{stamp}{method}{path}".encode()) for path in paths):
            raise _unknown("INCORRECT_API_KEY_SIGNATURE")
        return key_id


def _unknown(details: str) -> Refusal:
    return refuse(401, "authentication_error", details, message="authentication_error")


def _signed(key: PublicKey, signature: str, text: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, RSAPublicKey):
            key.verify(raw, text, _PSS, hashes.SHA256())
        else:
            key.verify(raw, text)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
