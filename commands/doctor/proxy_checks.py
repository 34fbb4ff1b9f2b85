"""Checks of forwarded headers: the service uses its public address, and clients cannot forge theirs."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yarl import URL

from commands.doctor.findings import Diagnosis, note, well, wrong
from commands.doctor.probe import ProbedPage

FORGED: Final = "203.0.113.77"  # an address of the documentation range, used by no host


@dataclass(frozen=True, slots=True)
class ForwardedView:
    """A request as the service saw it, by its index: the URL of its links, and the client's network."""

    link: URL
    network: str

    @property
    def is_loopback(self) -> bool:
        """Return True if it took the client for one on its own machine."""
        return self.network.startswith(("127.", "::/", "local"))

    @property
    def is_forged(self) -> bool:
        """Return True if it took the client for the forged one."""
        return self.network.startswith(FORGED.rpartition(".")[0])


def seen(index: ProbedPage) -> ForwardedView | None:
    """Return the view in an answer of GET /; None without one."""
    links = index.json.get("links")
    try:
        link = URL(str(links["health"])) if isinstance(links, Mapping) else URL()
    except (KeyError, ValueError):
        return None
    return ForwardedView(link, str(index.json.get("network", ""))) if link.host else None


def forwarding(
    base: URL, plain: ForwardedView | None, otherwise: ForwardedView | None, forged: ForwardedView | None, direct: bool
) -> Iterator[Diagnosis]:
    """Check three answers of GET /: plain, with the other scheme claimed, with a forged address.

    direct: no proxy was found and the doctor runs on the service's own machine, whose headers it trusts.
    """
    if plain is None or otherwise is None or forged is None:
        yield note("forwarding", "the index did not tell its links: not judged")
        return
    faults = list(_faults(base, plain, otherwise, forged, direct))
    yield from faults or [well("forwarding", f"host, scheme and address are the connection's; you are {plain.network}")]


def _faults(
    base: URL, plain: ForwardedView, otherwise: ForwardedView, forged: ForwardedView, direct: bool
) -> Iterator[Diagnosis]:
    if _place(plain.link) != _place(base):
        yield wrong("host", f"links point to {plain.link.authority} and not to {base.authority}")
    if plain.link.scheme != base.scheme:
        yield wrong("scheme", f"links say {plain.link.scheme}:// though visitors come by {base.scheme}://")
    elif otherwise.link.scheme != base.scheme and not direct:
        yield wrong("scheme", f"a visitor who says X-Forwarded-Proto: {otherwise.link.scheme} is believed")
    if forged.is_forged and not direct:
        yield wrong("forged address", "a visitor who says X-Forwarded-For is believed: addresses can be invented")
    if plain.is_loopback and not is_local(base):
        yield wrong("address", f"every visitor is taken for the proxy: you are said to come from {plain.network}")


def _place(url: URL) -> tuple[str | None, int | None]:
    return url.raw_host, None if url.is_default_port() else url.explicit_port


def is_local(url: URL) -> bool:
    """Return True if the URL names this machine."""
    try:
        return ipaddress.ip_address(url.host or "").is_loopback
    except ValueError:
        return url.host == "localhost"
