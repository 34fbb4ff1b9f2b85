"""Request bodies: JSON members read with types as strict as the exchange's."""

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

from simulator.errors import malformed_body, nested_error
from simulator.orders import SIDES, OrderRequest, SelfTradeMode, TimeInForce
from simulator.units import parse_count, parse_price

YEAR_10000: Final = 253_402_300_800
"""Unix seconds of the first time that has no RFC 3339 text."""


class JsonBody:
    """The members of one JSON object."""

    def __init__(self, members: object) -> None:
        if not isinstance(members, dict):
            raise malformed_body("expected a JSON object")
        self._members: Mapping[str, Any] = members

    @classmethod
    def decode(cls, body: bytes) -> "JsonBody":
        """Return the members of a request's body. Raises ApiError if it is not a JSON object."""
        try:
            return cls(json.loads(body or b"{}"))
        except (ValueError, RecursionError) as error:
            raise malformed_body("body is not JSON") from error

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string; without a default it is required."""
        value = self._members.get(name, default)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise malformed_body(f"{name}: expected a string")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> Any:
        """Return a string that is one of the allowed ones."""
        if (value := self.text(name, default)) not in allowed:
            raise malformed_body(f"{name}: expected one of {', '.join(allowed)}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, bool):
            raise malformed_body(f"{name}: expected true or false")
        return bool(value)

    def integer(self, name: str) -> int | None:
        """Return an integer, or None if it is absent."""
        value = self._members.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise malformed_body(f"{name}: expected an integer")
        return value

    def number(self, name: str) -> float | None:
        """Return a number, or None if it is absent."""
        value = self._members.get(name)
        if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise malformed_body(f"{name}: expected a number")
        return value

    def price(self, name: str = "price") -> int:
        """Return the price in a FixedPointDollars string."""
        price = parse_price(self.text(name))
        if price is None:
            raise nested_error(400, "invalid_price")
        return price

    def count(self, name: str = "count") -> int:
        """Return the count in a FixedPointCount string."""
        count = parse_count(self.text(name))
        if count is None:
            raise nested_error(400, "invalid_order_size")
        return count

    def items(self, name: str) -> list[object]:
        """Return a required list."""
        value = self._members.get(name)
        if not isinstance(value, list):
            raise malformed_body(f"{name}: expected a list")
        return value


def read_expiration(body: JsonBody) -> float | None:
    """Return expiration_time in Unix seconds, None if it is absent."""
    seconds = body.integer("expiration_time")
    if seconds is not None and not 0 <= seconds < YEAR_10000:
        raise nested_error(400, "invalid_order", "expiration_time is not a time in seconds")
    return None if seconds is None else float(seconds)


def read_order_request(body: JsonBody) -> OrderRequest:
    """Return the order of a create request (Kalshi docs: create order V2). Raises ApiError."""
    if body.integer("subaccount"):
        raise nested_error(403, "forbidden", "subaccount not found")
    expires = read_expiration(body)
    return OrderRequest(
        ticker=body.text("ticker"),
        side=body.choice("side", SIDES),
        time_in_force=body.choice("time_in_force", get_args(TimeInForce)),
        self_trade=body.choice("self_trade_prevention_type", get_args(SelfTradeMode)),
        price=body.price(),
        count=body.count(),
        client_order_id=body.text("client_order_id", ""),
        expires=expires,
        post_only=body.flag("post_only"),
        reduce_only=body.flag("reduce_only"),
        cancel_on_pause=body.flag("cancel_order_on_pause"),
        group_id=body.text("order_group_id", ""),
    )
