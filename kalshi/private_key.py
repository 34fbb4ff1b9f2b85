"""Private keys, RSA or Ed25519; apart from auth.py, so that a service without keys does not load cryptography.

RSA keys sign with RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32 bytes; Ed25519 keys sign the text as it is (Kalshi
docs: API keys). Kalshi hands out RSA keys as PKCS#1 and Ed25519 keys as PKCS#8, whose PEM label an RSA key may carry
too, so the parsed key decides and not the label.
"""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kalshi.errors import KeyUnusable

_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
SupportedKey = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A key that signs by its kind."""

    private: SupportedKey

    @classmethod
    def from_pem(cls, pem: bytes) -> "PrivateKey":
        """Return the key in the text of a key file. Raises KeyUnusable."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The library's message may quote the file, so only its kind is passed on.
            hint = "it is encrypted: store it without a password" if isinstance(error, TypeError) else "it is damaged"
            raise KeyUnusable(f"the private key cannot be read ({hint}, or no PEM)") from None
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise KeyUnusable("the private key is neither RSA nor Ed25519; make a new one at kalshi.com")
        return cls(key)

    def __repr__(self) -> str:
        return f"PrivateKey({self.kind})"

    @property
    def kind(self) -> str:
        """Return RSA or Ed25519."""
        return "RSA" if isinstance(self.private, RSAPrivateKey) else "Ed25519"

    def sign(self, text: bytes) -> bytes:
        """Return the signature of the text."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(text, _PSS, hashes.SHA256())
        return self.private.sign(text)
