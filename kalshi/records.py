"""Records of the exchange: a strict, exact reader of JSON objects, and dataclasses that name their readers."""

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, Self, TypeVar, cast, dataclass_transform

from kalshi.errors import FieldError

T = TypeVar("T")
BookSide = Literal["bid", "ask"]
OutcomeSide = Literal["yes", "no"]
Read = Callable[["RecordReader", str], T]
"""Reads the field of this name. Raises FieldError."""

EARLIEST: Final = 10**9  # Unix seconds, in 2001
LATEST: Final = 10**11  # Unix seconds, in 5138: a larger number is of milliseconds
MOST_CENTS: Final = 10**17  # as many digits as a fixed-point text may have
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED_POINT: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def fixed(value: object, places: int = 6) -> Decimal | None:
    """Return the number in a text such as "0.5275" (Kalshi docs: FixedPointDollars, FixedPointCount), else None."""
    found = _FIXED_POINT.fullmatch(value) if isinstance(value, str) else None
    if found is None or len((found[1] or "").rstrip("0")) > places + 1:
        return None
    return Decimal(found[0])


def cents(value: object) -> Decimal | None:
    """Return dollars from whole cents; None for anything but an int, and for one of more than 17 digits."""
    whole = _whole(value)
    return None if whole is None or abs(whole) >= MOST_CENTS else Decimal(whole) / 100


def _moment(value: object) -> Decimal | None:
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None or when.tzinfo is None:
        return None
    past = when - _EPOCH
    return Decimal(past.days * 86400 + past.seconds) + Decimal(past.microseconds).scaleb(-6)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(value: object, per_second: int = 1) -> Decimal | None:
    whole = _whole(value)
    if whole is None or not EARLIEST <= whole // per_second < LATEST:
        return None
    return Decimal(whole) / per_second


def _one_of(*words: str) -> Callable[[Any], Any]:
    return lambda value: value if value in words else None


def _from_0(number: Decimal | None) -> Decimal | None:
    return number if number is not None and number >= 0 else None


def _method(wanted: str, convert: Callable[[Any], T | None]) -> Read[T]:
    """Return a method that reads a field; convert returns None for an invalid value."""

    def read(fields: "RecordReader", name: str) -> T:
        value = convert(fields.get(name))
        if value is None:
            raise fields.wrong(name, wanted)
        return value

    return read


def _maybe(read: Read[T], *absent: str) -> Read[T | None]:
    """Return a method that takes an absent field, null and the texts in absent as None."""

    def read_if_there(fields: "RecordReader", name: str) -> T | None:
        value = fields.get(name)
        return None if value is None or (isinstance(value, str) and value in absent) else read(fields, name)

    return read_if_there


