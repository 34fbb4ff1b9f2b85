"""Checks of a TLS connection: HTTP version, its limit of streams, days until the certificate expires."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from yarl import URL

from commands.doctor.findings import Diagnosis, note, well, wrong

# RFC 9113: the connection preface, then an empty SETTINGS frame
HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS, MAX_STREAMS = 4, 3
FEW_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Handshake:
    """version: h2 or http/1.1. streams: how many HTTP/2 announces for a connection, None for no limit."""

    version: str
    streams: int | None
    days: float  # until the certificate expires


async def handshake(url: URL, limit: float = 4.0) -> Handshake | None:
    """Offer HTTP/2 and HTTP/1.1 as a browser does; return None if it fails."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # identity is judged where answers are read
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_connection(url.raw_host, url.port, ssl=context)
            try:
                return await _read(reader, writer)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError):  # TimeoutError is an OSError
        return None


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Handshake:
    shaken = writer.get_extra_info("ssl_object")
    until = x509.load_der_x509_certificate(shaken.getpeercert(binary_form=True)).not_valid_after_utc
    days = (until - datetime.datetime.now(datetime.UTC)).total_seconds() / 86400
    version = shaken.selected_alpn_protocol() or "http/1.1"
    if version != "h2":
        return Handshake(version, None, days)
    writer.write(HELLO)
    head = await reader.readexactly(9)
    body = await reader.readexactly(int.from_bytes(head[:3]))
    return Handshake(version, announced(body) if head[3] == SETTINGS else None, days)


def announced(settings: bytes) -> int | None:
    """Return the number of streams in the body of a SETTINGS frame: pairs of two bytes and four."""
    for at in range(0, len(settings) - 5, 6):
        if int.from_bytes(settings[at : at + 2]) == MAX_STREAMS:
            return int.from_bytes(settings[at + 2 : at + 6])
    return None


def offered(shaken: Handshake | None, proxy: str) -> Iterator[Diagnosis]:
    """Check a handshake; None for plain HTTP or a failed one. proxy: name of the proxy in front."""
    if shaken is None or shaken.version != "h2":
        yield well(
            "http version", "HTTP/1.1: a browser opens six connections, and each stream takes one: let tabs share"
        )
    elif not proxy or "apache" in proxy.lower():
        announced = "any number of" if shaken.streams is None else shaken.streams
        yield wrong(
            "http version",
            f"browsers get HTTP/2, where Apache announces {announced} streams, runs six, and blocks REST",
        )
    elif shaken.streams is not None and shaken.streams < 20:
        yield note(
            "http version", f"HTTP/2, with only {shaken.streams} requests at once on a connection, streams included"
        )
    else:
        yield well(
            "http version", f"HTTP/2 by {proxy}, {shaken.streams or 'unlimited'} requests at once on a connection"
        )
    if shaken is not None and shaken.days < FEW_DAYS:
        yield note("certificate", f"it expires in {shaken.days:.0f} days")
