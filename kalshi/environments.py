"""Environments of the exchange by base URL: real money, demo money or a simulator, and the socket URL."""

import ipaddress
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

# The recommended hosts keep their sockets elsewhere, all others on the same host (Kalshi docs: api_environments).
_SOCKETS: Final = {
    "external-api.kalshi.com": "external-api-ws.kalshi.com",
    "external-api.demo.kalshi.co": "external-api-ws.demo.kalshi.co",
}


def is_simulated(api_url: str) -> bool:
    """Return True if the exchange runs on this machine."""
    return is_loopback(urlsplit(api_url).hostname or "")


def is_loopback(host: str) -> bool:
    """Return True for a name or address of this machine that no other machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def mode_of(api_url: str) -> Literal["live", "demo"]:
    """Return demo for the exchange's demo hosts and for a simulator, else live: an unknown host may move money."""
    host = urlsplit(api_url).hostname or ""
    return "demo" if is_simulated(api_url) or host.startswith("demo-") or ".demo." in host else "live"


def socket_url(api_url: str) -> str:
    parts = urlsplit(api_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    path = parts.path.rstrip("/").removesuffix("/v2") + "/ws/v2"
    return urlunsplit((scheme, _SOCKETS.get(parts.netloc, parts.netloc), path, "", ""))
