"""Sign timestamp + METHOD + path with the trader's key, RSA or Ed25519 as the key itself says.

The recipe (Kalshi docs: API keys): the text is the Unix time in milliseconds, the method in capitals and the whole
path from the root, without host, query and body, put together without anything between them. RSA keys sign it with
RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32 bytes; Ed25519 keys sign it as it is. Kalshi hands out RSA keys as
PKCS#1 and Ed25519 keys as PKCS#8, whose PEM label an RSA key may carry too: so the parsed key decides, not the label.
"""

import base64
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kalshi.errors import KeyUnusable

_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class Signer:
    """Makes the three headers of an authenticated request; a new stamp and signature for every one."""

    def __init__(self, key_id: str, key: PrivateKey, clock: Callable[[], float] = time.time) -> None:
        self.key_id = key_id
        self._key = key
        self._clock = clock

    def __repr__(self) -> str:
        return f"Signer({self.kind})"  # neither the key nor its id belongs in a log

    @classmethod
    def from_pem(cls, key_id: str, pem: bytes, clock: Callable[[], float] = time.time) -> "Signer":
        """A signer from the text of a key file. Raises KeyUnusable."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The library's message may quote the file, so only its kind is passed on.
            hint = "it is encrypted: store it without a password" if isinstance(error, TypeError) else "it is damaged"
            raise KeyUnusable(f"the private key cannot be read ({hint}, or no PEM)") from None
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise KeyUnusable("the private key is neither RSA nor Ed25519; make a new one at kalshi.com")
        return cls(key_id, key, clock)

    @classmethod
    def from_file(cls, key_id: str, path: str | Path, clock: Callable[[], float] = time.time) -> "Signer":
        """A signer from a key file. Raises KeyUnusable."""
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
        """RSA or Ed25519."""
        return "RSA" if isinstance(self._key, RSAPrivateKey) else "Ed25519"

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The headers for this request. path: from the root, as it is sent, without the query."""
        stamp = str(int(self._clock() * 1000))
        text = f"{stamp}{method.upper()}{path}".encode()
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._sign(text)).decode("ascii"),
        }

    def _sign(self, text: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(text, _PSS, hashes.SHA256())
        return self._key.sign(text)
