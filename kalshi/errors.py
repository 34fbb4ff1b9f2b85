"""Errors of the exchange client, without key, signature or header. After a transient one the same read may succeed."""

from typing import Any


def printable(text: str, most: int = 500) -> str:
    """Return the text on one line, at most so many characters; control characters and line breaks become spaces."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * most]).split())[:most]


class KalshiError(Exception):
    """A call to the exchange failed; the message has the failure, its place, and what to do, on one printable line."""

    transient = False
    retry_after: float | None = None  # seconds after which asking again makes sense, where that is known

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(printable(message))
        self.retry_after = self.retry_after if retry_after is None else retry_after


class NotConfigured(KalshiError):
    """The call needs settings that are not set; `missing` names them."""

    missing = ("KALSHI_API_KEY", "KALSHI_RSA_KEY_PATH")

    def __init__(self) -> None:
        super().__init__(f"account data needs {' and '.join(self.missing)}; set them")


class KeyUnusable(KalshiError):
    """The private key cannot sign; the message gives the reason and never the key."""


class Unreachable(KalshiError):
    """No answer came. A write may have arrived: read its result before it is repeated."""

    transient = True


class CircuitOpen(KalshiError):
    """Several calls failed in a row, so no call is made for retry_after seconds."""

    transient = True

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(f"exchange circuit open for {retry_after:.1f} s: {reason}", retry_after)


class Busy(KalshiError):
    """The token budget has no room within the time that this call may wait."""

    transient = True


class BadAnswer(KalshiError):
    """The answer is not readable JSON."""

    transient = True


class FieldError(BadAnswer):
    """A required field is missing, renamed or of another type: the API and this program disagree."""

    transient = False

    def __init__(self, endpoint: str, field: str, problem: str) -> None:
        super().__init__(f"{endpoint}: field {field!r} {problem}")
        self.endpoint, self.field = endpoint, field


class Refused(KalshiError):
    """The exchange answered with an error status. code, details: its own words, "" for none. body: its JSON or None."""

    def __init__(self, where: str, status: int, code: str = "", message: str = "", details: str = "", body: Any = None):
        words = ": ".join(word for word in (code, message if message != code else "", details) if word)
        super().__init__(f"{where}: HTTP {status} {words or 'without a reason'}")
        self.status, self.code, self.details, self.body = status, printable(code), printable(details), body


class BadRequest(Refused):
    """400: the exchange refuses a parameter or an order."""


class NotAllowed(Refused):
    """401 or 403: unknown key, wrong signature, missing scope, another subaccount."""


class ClockSkew(NotAllowed):
    """The signature's time is too far from the exchange's clock; a slow connection has the same effect."""

    transient = True


class NotFound(Refused):
    """404: no such market or order."""


class Conflict(Refused):
    """409: the client_order_id was used before."""


class RateLimited(Refused):
    """429: the exchange's bucket is empty; the answer does not contain the time until it has room again."""

    transient = True
    retry_after = 1.0


class ExchangeFault(Refused):
    """5xx: a fault of the exchange."""

    transient = True
