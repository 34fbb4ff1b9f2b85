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
DUPLICATE = "client order id"
LATE_DATA = "late account data"
OTHER = "other"

ACCOUNT_WIDE = frozenset({NO_CASH, SCOPE, ATTESTATION, KEY, CLOCK, RATE_LIMITED, EXCHANGE_PAUSED, MAINTENANCE})
"""Reasons that concern every market of the account alike."""

# The exchange's codes and messages, the first pattern that matches decides (Kalshi docs: errors; recorded answers).
_WORDS: tuple[tuple[str, str], ...] = (
    (r"post only", POST_ONLY),
    (r"order.?group", ORDER_GROUP),
    (r"maintenance", MAINTENANCE),
    (r"paused|trading.?halt", EXCHANGE_PAUSED),
    (r"market.?inactive|market is not active|market.?closed", MARKET_CLOSED),
    (r"shard|exchange.?index", WRONG_SHARD),
    (r"insufficient.?(balance|funds|cash)|balance.?too.?low|not enough (cash|balance|funds)", NO_CASH),
    (r"attest|region|location|geograph", ATTESTATION),
    (r"scope|permission|subaccount", SCOPE),
    (r"invalid.?price|price", PRICE),
    (r"already.?exists|client.?order.?id", DUPLICATE),
    (r"order.?size|invalid.?(count|size)|count|quantity", SIZE),
)


def reason_of(error: errors.KalshiError) -> str:
    """Return the reason for an error of the exchange client."""
    if isinstance(error, errors.ClockSkew):
        return CLOCK
    if isinstance(error, errors.RateLimited | errors.Busy):
        return RATE_LIMITED
    if isinstance(error, errors.NotConfigured | errors.KeyUnusable):
        return KEY
    if isinstance(error, errors.Refused):
        return _refused(error)
    return UNREADABLE if isinstance(error, errors.BadAnswer) else UNREACHABLE


def _refused(error: errors.Refused) -> str:
    if error.status >= 500:
        return MAINTENANCE if error.status == 503 or "maintenance" in str(error).lower() else EXCHANGE_FAULT
    text = str(error).partition(f"HTTP {error.status}")[2].lower()
    for pattern, reason in _WORDS:
        if re.search(pattern, text):
            return reason
    return {401: KEY, 403: SCOPE, 404: UNKNOWN_MARKET, 409: DUPLICATE}.get(error.status, OTHER)
