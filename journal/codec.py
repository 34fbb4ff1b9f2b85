"""Reads an entry's JSON text back into the draft that it was made of."""

from decimal import Decimal
from typing import Any

from cache.decimal_json import loads
from journal.entries import OPTIONAL, Baseline, Correction, Draft, Gap, Kind, Settlement, Trade, Transfer


def draft(kind: Kind, body: str) -> Draft:
    """Return the draft of a body; boot_id and fill_id, which no body has, are None.

    Raises ValueError for a body that is not one of this kind.
    """
    try:
        said = loads(body)
        match kind:
            case "trade":
                return _trade(said)
            case "correction":
                return Correction(_trade(said), _seq(said["corrects"]))
            case "settlement":
                return _settlement(said)
            case "transfer":
                return _transfer(said)
            case "gap":
                return _gap(said)
            case "baseline":
                return _baseline(said)
        raise ValueError(f"{kind!r:.40} is no kind of entry")
    except RecursionError:
        raise ValueError(f"the body of a {kind} is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the body of a {kind}: {error!r:.80}") from error


def seq(body: str) -> int:
    """Return the seq in a body. Raises ValueError when there is none."""
    said = loads(body)
    if not isinstance(said, dict) or "seq" not in said:
        raise ValueError("the body has no seq")
    return _seq(said["seq"])


def _trade(said: dict[str, Any]) -> Trade:
    optional = {name: said[name] for name in OPTIONAL if name in said}
    for name in ("mid", "decided_at", "sent_at", "acknowledged_at"):
        if name in optional:
            optional[name] = _number(optional[name])
    return Trade(
        _number(said["timestamp"]), _text(said, "ticker"), _one_of(said, "side", "BUY", "SELL"),
        _number(said["quantity"]), _number(said["price"]), _text(said, "trade_id"), _text(said, "source"), _mode(said),
        _one_of(said, "outcome", "yes", "no"), _number_or_none(said["fee"]),
        None if said["order_id"] is None else _text(said, "order_id"), _one_of(said, "origin", "bot", "account"),
        **optional,
    )  # fmt: skip


def _settlement(said: dict[str, Any]) -> Settlement:
    return Settlement(
        _number(said["timestamp"]), _text(said, "ticker"), _text(said, "event_ticker"), _text(said, "result"),
        _number(said["value"]), _number(said["yes_quantity"]), _number(said["no_quantity"]), _number(said["revenue"]),
        _number(said["fee"]), _text(said, "source"), _mode(said),
    )  # fmt: skip


def _transfer(said: dict[str, Any]) -> Transfer:
    return Transfer(
        _number(said["timestamp"]), _one_of(said, "direction", "deposit", "withdrawal"), _number(said["amount"]),
        _number_or_none(said["fee"]), _text(said, "transfer_id"), _text(said, "status"), _text(said, "source"),
        _mode(said),
    )  # fmt: skip


def _gap(said: dict[str, Any]) -> Gap:
    first, last = (_seq(said[name]) if name in said else None for name in ("from_seq", "to_seq"))
    start, end = _number(said["from"]), _number(said["to"])
    return Gap(
        _number(said["timestamp"]), start, end, _text(said, "why"), _text(said, "source"), from_seq=first, to_seq=last
    )


def _baseline(said: dict[str, Any]) -> Baseline:
    positions = said["positions"]
    if not isinstance(positions, list) or not all(isinstance(position, dict) for position in positions):
        raise ValueError("expected positions as a list of objects")
    balance = _number_or_none(said.get("balance"))  # version 0.1 had none
    return Baseline(_number(said["timestamp"]), positions, _text(said, "source"), _mode(said), balance=balance)


def _text(said: dict[str, Any], name: str) -> str:
    value = said[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text, got {value!r:.40}")
    return value


def _mode(said: dict[str, Any]) -> Any:
    return _one_of(said, "mode", "live", "demo", "paper")


def _one_of(said: dict[str, Any], name: str, *words: str) -> Any:
    if said[name] not in words:
        raise ValueError(f"{name}: expected one of {', '.join(words)}, got {said[name]!r:.40}")
    return said[name]


def _seq(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a seq, got {value!r:.40}")
    return value


def _number_or_none(value: object) -> Decimal | None:
    return None if value is None else _number(value)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r:.40} is not a number")
    return Decimal(value)
