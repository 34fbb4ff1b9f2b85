"""Request signatures: timestamp + METHOD + path, signed with the trader's key, RSA or Ed25519.

The text (Kalshi docs: API keys) is the Unix time in milliseconds, the method in capitals and the whole path from the
root, without host, query and body, concatenated. RSA keys sign with RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32
bytes; Ed25519 keys sign the text as it is. Kalshi hands out RSA keys as PKCS#1 and Ed25519 keys as PKCS#8, whose PEM
label an RSA key may carry too, so the parsed key decides and not the label.

cryptography is loaded with the first key: a service without keys does not need it.
"""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kalshi.errors import KeyUnusable


class Signer:
    """Makes the three headers of a request, signed anew. Raises KeyUnusable for a key neither RSA nor Ed25519."""

    def __init__(self, key_id: str, key: Any, clock: Callable[[], float] = time.time) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256

        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise KeyUnusable("the private key is neither RSA nor Ed25519; make a new one at kalshi.com")
        self.key_id, self._key, self._clock = key_id, key, clock
        self.kind = "RSA" if isinstance(key, RSAPrivateKey) else "Ed25519"
        self._options = (PSS(MGF1(SHA256()), SHA256.digest_size), SHA256()) if self.kind == "RSA" else ()

    def __repr__(self) -> str:
        return f"Signer({self.kind})"  # neither the key nor its id belongs in a log

    @classmethod
    def from_pem(cls, key_id: str, pem: bytes, clock: Callable[[], float] = time.time) -> "Signer":
        """Return a signer for the text of a key file. Raises KeyUnusable."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            return cls(key_id, load_pem_private_key(pem, password=None), clock)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The library's message may quote the file, so only its kind is passed on.
            hint = "it is encrypted: store it without a password" if isinstance(error, TypeError) else "it is damaged"
            raise KeyUnusable(f"the private key cannot be read ({hint}, or no PEM)") from None

    @classmethod
    def from_file(cls, key_id: str, path: str | Path) -> "Signer":
        """Return a signer for a key file. Raises KeyUnusable."""
        try:
            return cls.from_pem(key_id, Path(path).read_bytes())
        except OSError as error:
            raise KeyUnusable(f"the private key file {path}: {error.strerror}") from None
        except KeyUnusable as error:
            raise KeyUnusable(f"{error}; the file is {path}") from None

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Return the headers for this request. path: from the root, as it is sent, without the query."""
        stamp = str(int(self._clock() * 1000))
        signature = self._key.sign(f"{stamp}{method.upper()}{path}".encode(), *self._options)
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode("ascii"),
        }
