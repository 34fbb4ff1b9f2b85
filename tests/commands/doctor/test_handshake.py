"""The HTTP version that a browser is offered."""

import pytest

from commands.doctor import handshake


def test_announced() -> None:
    """The stream limit stands in HTTP/2's SETTINGS, among others or not at all."""
    limit, window = bytes.fromhex("000300000064"), bytes.fromhex("000400100000")
    assert handshake.announced(window + limit) == 100
    assert handshake.announced(window) is None
    assert handshake.announced(b"\x00\x03") is None


@pytest.mark.parametrize(("shaken", "proxy", "levels"), [
    (None, "", ["ok"]),
    (handshake.Handshake("http/1.1", None, 90), "Apache", ["ok"]),
    (handshake.Handshake("http/1.1", None, 3), "Apache", ["ok", "note"]),
    (handshake.Handshake("h2", 100, 90), "Apache", ["wrong"]),
    (handshake.Handshake("h2", 100, 90), "", ["wrong"]),
    (handshake.Handshake("h2", 128, 90), "nginx", ["ok"]),
    (handshake.Handshake("h2", 6, 90), "nginx", ["note"]),
], ids=["none", "h1", "few days", "apache h2", "hidden h2", "nginx h2", "narrow h2"])  # fmt: skip
def test_offered(shaken: handshake.Handshake | None, proxy: str, levels: list[str]) -> None:
    """HTTP/2 is a fault of Apache's alone; a certificate's last days are told."""
    assert [finding.level for finding in handshake.offered(shaken, proxy)] == levels
