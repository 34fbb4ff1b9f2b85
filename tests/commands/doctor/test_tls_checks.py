"""The HTTP version that a browser is offered."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest
from yarl import URL

from commands.doctor import tls_checks
from commands.ports import free_port
from tests.support.apache import self_signed


@pytest.mark.parametrize("end", ["nobody", "no tls", "silence", "cut in HTTP/2"])
async def test_a_handshake_that_fails_is_none(end: str, tmp_path: Path) -> None:
    """Any other answer, within its time; the checks of answers report it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if end == "silence":
                await asyncio.sleep(1)
            writer.write(b"" if end == "cut in HTTP/2" else b"SSH-2.0-OpenSSH\r\n")
        finally:
            writer.close()

    context = None
    if end == "cut in HTTP/2":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self_signed(tmp_path))
        context.set_alpn_protocols(["h2"])
    async with await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context) as server:
        port = free_port() if end == "nobody" else server.sockets[0].getsockname()[1]
        begun = time.monotonic()
        assert await tls_checks.handshake(URL(f"https://127.0.0.1:{port}/"), limit=0.5) is None
        assert time.monotonic() - begun < 0.9


def test_announced() -> None:
    """The stream limit stands in HTTP/2's SETTINGS, among others or not at all."""
    limit, window = bytes.fromhex("000300000064"), bytes.fromhex("000400100000")
    assert tls_checks.announced(window + limit) == 100
    assert tls_checks.announced(window) is None
    assert tls_checks.announced(b"\x00\x03") is None


@pytest.mark.parametrize(("shaken", "proxy", "levels"), [
    (None, "", ["ok"]),
    (tls_checks.Handshake("http/1.1", None, 90), "Apache", ["ok"]),
    (tls_checks.Handshake("http/1.1", None, 3), "Apache", ["ok", "note"]),
    (tls_checks.Handshake("h2", 100, 90), "Apache", ["wrong"]),
    (tls_checks.Handshake("h2", 100, 90), "", ["wrong"]),
    (tls_checks.Handshake("h2", 128, 90), "nginx", ["ok"]),
    (tls_checks.Handshake("h2", 6, 90), "nginx", ["note"]),
], ids=["none", "h1", "few days", "apache h2", "hidden h2", "nginx h2", "narrow h2"])  # fmt: skip
def test_offered(shaken: tls_checks.Handshake | None, proxy: str, levels: list[str]) -> None:
    """HTTP/2 is a finding for Apache alone; a certificate that expires soon is reported."""
    assert [finding.level for finding in tls_checks.offered(shaken, proxy)] == levels
