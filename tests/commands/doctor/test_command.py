"""The command line, and its word for addresses where no service of ours is."""

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

from commands.doctor import address, main, run
from commands.ports import free_port
from tests.support.apache import self_signed
from tests.support.server import ROOT, running_server


@pytest.mark.parametrize("text", ["", "app.example.com", "ftp://h/", "http://", "http://h:99999/", "http://[/"])
def test_an_address_that_is_no_url(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped address is a mistake of the command line, reported without a traceback."""
    with pytest.raises(SystemExit) as left:
        main([text])
    assert left.value.code == 2
    assert "argument url" in capsys.readouterr().err


def test_address() -> None:
    """Slashes at the end, query and fragment do not count."""
    assert str(address("http://h:8000/api/python/?x=1#y")) == "http://h:8000/api/python"


def test_a_closed_port(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 and one plain line."""
    assert main([f"http://127.0.0.1:{free_port()}/api/python"]) == 1
    assert "wrong reach: nothing answers at 127.0.0.1 port" in capsys.readouterr().out


def test_no_such_host(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that does not resolve."""
    assert main(["http://prediction-investor.invalid/api/python"]) == 1
    assert "wrong reach: no host is named prediction-investor.invalid" in capsys.readouterr().out


@contextlib.asynccontextmanager
async def stranger(says: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Return a server that sends the same bytes to every client."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.read(65536):
                writer.write(says)
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(body: bytes, head: bytes = b"") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(("says", "word"), [
    (b"", "closed without an answer"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
    (http(b"<html>Welcome to nginx!"), "not this service"),
    (http(b"{"), "not this service"),
    (http(b"[" * 100_000), "not this service"),
    (http(b"\xff\xfe"), "not this service"),
    (http(b'{"parts": {}}'), "not this service"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", "wrong reach: "),
], ids=["hangs up", "ssh", "html", "half json", "deep json", "bytes", "other json", "half an answer"])  # fmt: skip
async def test_another_program_on_the_port(says: bytes, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Any other program on the port is one finding."""
    async with stranger(says) as there:
        findings = await run(URL(f"http://{there}/api/python"), {})
    assert [finding.name for finding in findings] == ["reach"]
    assert word in capsys.readouterr().out


async def test_an_untrusted_certificate(tmp_path: Path) -> None:
    """Refused, and the message names --insecure; with it the examination goes on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    async with stranger(http(b"hello"), context) as there:
        (found,) = await run(URL(f"https://{there}/api/python"), {})
        assert "--insecure" in found.words
        (found,) = await run(URL(f"https://{there}/api/python"), {}, insecure=True)
        assert "not this service" in found.words
    async with stranger(http(b"hello")) as there:
        (found,) = await run(URL(f"https://{there}/api/python"), {})
        assert "does not speak TLS" in found.words


async def test_a_body_without_end_is_not_read_for_ever() -> None:
    """An endless answer is not of this service, and memory stays bounded."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except OSError:
            pass  # the reader has left
        finally:
            writer.close()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(5):
            (found,) = await run(URL(f"http://127.0.0.1:{port}/api/python"), {})
    assert "not this service" in found.words


def test_ctrl_c_prints_a_line_and_no_traceback() -> None:
    """Exit status 1 at once, also while a server keeps it waiting."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        doctor = subprocess.Popen(
            [sys.executable, str(ROOT / "server.py"), "doctor", f"http://127.0.0.1:{port}/api/python"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            # A test run in the background of a shell is deaf to it, and its children would be too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        mute.settimeout(10)
        line, _ = mute.accept()
        doctor.send_signal(signal.SIGINT)
        output, _ = doctor.communicate(timeout=5)
        line.close()
    assert doctor.returncode == 1
    assert "stopped before the end" in output
    assert "Traceback" not in output


async def test_a_rate_limit_is_no_fault(tmp_path: Path) -> None:
    """Refused requests are counted in a note and are not a fault."""
    with running_server(tmp_path, RATE_LIMIT="3") as server:
        findings = await run(URL(server.base), {}, streams=2)
    assert [finding.words for finding in findings if finding.level == "wrong"] == []
    limited = [finding.words for finding in findings if finding.name == "rate limit"]
    assert "were refused by RATE_LIMIT" in limited[-1], limited
