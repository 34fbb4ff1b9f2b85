"""Signatures: what is signed, with which keys, and what never shows."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kalshi.auth import Signer
from kalshi.errors import KeyUnusable
from tests.support.kalshi import verify

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
PKCS1, PKCS8 = serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8


def pem(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat,
    password: bytes | None = None,
) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, lock)


@pytest.mark.parametrize(
    ("key", "form", "kind"),
    [(RSA, PKCS1, "RSA"), (RSA, PKCS8, "RSA"), (ED, PKCS8, "Ed25519")],
    ids=["rsa pkcs1", "rsa pkcs8", "ed25519 pkcs8"],
)
def test_each_kind_of_key_signs_stamp_method_and_path(key: Any, form: Any, kind: Any) -> None:
    """The parsed key decides how to sign, and the public half accepts the text that the docs describe."""
    signer = Signer.from_pem("id", pem(key, form), clock=lambda: 1703123456.7891)
    headers = signer.headers("get", "/trade-api/v2/portfolio/balance")
    assert signer.kind == kind
    assert headers["KALSHI-ACCESS-KEY"] == "id"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1703123456789"
    text = b"1703123456789GET/trade-api/v2/portfolio/balance"
    verify(key, base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), text)


@pytest.mark.parametrize(
    "text",
    [b"", b"no pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", pem(RSA, PKCS8, b"secret")],
    ids=["empty", "text", "damaged", "encrypted"],
)
def test_a_key_that_cannot_be_read_is_refused_without_being_quoted(text: bytes) -> None:
    """KeyUnusable has the remedy and nothing of the file's content."""
    with pytest.raises(KeyUnusable) as caught:
        Signer.from_pem("id", text)
    assert caught.value.__cause__ is None
    assert "AAAA" not in str(caught.value)


def test_a_key_of_another_kind_is_refused() -> None:
    """An elliptic-curve key parses but is not what the exchange takes."""
    with pytest.raises(KeyUnusable, match="neither RSA nor Ed25519"):
        Signer.from_pem("id", pem(ec.generate_private_key(ec.SECP256R1()), PKCS8))


def test_a_key_file_is_read(tmp_path: Path) -> None:
    """The key in the file signs."""
    (tmp_path / "key.pem").write_bytes(pem(ED, PKCS8))
    assert Signer.from_file("id", tmp_path / "key.pem").kind == "Ed25519"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the message, so that it can be corrected."""
    with pytest.raises(KeyUnusable, match=r"nowhere\.pem: No such file"):
        Signer.from_file("id", tmp_path / "nowhere.pem")


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    """The error names the file and the fault, and nothing of its content."""
    (tmp_path / "key.pem").write_bytes(pem(RSA, PKCS8, b"secret"))
    with pytest.raises(KeyUnusable, match=r"store it without a password.*the file is .*key\.pem") as caught:
        Signer.from_file("id", tmp_path / "key.pem")
    assert caught.value.__cause__ is None


def test_the_key_does_not_show() -> None:
    """repr, which ends up in logs and tracebacks, holds neither the key nor its id."""
    assert repr(Signer("very-secret-id", ED)) == "Signer(Ed25519)"
