"""The four proxies of deploy/, each a real one over the very files that ship, with this test's addresses in them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.ports import free_port
from tests.support.apache import apache, end, listening, wanted
from tests.support.eventually import eventually

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass(frozen=True, slots=True)
class Site:
    """Targets of a proxy: addresses as host:port, and the networks of the operators."""

    service: str
    spring: str
    operators: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy."""

    name: str
    port: int

    def url(self, path: str) -> str:
        """Return the address of a path of the site."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextlib.asynccontextmanager
async def proxy(name: str, site: Site) -> AsyncIterator[Proxy]:
    """The proxy of this name in front of a site, until left."""
    if name == "apache":
        values = {"PI_BACKEND": site.service, "PI_SPRING": site.spring, "PI_OPERATORS": site.operators}
        async with apache(values) as server:
            yield Proxy(name, server.port)
        return
    with tempfile.TemporaryDirectory(prefix=f"pi-{name}-") as home:
        folder, port = Path(home), free_port()
        command = COMMANDS[name](folder, port, site)
        environment = dict(os.environ) | {"XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "HOME": home}
        process = await asyncio.create_subprocess_exec(
            wanted(name, name), *command, cwd=folder, env=environment, start_new_session=True
        )
        try:
            await eventually(lambda: process.returncode is not None or listening(port), within=60)
            assert process.returncode is None, f"{name} refused its files; see stderr"
            yield Proxy(name, port)
        finally:
            await end(process)


def adapted(file: Path, changes: Mapping[str, str]) -> str:
    """Return a shipped file with these changes, each of which must be found."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, (file, old)
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, site: Site) -> Sequence[str]:
    """Write nginx's files; return its options."""
    folder.chmod(0o755)  # its workers are another user
    changes = {
        "127.0.0.1:8000": site.service, "127.0.0.1:8080": site.spring,
        "allow 127.0.0.1;": f"allow {site.operators};", "allow ::1;": "",
        "listen 80": f"listen 127.0.0.1:{port}",
    }  # fmt: skip
    (folder / "site.conf").write_text(adapted(DEPLOY / "nginx" / "prediction-investor.conf", changes))
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nworker_processes 2;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\naccess_log off;\n{places}include {folder}/site.conf;\n}}\n"
    )
    return ["-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def haproxy(folder: Path, port: int, site: Site) -> Sequence[str]:
    """Write HAProxy's files; return its options."""
    shutil.copytree(DEPLOY / "haproxy" / "prediction-investor", folder / "files")
    changes = {
        "127.0.0.1:8000": site.service, "127.0.0.1:8080": site.spring, "src 127.0.0.1 ::1": f"src {site.operators}",
        "bind :80": f"bind 127.0.0.1:{port}", "/etc/haproxy/prediction-investor": str(folder / "files"),
    }  # fmt: skip
    (folder / "haproxy.cfg").write_text(adapted(DEPLOY / "haproxy" / "haproxy.cfg", changes))
    return ["-db", "-f", str(folder / "haproxy.cfg")]


def caddy(folder: Path, port: int, site: Site) -> Sequence[str]:
    """Write Caddy's file; return its options."""
    changes = {
        "127.0.0.1:8000": site.service, "127.0.0.1:8080": site.spring,
        "remote_ip 127.0.0.1 ::1": f"remote_ip {site.operators}",
    }  # fmt: skip
    text = adapted(DEPLOY / "caddy" / "Caddyfile", changes)
    options = f"admin off\n\tdefault_bind 127.0.0.1\n\thttp_port {port}"
    (folder / "Caddyfile").write_text(text.replace("{\n\tservers", f"{{\n\t{options}\n\tservers", 1))
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


COMMANDS: Mapping[str, Callable[[Path, int, Site], Sequence[str]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "caddy": caddy,
}
PROXIES = ("apache", *COMMANDS)
