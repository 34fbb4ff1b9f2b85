"""The JSON text of an entry, made of a draft and read back into it, and the checksum that chains it to the one before.

The checksum is over the one before, the kind and the body: any change, swap or cut breaks the chain. It finds
accidents: whoever can write to the database can also write a new chain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, get_args

from cache.decimal_json import dumps, loads
from journal import entries
from journal.entries import KINDS, Correction, Draft


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a body. optional: a body may lack it. null: a draft without a value writes it as null."""

    read: Callable[[Any], Any]
    null: bool = False
    optional: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {value!r:.40}")
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r:.40} is not a number")
    return Decimal(value)


def _seq(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a seq, got {value!r:.40}")
    return value


def _objects(value: object) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("expected a list of objects")
    return value


def _word(literal: object) -> _Field:
    words = get_args(literal)

    def read(value: object) -> Any:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(words)}, got {value!r:.40}")
        return value

    return _Field(read)


TEXT, TEXT_OR_NULL, ANYTHING = _Field(_text), _Field(_text, null=True), _Field(lambda value: value, optional=True)
NUMBER, NUMBER_OR_NULL = _Field(_number), _Field(_number, null=True)
OPTIONAL_NUMBER, OPTIONAL_SEQ = _Field(_number, optional=True), _Field(_seq, optional=True)
SIDE, OUTCOME, ORIGIN = _word(entries.Side), _word(entries.Outcome), _word(entries.Origin)
MODE, DIRECTION = _word(entries.Mode), _word(entries.Direction)

_TRADE: Final = {
    "timestamp": NUMBER, "ticker": TEXT, "side": SIDE, "quantity": NUMBER, "price": NUMBER, "trade_id": TEXT,
    "outcome": OUTCOME, "fee": NUMBER_OR_NULL, "order_id": TEXT_OR_NULL, "origin": ORIGIN, "mode": MODE, "source": TEXT,
    "strategy": ANYTHING, "is_taker": ANYTHING, "mid": OPTIONAL_NUMBER, "decided_at": OPTIONAL_NUMBER,
    "sent_at": OPTIONAL_NUMBER, "acknowledged_at": OPTIONAL_NUMBER,
}  # fmt: skip
_SETTLEMENT: Final = {
    "timestamp": NUMBER, "ticker": TEXT, "event_ticker": TEXT, "result": TEXT, "value": NUMBER, "yes_quantity": NUMBER,
    "no_quantity": NUMBER, "revenue": NUMBER, "fee": NUMBER, "mode": MODE, "source": TEXT,
}  # fmt: skip
_TRANSFER: Final = {
    "timestamp": NUMBER, "direction": DIRECTION, "amount": NUMBER, "fee": NUMBER_OR_NULL, "transfer_id": TEXT,
    "status": TEXT, "mode": MODE, "source": TEXT,
}  # fmt: skip
_GAP: Final = {
    "timestamp": NUMBER, "from": NUMBER, "to": NUMBER, "why": TEXT, "from_seq": OPTIONAL_SEQ, "to_seq": OPTIONAL_SEQ,
    "source": TEXT,
}  # fmt: skip
_BASELINE: Final = {
    "timestamp": NUMBER, "positions": _Field(_objects),
    "balance": _Field(_number, null=True, optional=True),  # version 0.1 wrote none
    "mode": MODE, "source": TEXT,
}  # fmt: skip
FIELDS: Final[dict[str, tuple[type[Any], Mapping[str, _Field]]]] = {
    "trade": (entries.Trade, _TRADE),
    "settlement": (entries.Settlement, _SETTLEMENT),
    "transfer": (entries.Transfer, _TRANSFER),
    "gap": (entries.Gap, _GAP),
    "baseline": (entries.Baseline, _BASELINE),
}
"""For each kind its class and the fields of its body after seq, in order; a correction is a trade with one more."""

_ATTRIBUTES: Final = {"from": "start", "to": "end"}  # of fields with another name in the class


def body(draft: Draft, seq: int) -> str:
    """Return the JSON text of the entry that a draft becomes under seq."""
    if isinstance(draft, Correction):
        return dumps({"seq": seq, **_values(draft.trade), "corrects": draft.corrects})
    return dumps({"seq": seq, **_values(draft)})


def _values(draft: Draft) -> dict[str, Any]:
    _, fields = FIELDS[draft.kind]
    values = {name: getattr(draft, _ATTRIBUTES.get(name, name)) for name in fields}
    return {name: value for name, value in values.items() if value is not None or fields[name].null}


def draft(kind: str, body: str) -> Draft:
    """Return the draft of a body; boot_id and fill_id, which no body has, are None.

    Raises ValueError for a body that is not one of this kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r:.40}")
    try:
        values = loads(body)
        if kind == "correction":
            return Correction(_read("trade", values), _seq(values["corrects"]))
        made: Draft = _read(kind, values)
        return made
    except RecursionError:
        raise ValueError(f"the body of a {kind} is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the body of a {kind}: {error!r:.80}") from error


def _read(kind: str, values: Mapping[str, Any]) -> Any:
    made, fields = FIELDS[kind]
    found = {}
    for name, field in fields.items():
        if field.optional and name not in values:
            continue
        value = values[name]
        try:
            found[_ATTRIBUTES.get(name, name)] = None if value is None and field.null else field.read(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return made(**found)


def seq(body: str) -> int:
    """Return the seq in a body. Raises ValueError when there is none."""
    fields = loads(body)
    if not isinstance(fields, dict) or "seq" not in fields:
        raise ValueError("the body has no seq")
    return _seq(fields["seq"])


def checksum(previous: str, kind: str, body: str) -> str:
    """Return 16 hex digits for an entry. previous: the checksum of the entry before it, "" for the first."""
    return blake2b(f"{previous}\n{kind}\n{body}".encode(), digest_size=8).hexdigest()