class RecordReader:
    """The fields of one JSON object. Unknown ones are ignored; all methods raise FieldError."""

    __slots__ = ("_record", "endpoint")

    def __init__(self, record: object, endpoint: str, name: str = "reply") -> None:
        self.endpoint = endpoint
        if not isinstance(record, dict):
            raise FieldError(endpoint, name, f"should be an object, not {record!r:.60}")
        self._record: dict[str, Any] = record

    text = _method("a text", lambda value: value if isinstance(value, str) and value else None)
    any_text = _method("a text", lambda value: value if isinstance(value, str) else None)  # may be empty
    whole = _method("a whole number", _whole)
    number = _method(  # exactly as it was written
        "a number", lambda value: Decimal(value) if _whole(value) is not None or isinstance(value, Decimal) else None
    )
    flag = _method("true or false", lambda value: value if isinstance(value, bool) else None)
    dollars = _method('a fixed-point text such as "0.000000"', fixed)
    amount = _method('dollars from 0 such as "0.000000"', lambda value: _from_0(fixed(value)))
    price = _method(
        'a price between 0 and 1 such as "0.5200"',
        lambda value: found if (found := fixed(value)) is not None and 0 <= found <= 1 else None,
    )
    count = _method('a fixed-point text such as "0.00"', lambda value: fixed(value, 2))
    contracts = _method('contracts from 0 such as "0.00"', lambda value: _from_0(fixed(value, 2)))
    cents = _method("whole cents", cents)  # as dollars
    cents_from_0 = _method("whole cents from 0", lambda value: _from_0(cents(value)))
    moment = _method("an RFC 3339 time", _moment)  # as Unix seconds, exact to the microsecond
    seconds = _method("whole Unix seconds", _seconds)
    milliseconds = _method("whole Unix milliseconds", lambda value: _seconds(value, 1000))  # as seconds
    items: ClassVar[Read[list[Any]]] = _method("a list", lambda value: value if isinstance(value, list) else None)
    book_side: ClassVar[Read[BookSide]] = _method("bid or ask", _one_of("bid", "ask"))
    outcome_side: ClassVar[Read[OutcomeSide]] = _method("yes or no", _one_of("yes", "no"))
    maybe_text = _maybe(text, "")
    maybe_whole = _maybe(whole)
    maybe_dollars = _maybe(dollars)
    maybe_price = _maybe(price)
    maybe_cents = _maybe(cents)
    maybe_moment = _maybe(moment, "")
    maybe_seconds = _maybe(seconds)

    def get(self, name: str) -> Any:
        """Return the value as it was sent; None for null and for an absent field."""
        return self._record.get(name)

    def has(self, name: str) -> bool:
        return self._record.get(name) is not None

    def one(self, name: str) -> "RecordReader":
        if not self.has(name):
            raise self.wrong(name, "an object")
        return RecordReader(self._record[name], self.endpoint, name)

    def many(self, name: str) -> list["RecordReader"]:
        """Return a list of objects; it must be there, empty or not."""
        return [RecordReader(item, self.endpoint, f"{name}[{place}]") for place, item in enumerate(self.items(name))]

    def error(self, name: str, problem: str) -> FieldError:
        """Return an error about a field; problem follows its name and is followed by its value."""
        return FieldError(self.endpoint, name, f"{problem}, got {self._record.get(name)!r:.60}")

    def wrong(self, name: str, wanted: str) -> FieldError:
        if name not in self._record:
            return FieldError(self.endpoint, name, f"is missing; {wanted} was expected")
        return FieldError(self.endpoint, name, f"should be {wanted}, not {self._record[name]!r:.60}")


def column(read: Read[Any], name: str = "", default: Any = MISSING) -> Any:
    """Return a field of a record that is read from the exchange's field of this name, by default its own."""
    return field(default=default, metadata={"read": read, "name": name})


@dataclass_transform(frozen_default=True, field_specifiers=(column, field))
def record(cls: type[T]) -> type[T]:
    """Return the class as a frozen dataclass with slots; most of its fields are columns."""
    found: Any = dataclass(frozen=True, slots=True)(cls)
    columns = [(each.name, each.metadata["read"], each.metadata["name"]) for each in fields_of(found) if each.metadata]
    found.columns = [(name, read, source or name) for name, read, source in columns]
    members = [member.partition("=") for member in found.members.split()]
    found.form = [(name, attribute or name) for name, _, attribute in members]
    return cast(type[T], found)


class Record:
    """A record of the exchange, frozen and exact: money is dollars, counts are contracts, times are Unix seconds."""

    __slots__ = ()
    members: ClassVar[str] = ""  # of the JSON form, in order: the names of fields, or name=field
    form: ClassVar[list[tuple[str, str]]]  # the same, read: name and field
    columns: ClassVar[list[tuple[str, Read[Any], str]]]  # of each: name of the field, how it is read, and from where

    @classmethod
    def read(cls, fields: RecordReader, **given: Any) -> Self:
        """Return the record of given values, and of columns for the rest. Raises FieldError."""
        make: Callable[..., Self] = cls
        return make(**{name: read(fields, source) for name, read, source in cls.columns if name not in given}, **given)

    @classmethod
    def from_api(cls, fields: RecordReader, **given: Any) -> Self:
        """Return the record of a JSON object and given values. Raises FieldError, also for a contradiction."""
        found = cls.read(fields, **given)
        found.check(fields)
        return found

    def check(self, fields: RecordReader) -> None:
        """Raise FieldError where fields contradict each other."""

    def as_json(self) -> dict[str, Any]:
        """Return the record in our names and units: dollars, contracts, Unix seconds."""
        return {name: getattr(self, attribute) for name, attribute in self.form}
