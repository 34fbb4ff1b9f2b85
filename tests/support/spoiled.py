"""Apache sites that are wrong on purpose, each in one way that is met in the field: what a doctor must find."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.apache import FILES

SITE, SERVER, MAIN = "prediction-investor.conf", "server.conf", "httpd.conf"


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A fault of a configuration: its diagnosis, and the change that causes it."""

    fault: str
    edits: tuple[tuple[str, str, str], ...]  # file, what stands there, what stands there now
    tls: bool = False
    defines: Mapping[str, str] = field(default_factory=dict)

    def files(self, folder: Path) -> Path:
        """A copy of deploy/apache in folder with this fault."""
        copy = folder / "spoiled"
        shutil.copytree(FILES, copy)
        for name, good, bad in self.edits:
            text = (copy / name).read_text()
            assert good in text, f"{name} no longer says {good!r}: mend this fault"
            (copy / name).write_text(text.replace(good, bad))
        return copy


def _loaded(module: str) -> tuple[str, str, str]:
    line = "LoadModule env_module"
    return MAIN, line, f"LoadModule {module}_module ${{PI_MODULES}}/mod_{module}.so\n{line}"


_STANDBY = '"/prediction-investor-down/stream.asis"'
_UNSET = "RequestHeader unset X-Forwarded-For early"
_NO_GZIP = "    SetEnv no-gzip 1\n"

SPOILED: Mapping[str, Spoiled] = {
    # an external filter that writes only when it has a block full, as many programs do into a pipe
    "buffered": Spoiled(
        "events are held back",
        (
            _loaded("ext_filter"),
            (SITE, "RewriteEngine On\n", 'ExtFilterDefine hold cmd="/bin/sed s/a/a/"\nRewriteEngine On\n'),
            (SITE, _NO_GZIP, _NO_GZIP + "    SetOutputFilter hold\n"),
        ),
    ),
    "compressed": Spoiled("streams are compressed", ((SITE, _NO_GZIP, "    SetOutputFilter DEFLATE\n"),)),
    "cut": Spoiled("idle streams are cut before the next ping", ((SITE, "timeout=45", "timeout=2"),)),
    "http2": Spoiled(
        "HTTP/2: six streams block the page", (_loaded("http2"), (SITE, "Protocols http/1.1", "Protocols h2 http/1.1"),
         ("refuse.conf", "ServerName refused.invalid", "ServerName refused.invalid\nProtocols h2 http/1.1")),
        tls=True,
    ),
    "503": Spoiled(
        "a stream URL answers 503 while the service is away",
        tuple((SITE, f"    ErrorDocument {code} {_STANDBY}\n", "") for code in (502, 503)),
    ),
    "full": Spoiled(
        "a stream over the cap is answered 503",
        tuple((SITE, f"    ErrorDocument {code} {_STANDBY}\n", "") for code in (502, 503)),
        defines={"PI_STREAMS_PER_CHILD": "2"},
    ),
    "starved": Spoiled(
        "streams take every thread",
        (
            (SITE, "max=${PI_STREAMS_PER_CHILD} acquire=1 ", ""),
            (SERVER, "ServerLimit             8", "ServerLimit             1"),
            (SERVER, "StartServers            8", "StartServers            1"),
            (SERVER, "ThreadsPerChild         400", "ThreadsPerChild         10"),
            (SERVER, "MaxRequestWorkers       3200", "MaxRequestWorkers       10"),
            (SERVER, "MinSpareThreads         100", "MinSpareThreads         1"),
            (SERVER, "MaxSpareThreads         3200", "MaxSpareThreads         10"),
        ),
    ),
    "forged": Spoiled(
        "forwarded headers of clients are believed", ((SITE, _UNSET, ""),)
    ),
    "scheme": Spoiled(
        "the service is not told of TLS",
        ((SITE, 'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"\n', ""),), tls=True,
    ),
    "host": Spoiled(
        "the service does not see its public name", ((SITE, "ProxyPreserveHost On", "ProxyPreserveHost Off"),)
    ),
    "etag": Spoiled("304 is lost to compression", ((SITE, "DeflateAlterETag NoChange", "DeflateAlterETag AddSuffix"),)),
    "open": Spoiled(
        "/metrics is open to the outside",
        (
            (SITE, "Require ip ${PI_OPERATORS}", "Require all granted"),
            # visitors seem to come from elsewhere: to its own machine everything may be open
            (SITE, _UNSET, 'RequestHeader set X-Forwarded-For "198.51.100.7" early'),
        ),
        defines={"PI_OPERATORS": "192.0.2.1"},
    ),
    "stripped": Spoiled(
        "the prefix is taken away", ((SITE, '"balancer://pi-rest/api/python"', '"balancer://pi-rest"'),)
    ),
}  # fmt: skip
