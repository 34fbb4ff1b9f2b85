"""The two key pairs of the account: created once, stored in a folder, readable by their owner only."""

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey

KEY_FILES: Final = {"demo-rsa": "rsa.pem", "demo-ed25519": "ed25519.pem"}
"""Key id -> file, as Kalshi hands them out: RSA as PKCS#1, Ed25519 as PKCS#8 (Kalshi docs: api keys)."""


def load_or_create(folder: Path) -> dict[str, PublicKey]:
    """Return key id -> public key; missing files are created. Raises ValueError for any other kind of key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys: dict[str, PublicKey] = {}
    for key_id, name in KEY_FILES.items():
        path = folder / name
        if not path.exists():
            _write(path, generate_private_key(65537, 2048) if name == "rsa.pem" else Ed25519PrivateKey.generate())
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise ValueError(f"{path}: expected an RSA or Ed25519 private key; delete the file to get a new one")
        keys[key_id] = key.public_key()
    return keys


def _write(path: Path, key: PrivateKey) -> None:
    form = (
        serialization.PrivateFormat.TraditionalOpenSSL
        if isinstance(key, RSAPrivateKey)
        else serialization.PrivateFormat.PKCS8
    )
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
