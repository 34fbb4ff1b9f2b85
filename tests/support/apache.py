"""A real Apache over the very files of deploy/apache, on free ports and in a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from commands.ports import free_port
from tests.support.eventually import eventually
from tests.support.neighbours import missing

FILES = Path(__file__).parents[2] / "deploy" / "apache"
MODULES = "/usr/lib/apache2/modules"
HOST = "app.example.com"


@dataclass(frozen=True, slots=True)
class Apache:
    """A running Apache: its port and its process."""

    process: asyncio.subprocess.Process
    port: int
    tls_port: int
    log: Path

    def url(self, path: str) -> str:
        """The address of a path of this site."""
        return f"http://127.0.0.1:{self.port}{path}"


def wanted(program: str, package: str) -> str:
    """Return the path of a program; without it the test is skipped, or failed where CI=true requires it."""
    # Debian keeps servers in /usr/sbin, which is not on everybody's path
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        missing(program, f"apt-get install {package}")
        raise AssertionError  # missing() has ended the test
    return path


def write_site(folder: Path, defines: Mapping[str, str], files: Path = FILES) -> Path:
    """The main file of a server over a copy of `files`: the given values, then httpd.conf."""
    folder.chmod(0o755)  # its children run as www-data, who must be able to read it
    shutil.copytree(files, folder / "files")
    values = {
        "PI_RUN": str(folder), "PI_LOG": str(folder / "error.log"), "PI_MODULES": MODULES,
        "PI_USER": "www-data" if os.getuid() == 0 else getpass.getuser(),
        "PI_APACHE": str(folder / "files"), "PI_HOST": HOST,
    } | dict(defines)  # fmt: skip
    main = folder / "main.conf"
    lines = [f'Define {name} "{value}"' if value else f"Define {name}" for name, value in values.items()]
    main.write_text("\n".join([*lines, f"Include {folder / 'files' / 'httpd.conf'}", ""]))
    return main


@contextlib.asynccontextmanager
async def apache(defines: Mapping[str, str], tls: bool = False, files: Path = FILES) -> AsyncIterator[Apache]:
    """Apache serving the site until left; `defines` are the variables of variables.conf."""
    program = wanted("apache2", "apache2")
    port, tls_port = free_port(), free_port()
    values = {"PI_PORT": str(port), "PI_LISTEN": f"127.0.0.1:{port}"} | dict(defines)
    with tempfile.TemporaryDirectory(prefix="pi-apache-") as name:
        folder = Path(name)
        if tls:
            certificate, key = self_signed(folder)
            values |= {"PI_TLS": "", "PI_TLS_PORT": str(tls_port), "PI_TLS_LISTEN": f"127.0.0.1:{tls_port}",
                       "PI_CERTIFICATE": str(certificate), "PI_CERTIFICATE_KEY": str(key)}  # fmt: skip
        main = write_site(folder, values, files)
        process = await asyncio.create_subprocess_exec(
            program, "-d", name, "-f", str(main), "-DFOREGROUND", start_new_session=True
        )
        try:
            await eventually(lambda: process.returncode is not None or listening(port), within=10)
            assert process.returncode is None, "apache2 refused its files; see stderr"
            yield Apache(process, port, tls_port, folder / "error.log")
        finally:
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Stop it with its children; those that hold a silent stream would take ten seconds to go."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def listening(port: int) -> bool:
    """Return True if a program accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A throw-away certificate for the site's name, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", f"/CN={HOST}", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def browser_session() -> aiohttp.ClientSession:
    """A client without a connection limit that accepts the throw-away certificate and calls the site by its name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=context), headers={"Host": HOST})
