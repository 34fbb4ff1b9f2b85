"""Refused requests: an HTTP status and one of the four error bodies that Kalshi uses."""

from typing import Any


class ApiError(Exception):
    """Raised by rules and handlers; the REST API turns it into a response.

    status: HTTP status. body: the JSON as the exchange sends it (recorded demo server; Kalshi docs: errors).
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def nested_error(status: int, code: str, details: str | None = None, message: str | None = None) -> ApiError:
    """Return an error in the nested shape of the gateway and the exchange.

    message: by default the code with spaces for underscores.
    """
    error = {"code": code, "message": message or code.replace("_", " ")}
    return ApiError(status, {"error": error | ({"details": details} if details else {})})


def malformed_body(details: str) -> ApiError:
    """Return an error in the flat shape: the body does not decode, has wrong JSON types or lacks members."""
    return ApiError(400, {"code": "bad_request", "message": "bad request", "details": details})


def bad_parameter(name: str) -> ApiError:
    """Return an error in the shape of query validation, such as for limit=1001."""
    return ApiError(400, {"msg": f"Parameter validation failed for {name}"})


def too_many_requests() -> ApiError:
    """Return the error of the rate limit: `error` is a string, no Retry-After follows (Kalshi docs: rate limits)."""
    return ApiError(429, {"error": "too many requests"})


def not_found(details: str | None = None) -> ApiError:
    """Return the error for an unknown market, event or order, and for an order that does not rest."""
    return nested_error(404, "not_found", details)
