"""The program that answers at the address, and its state."""

import pytest
from yarl import URL

from commands.doctor import reachability
from commands.doctor.probe import ProbedPage
from tests.support.evidence import ours, page

BASE = URL("https://app.example.com/api/python")
WELL = {"parts": {}, "journal": {}, "status": "ok"}


@pytest.mark.parametrize(("health", "with_key", "name", "word"), [
    (page(200, WELL), False, None, ""),
    (page(200, "<html>"), False, "reach", "not this service"),
    (page(200, [1, 2]), False, "reach", "not this service"),
    (page(200, {"status": "UP"}), False, "reach", "not this service"),
    (page(404, "Not Found"), False, "reach", "HTTP 404"),
    (ProbedPage(0, {}, b"nothing answers at h port 1", 1), False, "reach", "nothing answers"),
    (page(308, "", location="https://x/"), False, "reach", "https://x/"),
    (page(401, {}, www_authenticate='Bearer realm="prediction-investor"'), False, "token", "--token-file"),
    (page(401, {}, www_authenticate='Bearer realm="prediction-investor"'), True, "token", "does not accept"),
    (page(401, "", www_authenticate='Basic realm="staff"'), False, "token", "login of its own"),
    (page(429, {}), False, "rate limit", "RATE_LIMIT"),
    (ours(404, "/health"), False, "prefix", "/health"),
    (ours(404, "/api/python/api/python/health"), False, "prefix", "/api/python/api/python/health"),
    (page(503, "<h1>down"), False, "away", "HTTP 503"),
    (page(502, {"status": 502}, content_type="application/problem+json"), False, "away", "HTTP 502"),
], ids=[
    "ours", "html", "a list", "other json", "404", "nothing", "redirect", "no token", "wrong token", "proxy login",
    "429", "stripped", "doubled", "503", "502",
])  # fmt: skip
def test_reach(health: ProbedPage, with_key: bool, name: str | None, word: str) -> None:
    """Any other program that answers in place of the service is named."""
    found = reachability.unreached(BASE, health, with_key)
    assert (found and found.name) == name
    assert found is None or word in found.words


def test_the_prefix_is_proposed_where_it_lacks() -> None:
    """A URL without the prefix gets the address that is probably meant."""
    found = reachability.unreached(URL("http://h:8000"), page(404, "no"), False)
    assert found is not None
    assert "http://h:8000/api/python" in found.words


def test_degraded_parts_are_reported() -> None:
    """A degraded part's reason and a warning are passed on."""
    parts = {"bot": {"state": "degraded", "reason": "refused"}, "feed": {"state": "ok"}, "odd": None}
    words = [
        f.words for f in reachability.state(page(200, {"parts": parts, "warnings": ["open to all"], "journal": {}}))
    ]
    assert words[1] == "bot: refused; open to all"


@pytest.mark.parametrize(("as_of", "level"), [
    (100.5, "ok"), (94.0, "wrong"), (130, "wrong"), (None, "note"), ("x", "note"),
])  # fmt: skip
def test_clock(as_of: object, level: str) -> None:
    """Five seconds are allowed, either way."""
    assert reachability.clock(page(200, {"as_of": as_of}), 100.0).level == level
