"""Addresses of the exchange: real or demo money, and the URL of the socket."""

import pytest

from kalshi.environments import is_simulated, mode_of, socket_url


@pytest.mark.parametrize(
    ("url", "mode", "socket"),
    [
        (
            "https://external-api.kalshi.com/trade-api/v2",
            "live",
            "wss://external-api-ws.kalshi.com/trade-api/ws/v2",
        ),
        (
            "https://external-api.demo.kalshi.co/trade-api/v2",
            "demo",
            "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2",
        ),
        ("https://demo-api.kalshi.co/trade-api/v2", "demo", "wss://demo-api.kalshi.co/trade-api/ws/v2"),
        ("https://democracy.example.com/trade-api/v2", "live", "wss://democracy.example.com/trade-api/ws/v2"),
        ("http://127.0.0.1:9500/trade-api/v2/", "demo", "ws://127.0.0.1:9500/trade-api/ws/v2"),
    ],
    ids=["production", "demo", "demo by its older name", "an unknown host with demo in its name", "a simulator"],
)
def test_environment_of_an_address(url: str, mode: str, socket: str) -> None:
    """A host that is not known as a demo counts as real money."""
    assert (mode_of(url), socket_url(url)) == (mode, socket)
    assert is_simulated(url) == ("127.0.0.1" in url)
