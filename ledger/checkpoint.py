"""The state of ledgers as text and back, exact to the last digit, so that a start need not add up every entry again."""

import base64
import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from itertools import chain, islice
from typing import Any, Final

from ledger.account_ledger import AccountLedger, CashFlows, ProfitTotals
from ledger.market_book import MarketBook, OpenLot
from ledger.reconcile import RecentFlow
from ledger.records import BaselineRecord, ReportedPosition, SettlementRecord, TransferRecord

PIECES: Final = 2000  # of JSON in one chunk
RULES: Final = 3  # to be raised when equal entries would give another state than before
_PLAIN: Final[dict[str, Any]] = {"Decimal": Decimal, "list": list, "tuple": tuple, "set": set, "deque": deque}
_CLASSES: Final = {
    each.__name__: each
    for each in (
        AccountLedger, BaselineRecord, CashFlows, MarketBook, OpenLot, ProfitTotals, RecentFlow, ReportedPosition,
        SettlementRecord, TransferRecord,
    )
}  # fmt: skip


def dump(state: Any) -> str:
    """Return a state made of ledgers and plain values as text: compressed JSON in base64."""
    return joined(chunks(state))


def chunks(state: Any) -> Iterator[bytes]:
    """Yield the compressed JSON of a state, for joined(); each chunk takes about a millisecond and little memory."""
    packer, pieces = zlib.compressobj(1), chain([f"[{RULES},"], _pieces(state), ["]"])
    while text := "".join(islice(pieces, PIECES)):
        yield packer.compress(text.encode())
    yield packer.flush()


def joined(chunks: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(chunks)).decode()


def load(text: str) -> Any:
    """Return the state that dump wrote. Raises ValueError for any other text, older rules and classes included."""
    try:
        rules, packed = json.loads(zlib.decompress(base64.b64decode(text)))
        if rules == RULES:
            return _unpacked(packed)
    except (zlib.error, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not the state of a ledger: {error!r}") from error
    raise ValueError(f"expected the state of rules {RULES}, got {rules!r:.20}")


def _pieces(value: Any) -> Iterator[str]:
    """Yield JSON: text, numbers, booleans and None as they are, all else as [name of its type, its parts]."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | str):
        yield json.dumps(value)
    elif isinstance(value, Decimal):
        yield f'["Decimal","{value}"]'
    elif isinstance(value, dict):
        pairs = (chain("[", _pieces(key), ",", _pieces(item), "]") for key, item in value.items())
        yield from chain([f'["{kind}",['], _separated(pairs), "]]")
    elif kind in _PLAIN:
        items = sorted(value) if kind == "set" else value
        yield from chain([f'["{kind}",['], _separated(map(_pieces, items)), "]]")
    else:
        names = _attributes(_CLASSES[kind])
        parts = (chain([f'"{name}":'], _pieces(getattr(value, name))) for name in names)
        yield from chain([f'["{kind}",{{'], _separated(parts), "}]")


def _separated(parts: Iterable[Iterable[str]]) -> Iterator[str]:
    for place, part in enumerate(parts):
        yield from chain("," * (place > 0), part)


def _unpacked(packed: Any) -> Any:
    if not isinstance(packed, list):
        return packed
    kind, parts = packed
    if kind == "Decimal":
        return Decimal(parts)
    if kind == "dict":
        return {_unpacked(key): _unpacked(item) for key, item in parts}
    if kind in _PLAIN:
        return _PLAIN[kind](map(_unpacked, parts))
    made = object.__new__(_CLASSES[kind])
    if parts.keys() != _attributes(_CLASSES[kind]):
        raise ValueError(f"{kind} has other attributes now")
    for name, part in parts.items():
        object.__setattr__(made, name, _unpacked(part))
    return made


@cache
def _attributes(kind: type) -> set[str]:
    slots = {name for each in kind.__mro__ for name in getattr(each, "__slots__", ())}
    return slots or set(vars(kind()))
