"""Reads an entry's JSON text back into the draft that it was made of."""

from decimal import Decimal
from typing import Any

from cache.decimal_json import loads
from journal.entries import KINDS, OPTIONAL, Baseline, Correction, Draft, Gap, Kind, Settlement, Trade, Transfer


def draft(kind: Kind, body: str) -> Draft:
    """Return the draft of a body; boot_id and fill_id, which no body has, are None.

    Raises ValueError for a body that is not one of this kind.
    """
    try:
        fields = loads(body)
        match kind:
            case "trade":
                return _trade(fields)
            case "correction":
                return Correction(_trade(fields), _seq(fields["corrects"]))
            case "settlement":
                return _settlement(fields)
            case "transfer":
                return _transfer(fields)
            case "gap":
                return _gap(fields)
            case "baseline":
                return _baseline(fields)
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r:.40}")
    except RecursionError:
        raise ValueError(f"the body of a {kind} is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the body of a {kind}: {error!r:.80}") from error


def seq(body: str) -> int:
    """Return the seq in a body. Raises ValueError when there is none."""
    fields = loads(body)
    if not isinstance(fields, dict) or "seq" not in fields:
        raise ValueError("the body has no seq")
    return _seq(fields["seq"])


def _trade(fields: dict[str, Any]) -> Trade:
    optional = {name: fields[name] for name in OPTIONAL if name in fields}
    for name in ("mid", "decided_at", "sent_at", "acknowledged_at"):
        if name in optional:
            optional[name] = _number(optional[name])
    return Trade(
        _number(fields["timestamp"]), _text(fields, "ticker"), _one_of(fields, "side", "BUY", "SELL"),
        _number(fields["quantity"]), _number(fields["price"]), _text(fields, "trade_id"), _text(fields, "source"),
        _mode(fields), _one_of(fields, "outcome", "yes", "no"), _number_or_none(fields["fee"]),
        None if fields["order_id"] is None else _text(fields, "order_id"), _one_of(fields, "origin", "bot", "account"),
        **optional,
    )  # fmt: skip


def _settlement(fields: dict[str, Any]) -> Settlement:
    return Settlement(
        _number(fields["timestamp"]), _text(fields, "ticker"), _text(fields, "event_ticker"), _text(fields, "result"),
        _number(fields["value"]), _number(fields["yes_quantity"]), _number(fields["no_quantity"]),
        _number(fields["revenue"]), _number(fields["fee"]), _text(fields, "source"), _mode(fields),
    )  # fmt: skip


def _transfer(fields: dict[str, Any]) -> Transfer:
    return Transfer(
        _number(fields["timestamp"]), _one_of(fields, "direction", "deposit", "withdrawal"), _number(fields["amount"]),
        _number_or_none(fields["fee"]), _text(fields, "transfer_id"), _text(fields, "status"), _text(fields, "source"),
        _mode(fields),
    )  # fmt: skip


def _gap(fields: dict[str, Any]) -> Gap:
    first, last = (_seq(fields[name]) if name in fields else None for name in ("from_seq", "to_seq"))
    start, end = _number(fields["from"]), _number(fields["to"])
    return Gap(
        _number(fields["timestamp"]),
        start,
        end,
        _text(fields, "why"),
        _text(fields, "source"),
        from_seq=first,
        to_seq=last,
    )


def _baseline(fields: dict[str, Any]) -> Baseline:
    positions = fields["positions"]
    if not isinstance(positions, list) or not all(isinstance(position, dict) for position in positions):
        raise ValueError("expected positions as a list of objects")
    balance = _number_or_none(fields.get("balance"))  # version 0.1 had none
    return Baseline(_number(fields["timestamp"]), positions, _text(fields, "source"), _mode(fields), balance=balance)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text, got {value!r:.40}")
    return value


def _mode(fields: dict[str, Any]) -> Any:
    return _one_of(fields, "mode", "live", "demo", "paper")


def _one_of(fields: dict[str, Any], name: str, *words: str) -> Any:
    if fields[name] not in words:
        raise ValueError(f"{name}: expected one of {', '.join(words)}, got {fields[name]!r:.40}")
    return fields[name]


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
