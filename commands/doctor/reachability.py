"""Checks of the address: the service itself answers there, and its state."""

from collections.abc import Iterator
from typing import Any

from yarl import URL

from commands.doctor.findings import Diagnosis, note, well, wrong
from commands.doctor.probe import ProbedPage
from routes.context import PREFIX
from routes.health import HEALTHY

OURS = f"{PREFIX}/docs#"  # how the type of every problem of ours begins
AWAY = (502, 503, 504)


def problem(page: ProbedPage) -> dict[str, Any]:
    """Return the problem of our service in an answer; empty for any other answer."""
    body = page.json
    ours = page.kind == "application/problem+json" and str(body.get("type", "")).startswith(OURS)
    return body if ours and "instance" in body else {}  # a proxy's imitation names no instance


def unreached(base: URL, health: ProbedPage, with_key: bool) -> Diagnosis | None:
    """Return the reason to stop the examination; None if this is the service. health: the answer of /health."""
    body, mine = health.json, problem(health)
    if health.status == 200 and isinstance(body.get("parts"), dict) and "journal" in body:
        return None
    if health.status == 0:
        return wrong("reach", health.text)
    if 300 <= health.status < 400:
        return wrong("reach", f"{base} sends visitors to {health.headers.get('location', '?')}: examine that address")
    if health.status == 401:
        return _stranger(health, with_key)
    if health.status == 429:
        return wrong("rate limit", "too many requests come from here: RATE_LIMIT refuses even the first look")
    if mine and mine["instance"].rstrip("/") != f"{PREFIX}/health":
        return wrong("prefix", f"the service is asked for {mine['instance']} and not for {PREFIX}/health")
    if health.status in AWAY:
        return wrong("away", f"somebody answers for the service, but it is not there: {health.shown}")
    hint = "" if base.path.endswith(PREFIX) else f"; the API usually begins at {base.with_path(PREFIX)}"
    return wrong("reach", f"what answers at {base}/health is not this service: {_described(health)}{hint}")


def _stranger(health: ProbedPage, with_key: bool) -> Diagnosis:
    challenge = health.headers.get("www-authenticate", "")
    if "prediction-investor" not in challenge:
        return wrong("token", f"somebody in front of the service asks for a login of its own: {challenge}")
    if with_key:
        return wrong("token", "the service does not accept this token or cookie")
    return wrong("token", "the service asks who you are: set API_TOKEN, or use --token-file or --cookie-file")


def _described(page: ProbedPage) -> str:
    beginning = " ".join(page.text.split())[:80]
    return f"{page.shown}, {page.kind or 'no type'}, {beginning!r}"


def state(health: ProbedPage) -> Iterator[Diagnosis]:
    """Report the state that the service gives."""
    body = health.json
    yield well("reach", f"version {body.get('version')} answers in {health.seconds * 1000:.0f} ms")
    ill = {
        name: part.get("reason") or part.get("state")
        for name, part in body["parts"].items()
        if isinstance(part, dict) and part.get("state") not in HEALTHY
    }
    warnings = body.get("warnings")
    reasons = [f"{name}: {why}" for name, why in ill.items()]
    reasons += [str(warning) for warning in warnings] if isinstance(warnings, list) else []
    yield note("health", "; ".join(reasons)) if reasons else well("health", str(body.get("status")))


def clock(health: ProbedPage, sent_at: float) -> Diagnosis:
    """Compare the service's clock with ours. sent_at: our time in the middle of the request."""
    there = health.json.get("as_of")
    if not isinstance(there, int | float):
        return note("clock", "the service does not say what time it has")
    off = abs(sent_at - there)
    return well("clock", f"within {off:.1f} s of ours") if off < 5 else wrong("clock", f"{off:.0f} s away from ours")
