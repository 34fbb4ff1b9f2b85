"""Strict reader of one JSON record: a field has its type, or an error names endpoint and field."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, cast

from kalshi.errors import FieldError
from kalshi.money import ONE, cents, fixed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BookSide = Literal["bid", "ask"]
OutcomeSide = Literal["yes", "no"]


class RecordReader:
    """The fields of one JSON object. Unknown ones are ignored; a `maybe` method takes absent and null as None."""

    __slots__ = ("_record", "endpoint")

    def __init__(self, record: object, endpoint: str, name: str = "reply") -> None:
        self.endpoint = endpoint
        if not isinstance(record, dict):
            raise FieldError(endpoint, name, f"should be an object, not {record!r:.60}")
        self._record: dict[str, Any] = record

    def has(self, name: str) -> bool:
        """Return True if the field is present and not null."""
        return self._record.get(name) is not None

    def text(self, name: str, blank: bool = False) -> str:
        """Return a string, of at least one character unless blank is allowed."""
        value = self._record.get(name)
        if not isinstance(value, str) or not (value or blank):
            raise self._wrong(name, "a text")
        return value

    def maybe_text(self, name: str) -> str | None:
        """Return a string; None if absent, null or empty."""
        return self.text(name, blank=True) or None if self.has(name) else None

    def whole(self, name: str) -> int:
        """Return a JSON integer."""
        value = self._record.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        return value

    def maybe_whole(self, name: str) -> int | None:
        """Return a JSON integer, or None."""
        return self.whole(name) if self.has(name) else None

    def number(self, name: str) -> Decimal:
        """Return a JSON number, exactly as it was written."""
        value = self._record.get(name)
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise self._wrong(name, "a number")
        return Decimal(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._record.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def dollars(self, name: str) -> Decimal:
        """Return FixedPointDollars: a string with up to six decimals."""
        return self._fixed(name, 6)

    def maybe_dollars(self, name: str) -> Decimal | None:
        """Return FixedPointDollars, or None."""
        return self.dollars(name) if self.has(name) else None

    def price(self, name: str) -> Decimal:
        """Return FixedPointDollars between 0 and 1."""
        value = self._fixed(name, 6)
        if not 0 <= value <= ONE:
            raise self._wrong(name, "a price between 0 and 1")
        return value

    def count(self, name: str) -> Decimal:
        """Return FixedPointCount: a string with up to two decimals, negative where the field has a sign."""
        return self._fixed(name, 2)

    def amount(self, name: str) -> Decimal:
        """Return FixedPointDollars that are not below 0."""
        return self._not_negative(name, self.dollars(name), "dollars from 0")

    def contracts(self, name: str) -> Decimal:
        """Return FixedPointCount that is not below 0."""
        return self._not_negative(name, self.count(name), "contracts from 0")

    def cents(self, name: str) -> Decimal:
        """Return dollars, from the few fields that are still whole cents."""
        try:
            return cents(self._record.get(name), name)
        except ValueError:
            raise self._wrong(name, "whole cents") from None

    def moment(self, name: str) -> Decimal:
        """Return Unix seconds, exact to the microsecond, from an RFC 3339 string."""
        value = self._record.get(name)
        try:
            when = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            when = None
        if when is None or when.tzinfo is None:
            raise self._wrong(name, "an RFC 3339 time")
        past = when - _EPOCH
        return Decimal(past.days * 86400 + past.seconds) + Decimal(past.microseconds).scaleb(-6)

    def maybe_moment(self, name: str) -> Decimal | None:
        """Return Unix seconds from an RFC 3339 string, or None (absent, null, empty)."""
        return self.moment(name) if self.maybe_text(name) else None

    def book_side(self) -> BookSide:
        """Return book_side, bid or ask."""
        return cast(BookSide, self._one_of("book_side", ("bid", "ask")))

    def outcome_side(self) -> OutcomeSide:
        """Return outcome_side, yes or no."""
        return cast(OutcomeSide, self._one_of("outcome_side", ("yes", "no")))

    def direction(self) -> tuple[BookSide, OutcomeSide]:
        """Return book_side and outcome_side. Raises FieldError where they contradict each other: a bid takes yes."""
        book_side, outcome_side = self.book_side(), self.outcome_side()
        if (book_side == "bid") != (outcome_side == "yes"):
            raise self.error("outcome_side", f"contradicts book_side {book_side!r}")
        return book_side, outcome_side

    def error(self, name: str, problem: str) -> FieldError:
        """Return an error about a field; problem follows its name and is followed by its value."""
        return FieldError(self.endpoint, name, f"{problem}, got {self._record.get(name)!r:.60}")

    def one(self, name: str) -> "RecordReader":
        """Return a nested object."""
        if not self.has(name):
            raise self._wrong(name, "an object")
        return RecordReader(self._record[name], self.endpoint, name)

    def many(self, name: str) -> list["RecordReader"]:
        """Return a list of objects; it must be there, empty or not."""
        return [RecordReader(item, self.endpoint, f"{name}[{place}]") for place, item in enumerate(self.items(name))]

    def items(self, name: str) -> list[Any]:
        """Return a list of any values; it must be there, empty or not."""
        value = self._record.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def _one_of(self, name: str, words: tuple[str, ...]) -> str:
        value = self._record.get(name)
        if value not in words or not isinstance(value, str):
            raise self._wrong(name, " or ".join(words))
        return value

    def _not_negative(self, name: str, value: Decimal, wanted: str) -> Decimal:
        if value < 0:
            raise self._wrong(name, wanted)
        return value

    def _fixed(self, name: str, places: int) -> Decimal:
        try:
            return fixed(self._record.get(name), name, places)
        except ValueError:
            raise self._wrong(name, f'a fixed-point text such as "0.{"0" * places}"') from None

    def _wrong(self, name: str, wanted: str) -> FieldError:
        if name not in self._record:
            return FieldError(self.endpoint, name, f"is missing; {wanted} was expected")
        return FieldError(self.endpoint, name, f"should be {wanted}, not {self._record[name]!r:.60}")
