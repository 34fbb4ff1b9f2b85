"""Problems without a server: what their members are."""

import json

import pytest

from routes.problems import Problem, render


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/api/python/markets/KXHIGHNY-26NOV22-T50", "/api/python/markets/KXHIGHNY-26NOV22-T50"),
        ("/api/python/markets/a b", "/api/python/markets/a%20b"),
        ("/api/python/markets/A\nB", "/api/python/markets/A%0AB"),
        ('/api/python/markets/50%?#"<é>', "/api/python/markets/50%25%3F%23%22%3C%C3%A9%3E"),
        ("//evil.example/x", "/evil.example/x"),
        ("", "/"),
    ],
)
def test_the_instance_is_a_uri_reference(path: str, instance: str) -> None:
    """Percent-encoded as RFC 9457 requires, and never a reference to another host."""
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    assert json.loads(bytes(render(Problem(404, "not there"), scope).body))["instance"] == instance
