"""The JSON text of an entry, made of a draft and read back into it, and the checksum that chains it to the one before.

Any change, swap or cut breaks the chain. It finds accidents: whoever can write to the database can write a new chain.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from cache.decimal_json import dumps, loads
from journal.entries import KINDS, Baseline, Draft, Gap, Settlement, Trade, Transfer


class _Field(NamedTuple):
    attribute: str
    read: Callable[[Any], Any]  # raises ValueError for a value of another type
    nullable: bool


def _expecting(
    what: str, is_good: Callable[[Any], bool], convert: Callable[[Any], Any] = lambda value: value
) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not is_good(value):
            raise ValueError(f"expected {what}, got {value!r:.40}")
        return convert(value)

    return read


_READERS: Final[dict[Any, Callable[[Any], Any]]] = {
    str: _expecting("text", lambda value: isinstance(value, str)),
    bool: _expecting("true or false", lambda value: isinstance(value, bool)),
    int: _expecting("a seq", lambda value: type(value) is int),
    Decimal: _expecting("a number", lambda value: type(value) in (int, Decimal), Decimal),
    Sequence[Mapping[str, Any]]: _expecting(
        "a list of objects", lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value)
    ),
}
_LEFT_OUT: Final = frozenset(
    ("strategy", "is_taker", "mid", "decided_at", "sent_at", "acknowledged_at", "from_seq", "to_seq")
)
"""Fields that a body does not have where their value is unknown; it has the others as null."""
_MAY_LACK: Final = _LEFT_OUT | {"balance"}  # which version 0.1 did not write


def _fields(kind: type[Any], attributes: str) -> tuple[type[Any], dict[str, _Field]]:
    """Return the class, and the fields of its body by name, with the types that the class has for them."""
    hints, found = get_type_hints(kind), {}
    for attribute in attributes.split():
        hint = hints[attribute]
        if nullable := type(None) in get_args(hint):
            hint = get_args(hint)[0]
        words = get_args(hint) if get_origin(hint) is Literal else ()
        read = _expecting(f"one of {', '.join(words)}", words.__contains__) if words else _READERS[hint]
        found[{"start": "from", "end": "to"}.get(attribute, attribute)] = _Field(attribute, read, nullable)
    return kind, found


_TRADE: Final = (
    "timestamp ticker side quantity price trade_id outcome fee order_id origin mode source"
    " strategy is_taker mid decided_at sent_at acknowledged_at"
)
_KINDS: Final = {
    "trade": _fields(Trade, _TRADE),
    "correction": _fields(Trade, f"{_TRADE} corrects"),
    "settlement": _fields(
        Settlement, "timestamp ticker event_ticker result value yes_quantity no_quantity revenue fee mode source"
    ),
    "transfer": _fields(Transfer, "timestamp direction amount fee transfer_id status mode source"),
    "gap": _fields(Gap, "timestamp start end why from_seq to_seq source"),
    "baseline": _fields(Baseline, "timestamp positions balance mode source"),
}  # fmt: skip
"""For each kind its class and the fields of its body after seq, in order."""


def body(draft: Draft, seq: int) -> str:
    """Return the JSON text of the entry that a draft becomes under seq."""
    values = {name: getattr(draft, field.attribute) for name, field in _KINDS[draft.kind][1].items()}
    shown = {name: value for name, value in values.items() if value is not None or name not in _LEFT_OUT}
    return dumps({"seq": seq, **shown})


def draft(kind: str, body: str) -> Draft:
    """Return the draft of a body; boot_id and fill_id, which no body has, are None. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r:.40}")
    try:
        made: Draft = _read(kind, loads(body))
        if made.kind != kind:
            raise ValueError(f"corrects: expected a seq in a {kind}, got None")
        return made
    except RecursionError:
        raise ValueError(f"the body of a {kind} is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the body of a {kind}: {error!r:.80}") from error


def _read(kind: str, values: Mapping[str, Any]) -> Any:
    made, fields = _KINDS[kind]
    found = {}
    for name, field in fields.items():
        if name in _MAY_LACK and name not in values:
            continue
        value = values[name]
        try:
            found[field.attribute] = None if value is None and field.nullable else field.read(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return made(**found)


def seq(body: str) -> int:
    """Return the seq in a body. Raises ValueError when there is none."""
    fields = loads(body)
    if not isinstance(fields, dict) or "seq" not in fields:
        raise ValueError("the body has no seq")
    return int(_READERS[int](fields["seq"]))


def checksum(previous: str, kind: str, body: str) -> str:
    """Return 16 hex digits for an entry. previous: the checksum of the entry before it, "" for the first."""
    return blake2b(f"{previous}\n{kind}\n{body}".encode(), digest_size=8).hexdigest()
