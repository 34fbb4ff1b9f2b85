"""A blocking caller that signs as the exchange documents it, written apart from the client under test."""

import base64
import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


@dataclass(slots=True)
class Signed:
    """url: with /trade-api/v2. key_id, key: which identity signs."""

    url: str
    key_id: str
    key: Path

    def headers(self, method: str, path: str, at: float | None = None) -> dict[str, str]:
        """The three headers for a full path without its query."""
        stamp = str(int((time.time() if at is None else at) * 1000))
        key, text = load_pem_private_key(self.key.read_bytes(), None), f"{stamp}{method}{path}".encode()
        if isinstance(key, Ed25519PrivateKey):
            signature = key.sign(text)
        else:
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
            signature = key.sign(text, pss, hashes.SHA256())  # type: ignore[union-attr, call-arg, arg-type]
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def __call__(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """(status, JSON) of one request; path: after /trade-api/v2, with its query. headers: instead of signing."""
        base = urlsplit(self.url)
        if headers is None:
            headers = self.headers(method, base.path + path.partition("?")[0])
        sent = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=10)
        try:
            connection.request(method, base.path + path, sent, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()
