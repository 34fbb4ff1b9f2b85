"""Request signatures: timestamp + METHOD + path, signed with the trader's key.

The text (Kalshi docs: API keys) is the Unix time in milliseconds, the method in capitals and the whole path from the
root, without host, query and body, concatenated.
"""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kalshi.errors import KeyUnusable

if TYPE_CHECKING:
    from kalshi.private_key import PrivateKey


class Signer:
    """Makes the three headers of an authenticated request, with a new timestamp and signature each time."""

    def __init__(self, key_id: str, key: "PrivateKey", clock: Callable[[], float] = time.time) -> None:
        self.key_id = key_id
        self._key = key
        self._clock = clock

    def __repr__(self) -> str:
        return f"Signer({self.kind})"  # neither the key nor its id belongs in a log

    @classmethod
    def from_pem(cls, key_id: str, pem: bytes, clock: Callable[[], float] = time.time) -> "Signer":
        """Return a signer for the text of a key file. Raises KeyUnusable."""
        from kalshi.private_key import PrivateKey  # loads cryptography, which a service without keys does not need

        return cls(key_id, PrivateKey.from_pem(pem), clock)

    @classmethod
    def from_file(cls, key_id: str, path: str | Path, clock: Callable[[], float] = time.time) -> "Signer":
        """Return a signer for a key file. Raises KeyUnusable."""
        try:
            pem = Path(path).read_bytes()
        except OSError as error:
            raise KeyUnusable(f"the private key file {path}: {error.strerror}") from None
        try:
            return cls.from_pem(key_id, pem, clock)
        except KeyUnusable as error:
            raise KeyUnusable(f"{error}; the file is {path}") from None

    @property
    def kind(self) -> str:
        """Return RSA or Ed25519."""
        return self._key.kind

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Return the headers for this request. path: from the root, as it is sent, without the query."""
        stamp = str(int(self._clock() * 1000))
        text = f"{stamp}{method.upper()}{path}".encode()
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._key.sign(text)).decode("ascii"),
        }
