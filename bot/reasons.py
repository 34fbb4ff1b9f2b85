"""Reasons: one short word or two for each thing that keeps the bot from trading, from errors of the exchange.

They appear in /status (`reason`, `refusals`), in /decisions and in the log.
"""

import re

from kalshi import errors

NO_CASH = "no cash"
WRONG_SHARD = "wrong shard"
SCOPE = "scope"
ATTESTATION = "attestation"
KEY = "key"
CLOCK = "clock"
PRICE = "price"
SIZE = "size"
POST_ONLY = "post only"
ORDER_GROUP = "order group"
MARKET_CLOSED = "market closed"
UNKNOWN_MARKET = "unknown market"
RATE_LIMITED = "rate limited"
EXCHANGE_PAUSED = "exchange paused"
MAINTENANCE = "maintenance"
EXCHANGE_FAULT = "exchange fault"
UNREACHABLE = "exchange unreachable"
UNREADABLE = "unreadable answer"
BLOCKED = "blocked"
DUPLICATE = "client order id"
STARTING = "starting"
LATE_DATA = "late account data"
OTHER = "other"

ACCOUNT_WIDE = frozenset({NO_CASH, SCOPE, ATTESTATION, KEY, CLOCK, RATE_LIMITED, EXCHANGE_PAUSED, MAINTENANCE, BLOCKED})
"""Reasons that concern every market of the account alike."""

# The exchange's codes and messages, the first pattern that matches decides (Kalshi docs: errors; recorded answers).
_WORDS: tuple[tuple[str, str], ...] = (
    (r"post only", POST_ONLY),
    (r"order.?group", ORDER_GROUP),
    (r"maintenance", MAINTENANCE),
    (r"too.?many.?requests|rate.?limit", RATE_LIMITED),
    (r"header.?timestamp|timestamp.?(expired|too.?old|in.?(the.?)?future)", CLOCK),
    (r"market.{0,9}(inactive|not.?(active|open)|closed|paused|halted|determined|settled|finalized)", MARKET_CLOSED),
    (r"paused|trading.?halt|(exchange|trading).{0,4}(inactive|not.?active|closed)", EXCHANGE_PAUSED),
    (r"shard|exchange.?index", WRONG_SHARD),
    (r"insufficient.?(balance|funds|cash|collateral|margin)", NO_CASH),
    (r"balance.?too.?low|not.?enough.?(cash|balance|funds)", NO_CASH),
    (r"attest|\bregion|\blocation|\bgeo", ATTESTATION),
    (r"scope|permission|subaccount", SCOPE),
    (r"invalid.?price|\bprice", PRICE),
    (r"already.?exists|client.?order.?id", DUPLICATE),
    (r"order.?size|invalid.?(count|size)|\bcount\b|quantity|position.?limit", SIZE),
    (r"(market|ticker).?not.?found|(invalid|unknown).?(market|ticker)", UNKNOWN_MARKET),
)
_NOT_OF_A_KEY = frozenset({POST_ONLY, ORDER_GROUP, MARKET_CLOSED, WRONG_SHARD, NO_CASH, PRICE, DUPLICATE, SIZE})
"""Reasons that 401 and 403 never have, whatever their words contain."""


def reason_of(error: errors.KalshiError) -> str:
    """Return the reason for an error of the exchange client."""
    match error:
        case errors.ClockSkew():
            return CLOCK
        case errors.RateLimited() | errors.Busy():
            return RATE_LIMITED
        case errors.NotConfigured() | errors.KeyUnusable():
            return KEY
        case errors.Refused():
            return _refused(error)
        case errors.CircuitOpen():
            return _behind_circuit(str(error))
        case errors.BadAnswer():
            return UNREADABLE
    return UNREACHABLE


def _refused(error: errors.Refused) -> str:
    status, text = error.status, str(error)
    words = text.partition(f"HTTP {status}")[2].lower()
    if status >= 500:
        return _faulty(status, words)
    if status in (401, 403):
        return _not_allowed(error, words)
    if found := _by_words(words):
        return found
    if status == 404 and not text.startswith("POST /portfolio/events/orders:"):
        return "HTTP 404"  # a path that does not exist, not a market
    known = {400: OTHER, 402: NO_CASH, 404: UNKNOWN_MARKET, 409: DUPLICATE, 451: ATTESTATION}
    return known.get(status, f"HTTP {status}")


def _faulty(status: int, words: str) -> str:
    return MAINTENANCE if status == 503 or "maintenance" in words else EXCHANGE_FAULT


def _not_allowed(error: errors.Refused, words: str) -> str:
    """Return the reason of 401 and 403; a 403 without JSON comes from a proxy or a firewall in between."""
    found = _by_words(words)
    if found and found not in _NOT_OF_A_KEY:
        return found
    if error.status == 401:
        return KEY
    return BLOCKED if error.body is None else SCOPE


def _by_words(words: str) -> str:
    return next((reason for pattern, reason in _WORDS if re.search(pattern, words)), "")


def _behind_circuit(text: str) -> str:
    """Return the reason of the failure that opened the circuit."""
    if status := re.search(r"HTTP (5\d\d)", text):
        return _faulty(int(status[1]), text.lower())
    return UNREADABLE if re.search(r"no JSON|a redirect|: field '|is larger than", text) else UNREACHABLE
