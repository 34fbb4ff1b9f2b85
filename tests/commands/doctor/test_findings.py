"""The lines to change: Apache accepts its own, and each proxy gets those of its kind."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.doctor.cures import APACHE, CADDY, HAPROXY, NGINX, PROXIES, cure, proxy_named
from tests.support.apache import wanted, write_site


def test_a_cure_is_short() -> None:
    """Lines for a file, none too long to read."""
    assert all(len(line) <= 120 for cure in APACHE.values() for line in cure.splitlines())


@pytest.mark.apache
def test_apache_takes_the_cures(tmp_path: Path) -> None:
    """All of them together in one site: apache2 -t accepts the syntax."""
    values = {"PI_LISTEN": "127.0.0.1:8080", "PI_PORT": "8080"}
    main = write_site(tmp_path, values)
    cures = "\n".join(APACHE.values())
    main.write_text(f"{main.read_text()}\n{cures}\n")
    command = [wanted("apache2", "apache2"), "-d", str(tmp_path), "-f", str(main), "-t"]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert seen.returncode == 0, seen.stderr


def _nginx(folder: Path) -> list[str]:
    outside = f"pid {folder}/pid; error_log {folder}/errors; events {{}} http {{ access_log off; {NGINX['any host']}"
    site = [NGINX[name] for name in ("compression", "stream refused", "json compression", "exposed", "hsts", "prefix")]
    place = [NGINX[name] for name in ("scheme", "host", "forged address", "buffering", "idle cut")]
    location = "\n".join(["location /x {", "proxy_pass http://127.0.0.1:9;", *place, "}"])
    (folder / "site").write_text("\n".join([outside, "server { listen 8098;", *site, location, "} }"]))
    return [wanted("nginx", "nginx-light"), "-t", "-c", str(folder / "site")]


def _caddy(folder: Path) -> list[str]:
    site = [CADDY[name] for name in ("compression", "buffering", "stream refused", "exposed", "hsts", "prefix")]
    (folder / "site").write_text("\n".join([":8099 {", *site, "}", ""]))
    return [wanted("caddy", "caddy"), "adapt", "--adapter", "caddyfile", "--config", str(folder / "site")]


def _haproxy(folder: Path) -> list[str]:
    front = [HAPROXY[name] for name in ("scheme", "any host", "forged address", "json compression", "exposed", "hsts")]
    lines = ["defaults", "mode http", "timeout connect 2s", HAPROXY["idle cut"], "frontend f", "bind 127.0.0.1:8097",
             *front, "default_backend b", "backend b", HAPROXY["buffering"], "server s 127.0.0.1:9", ""]  # fmt: skip
    (folder / "site").write_text("\n".join(lines))
    return [wanted("haproxy", "haproxy"), "-c", "-f", str(folder / "site")]


@pytest.mark.apache
@pytest.mark.parametrize("check", [_nginx, _caddy, _haproxy])
def test_each_other_proxy_takes_its_cures(tmp_path: Path, check: Callable[[Path], list[str]]) -> None:
    """The lines for nginx, Caddy and HAProxy are accepted by those programs, at the places that they are for."""
    seen = subprocess.run(check(tmp_path), capture_output=True, text=True, timeout=60)
    assert seen.returncode == 0, seen.stderr


@pytest.mark.parametrize(
    ("server", "proxy"),
    [
        ("Apache/2.4.71 (Debian)", "apache"), ("nginx/1.22.1", "nginx"), ("openresty", "openresty"), ("Caddy", "caddy"),
        ("1.1 haproxy", "haproxy"), ("", ""), ("cloudflare", ""),
    ],
)  # fmt: skip
def test_the_proxy_is_known_by_its_header(server: str, proxy: str) -> None:
    """The Server or Via header names it."""
    assert proxy_named(server) == proxy


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_site_gets_the_lines_of_its_own_proxy(proxy: str) -> None:
    """No Apache line is printed to a site behind another proxy without saying so."""
    for name, lines in APACHE.items():
        shown = cure(name, proxy)
        assert shown
        assert proxy == "apache" or lines not in shown or shown.startswith("#")
