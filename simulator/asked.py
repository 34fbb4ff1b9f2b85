"""Order requests read from JSON: types as strict as the exchange's, numbers never in place of strings."""

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

from simulator.order import Force, NewOrder, SelfTrade, Side
from simulator.refusal import malformed, refuse
from simulator.units import read_count, read_price

SIDES: Final = get_args(Side)
FORCES: Final = get_args(Force)
SELF_TRADES: Final = get_args(SelfTrade)
END_OF_TIME: Final = 253_402_300_800
"""The year 10000, which has no RFC 3339 text."""


class Asked:
    """The members of one JSON object, each read once with its type."""

    def __init__(self, members: object) -> None:
        if not isinstance(members, dict):
            raise malformed("a JSON object was expected")
        self._members: Mapping[str, Any] = members

    @classmethod
    def decode(cls, body: bytes) -> "Asked":
        """Read a request's body."""
        try:
            return cls(json.loads(body or b"{}"))
        except (ValueError, RecursionError) as error:
            raise malformed("body is not JSON") from error

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string; required without a default."""
        value = self._members.get(name, default)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise malformed(f"{name}: a string was expected")
        return value

    def word(self, name: str, words: tuple[str, ...]) -> Any:
        """One of some words, required."""
        if (value := self.text(name)) not in words:
            raise malformed(f"{name}: one of {', '.join(words)} was expected")
        return value

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, bool):
            raise malformed(f"{name}: true or false was expected")
        return bool(value)

    def whole(self, name: str) -> int | None:
        """A whole number, or None when absent."""
        value = self._members.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise malformed(f"{name}: a whole number was expected")
        return value

    def price(self, name: str = "price") -> int:
        """A FixedPointDollars string on the finest grid."""
        price = read_price(self.text(name))
        if price is None:
            raise refuse(400, "invalid_price")
        return price

    def count(self, name: str = "count") -> int:
        """A FixedPointCount string in hundredths."""
        count = read_count(self.text(name))
        if count is None:
            raise refuse(400, "invalid_order_size")
        return count

    def items(self, name: str) -> list[object]:
        """A list, required."""
        value = self._members.get(name)
        if not isinstance(value, list):
            raise malformed(f"{name}: a list was expected")
        return value


def expiry(asked: Asked) -> float | None:
    """expiration_time in Unix seconds, None when absent."""
    seconds = asked.whole("expiration_time")
    if seconds is not None and not 0 <= seconds < END_OF_TIME:
        raise refuse(400, "invalid_order", "expiration_time is not a time in seconds")
    return None if seconds is None else float(seconds)


def new_order(asked: Asked) -> NewOrder:
    """A create request (Kalshi docs: create order V2)."""
    if asked.whole("subaccount"):
        raise refuse(403, "forbidden", "subaccount not found")
    if (asked.whole("exchange_index") or 0) > 0:
        raise refuse(400, "bad_request", "the market is not on that exchange index")
    expires = expiry(asked)
    return NewOrder(
        ticker=asked.text("ticker"),
        side=asked.word("side", SIDES),
        force=asked.word("time_in_force", FORCES),
        self_trade=asked.word("self_trade_prevention_type", SELF_TRADES),
        price=asked.price(),
        count=asked.count(),
        client_order_id=asked.text("client_order_id", ""),
        expires=expires,
        post_only=asked.flag("post_only"),
        reduce_only=asked.flag("reduce_only"),
        cancel_on_pause=asked.flag("cancel_order_on_pause"),
        group_id=asked.text("order_group_id", ""),
    )
