"""Reads an entry's JSON text back into the draft that it was made of."""

from decimal import Decimal
from typing import Any

from cache.decimal_json import loads
from journal.entries import Baseline, Draft, Gap, Kind, Settlement, Trade


def draft(kind: Kind, body: str) -> Draft:
    """What was told; boot_id and fill_id, which no body shows, are missing. Raises ValueError for no such body."""
    try:
        said = loads(body)
        match kind:
            case "trade":
                return _trade(said)
            case "settlement":
                return _settlement(said)
            case "gap":
                return Gap(_number(said["timestamp"]), _number(said["from"]), _number(said["to"]), said["why"])
            case "baseline":
                return Baseline(_number(said["timestamp"]), said["positions"], said["source"], said["mode"])
        raise ValueError(f"{kind!r:.40} is no kind of entry")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the body of a {kind}: {error!r:.80}") from error


def seq(body: str) -> int:
    """The seq that a body says it has. Raises ValueError when it says none."""
    said = loads(body)
    if not isinstance(said, dict) or not isinstance(said.get("seq"), int):
        raise ValueError("the body has no seq")
    number: int = said["seq"]
    return number


def _trade(said: dict[str, Any]) -> Trade:
    return Trade(
        _number(said["timestamp"]), said["ticker"], said["side"], _number(said["quantity"]), _number(said["price"]),
        said["trade_id"], said["source"], said["mode"], said["outcome"],
        None if said["fee"] is None else _number(said["fee"]), said["order_id"], said["origin"],
    )  # fmt: skip


def _settlement(said: dict[str, Any]) -> Settlement:
    return Settlement(
        _number(said["timestamp"]), said["ticker"], said["event_ticker"], said["result"], _number(said["value"]),
        _number(said["yes_quantity"]), _number(said["no_quantity"]), _number(said["revenue"]), _number(said["fee"]),
        said["source"], said["mode"],
    )  # fmt: skip


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r:.40} is not a number")
    return Decimal(value)
