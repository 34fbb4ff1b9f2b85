"""Client addresses as the service sees them, and forged headers."""

from typing import Any

import pytest
from yarl import URL

from commands.doctor.proxy_checks import ForwardedView, forwarding, is_local, seen
from tests.support.evidence import page, wrong

BASE = URL("https://app.example.com/api/python")


def view(link: str = "https://app.example.com/api/python/health", network: str = "198.51.100.0/24") -> ForwardedView:
    """The view of a request by the service."""
    return ForwardedView(URL(link), network)


HTTP = "http://app.example.com/api/python/health"


@pytest.mark.parametrize(("plain", "lied", "forged", "expected"), [
    (view(), view(), view(), set()),
    (view("https://APP.example.com:443/x"), view(), view(), set()),
    (view("https://127.0.0.1:8000/x"), view(), view(), {"host"}),
    (view("https://app.example.com:8443/x"), view(), view(), {"host"}),
    (view(HTTP), view(HTTP), view(HTTP), {"scheme"}),
    (view(), view(HTTP), view(), {"scheme"}),
    (view(), view(), view(network="203.0.113.0/24"), {"forged address"}),
    (view(network="127.0.0.0/24"), view(), view(), {"address"}),
    (view(network="::/48"), view(), view(), {"address"}),
], ids=[
    "right", "default port", "backend host", "other port", "scheme", "scheme believed", "address believed",
    "loopback", "loopback v6",
])  # fmt: skip
def test_forwarding(plain: ForwardedView, lied: ForwardedView, forged: ForwardedView, expected: set[str]) -> None:
    """Host, scheme and address are the connection's own, whatever a visitor claims."""
    assert wrong(forwarding(BASE, plain, lied, forged, direct=False)) == expected


def test_forwarding_without_a_proxy() -> None:
    """On its own machine the service trusts forwarded headers, as it must."""
    base, here = URL("http://127.0.0.1:8000/api/python"), "http://127.0.0.1:8000/api/python/health"
    answers_ = (
        view(here, "127.0.0.0/24"),
        view("https://127.0.0.1:8000/x"),
        view(here, "203.0.113.0/24"),
    )
    assert wrong(forwarding(base, *answers_, direct=True)) == set()
    assert wrong(forwarding(base, *answers_, direct=False)) == {"scheme", "forged address"}


@pytest.mark.parametrize("body", ["<html>", [], {}, {"links": 1}, {"links": {}}, {"links": {"health": "http://["}}])
def test_an_index_without_links(body: Any) -> None:
    """No links: not checked, and no traceback."""
    assert seen(page(200, body)) is None
    assert [f.level for f in forwarding(BASE, seen(page(200, body)), None, None, direct=False)] == ["note"]


@pytest.mark.parametrize(("url", "expected"), [
    ("http://127.0.0.1/", True), ("http://[::1]/", True), ("http://localhost/", True), ("http://192.0.2.1/", False),
    ("https://app.example.com/", False),
])  # fmt: skip
def test_local(url: str, expected: bool) -> None:
    """URLs that name the machine itself."""
    assert is_local(URL(url)) is expected
