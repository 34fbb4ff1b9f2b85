"""A request that the exchange refuses: its status and one of the four body shapes that Kalshi uses."""

from typing import Any


class Refusal(Exception):
    """Raised by rules and handlers, answered by the gate.

    status: of HTTP. body: the JSON as the exchange sends it (recorded demo server, Kalshi docs: errors).
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def refuse(status: int, code: str, details: str | None = None, message: str | None = None) -> Refusal:
    """The nested shape of the gateway and the exchange; the message is the code in plain words unless given."""
    error = {"code": code, "message": message or code.replace("_", " ")}
    return Refusal(status, {"error": error | ({"details": details} if details else {})})


def malformed(details: str) -> Refusal:
    """The flat shape, seen when the body does not decode: wrong JSON types, missing members."""
    return Refusal(400, {"code": "bad_request", "message": "bad request", "details": details})


def bad_parameter(name: str) -> Refusal:
    """The shape of query validation, such as limit=1001."""
    return Refusal(400, {"msg": f"Parameter validation failed for {name}"})


def too_many() -> Refusal:
    """The shape of the rate limit: error is a string, and there is no Retry-After (Kalshi docs: rate limits)."""
    return Refusal(429, {"error": "too many requests"})


def not_found(what: str | None = None) -> Refusal:
    """Unknown market, event or order; also an order that is no longer resting."""
    return refuse(404, "not_found", what)
