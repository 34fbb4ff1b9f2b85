"""Whether the service knows how it is reached from outside, and whether a visitor can lie about it."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yarl import URL

from commands.doctor.findings import Finding, note, well, wrong
from commands.doctor.probe import ProbedPage

FORGED: Final = "203.0.113.77"  # an address of the documentation range, that nobody has


@dataclass(frozen=True, slots=True)
class ForwardedView:
    """How the service saw a request, by its index: the URL of its own links, and the visitor's network."""

    link: URL
    network: str

    @property
    def is_loopback(self) -> bool:
        """Whether it took the visitor for somebody on its own machine."""
        return self.network.startswith(("127.", "::/", "local"))

    @property
    def is_forged(self) -> bool:
        """Whether it took the visitor for the one that we invented."""
        return self.network.startswith(FORGED.rpartition(".")[0])


def seen(index: ProbedPage) -> ForwardedView | None:
    """What GET / tells; None when it tells nothing."""
    links = index.json.get("links")
    try:
        link = URL(str(links["health"])) if isinstance(links, Mapping) else URL()
    except (KeyError, ValueError):
        return None
    return ForwardedView(link, str(index.json.get("network", ""))) if link.host else None


def forwarding(
    base: URL, told: ForwardedView | None, otherwise: ForwardedView | None, forged: ForwardedView | None, direct: bool
) -> Iterator[Finding]:
    """Judge three answers of GET /: asked plainly, with the other scheme claimed, with a forged address.

    direct: no proxy is in sight and we are on the service's own machine, which it believes.
    """
    if told is None or otherwise is None or forged is None:
        yield note("forwarding", "the index did not tell its links: not judged")
        return
    faults = list(_faults(base, told, otherwise, forged, direct))
    yield from faults or [well("forwarding", f"host, scheme and address are the connection's; you are {told.network}")]


def _faults(
    base: URL, told: ForwardedView, otherwise: ForwardedView, forged: ForwardedView, direct: bool
) -> Iterator[Finding]:
    if _place(told.link) != _place(base):
        yield wrong("host", f"links point to {told.link.authority} and not to {base.authority}")
    if told.link.scheme != base.scheme:
        yield wrong("scheme", f"links say {told.link.scheme}:// though visitors come by {base.scheme}://")
    elif otherwise.link.scheme != base.scheme and not direct:
        yield wrong("scheme", f"a visitor who says X-Forwarded-Proto: {otherwise.link.scheme} is believed")
    if forged.is_forged and not direct:
        yield wrong("forged address", "a visitor who says X-Forwarded-For is believed: addresses can be invented")
    if told.is_loopback and not is_local(base):
        yield wrong("address", f"every visitor is taken for the proxy: you are said to come from {told.network}")


def _place(url: URL) -> tuple[str | None, int | None]:
    return url.raw_host, None if url.is_default_port() else url.explicit_port


def is_local(url: URL) -> bool:
    """Whether the URL names the machine itself."""
    try:
        return ipaddress.ip_address(url.host or "").is_loopback
    except ValueError:
        return url.host == "localhost"
