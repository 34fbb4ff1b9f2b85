"""Market records of the exchange: Market and Orderbook; frozen, exact, read by from_api.

Sources: Kalshi docs, get-market, get-market-orderbook, market_lifecycle.
"""

from dataclasses import dataclass
from decimal import Decimal

from kalshi.cash_models import check_payout
from kalshi.errors import FieldError
from kalshi.money import ONE, fixed
from kalshi.record_reader import RecordReader
from ledger.marks import MarkInputs, mark_price


@dataclass(frozen=True, slots=True)
class Market:
    """One market. Prices are in dollars; an absent quote is None, not 0 or 1."""

    ticker: str
    event_ticker: str
    market_type: str
    title: str | None
    yes_title: str
    no_title: str
    status: str  # initialized, active, inactive, closed, determined, disputed, amended, finalized, and what may come
    result: str  # "" until there is one
    yes_bid: Decimal | None
    yes_ask: Decimal | None
    no_bid: Decimal | None
    no_ask: Decimal | None
    yes_bid_size: Decimal
    yes_ask_size: Decimal
    last_price: Decimal | None
    settlement_value: Decimal | None  # of one YES contract, once it is known
    settlement_floor: Decimal | None  # the least that one YES contract pays
    volume: Decimal
    volume_24h: Decimal
    open_interest: Decimal
    open_time: Decimal
    close_time: Decimal
    expires: Decimal
    rules: str

    @property
    def mark(self) -> Decimal | None:
        """Return the price at which a YES contract is valued, in dollars; None when unknown (docs/marks.md)."""
        return mark_price(MarkInputs(
            self.yes_bid, self.yes_ask, self.last_price, self.result, self.settlement_value, self.settlement_floor,
        ))  # fmt: skip

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Market":
        """Raises FieldError, also where quotes of YES and NO or result and payout contradict each other."""
        for bid, ask in (("yes_bid_dollars", "no_ask_dollars"), ("no_bid_dollars", "yes_ask_dollars")):
            if fields.price(bid) + fields.price(ask) != ONE:
                raise fields.error(ask, f"and {bid} should add up to 1")
        result, value = fields.text("result", blank=True), fields.maybe_dollars("settlement_value_dollars")
        if value is not None:
            check_payout(fields, "settlement_value_dollars", value, result)
        has_floor = fields.has("settlement_floor_dollars")
        return cls(
            ticker=fields.text("ticker"),
            event_ticker=fields.text("event_ticker"),
            market_type=fields.text("market_type"),
            title=fields.maybe_text("title"),
            yes_title=fields.text("yes_sub_title", blank=True),
            no_title=fields.text("no_sub_title", blank=True),
            status=fields.text("status"),
            result=result,
            yes_bid=_quote(fields, "yes_bid_dollars"),
            yes_ask=_quote(fields, "yes_ask_dollars"),
            no_bid=_quote(fields, "no_bid_dollars"),
            no_ask=_quote(fields, "no_ask_dollars"),
            yes_bid_size=fields.contracts("yes_bid_size_fp"),
            yes_ask_size=fields.contracts("yes_ask_size_fp"),
            last_price=fields.price("last_price_dollars") or None,  # 0 says that there was no trade yet
            settlement_value=value,
            settlement_floor=fields.price("settlement_floor_dollars") if has_floor else None,
            volume=fields.contracts("volume_fp"),
            volume_24h=fields.contracts("volume_24h_fp"),
            open_interest=fields.contracts("open_interest_fp"),
            open_time=fields.moment("open_time"),
            close_time=fields.moment("close_time"),
            expires=fields.moment("latest_expiration_time"),
            rules=fields.text("rules_primary", blank=True),
        )


def _quote(fields: RecordReader, name: str) -> Decimal | None:
    """Return a quote, or None for an empty side, which the exchange sends as 0 or 1."""
    price = fields.price(name)
    return price if 0 < price < ONE else None


@dataclass(frozen=True, slots=True)
class Level:
    """Contracts bid at one price."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Orderbook:
    """The bids of both outcomes, best first, each in its own price; the YES ask is 1 minus the best NO bid."""

    yes: tuple[Level, ...]
    no: tuple[Level, ...]

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Orderbook":
        """Raises FieldError."""
        book = fields.one("orderbook_fp")
        return cls(yes=_levels(book, "yes_dollars"), no=_levels(book, "no_dollars"))


def _levels(book: RecordReader, name: str) -> tuple[Level, ...]:
    """Return levels best first: the exchange sends the best bid last and may leave an empty side out."""
    levels = []
    for row in book.items(name) if book.has(name) else []:
        if not isinstance(row, list) or len(row) != 2:
            raise FieldError(book.endpoint, name, f"should hold [price, count] pairs, not {row!r:.60}")
        try:
            levels.append(Level(fixed(row[0], name), fixed(row[1], name, places=2)))
        except ValueError as error:
            raise FieldError(book.endpoint, name, str(error)) from None
    return tuple(sorted(levels, key=lambda level: level.price, reverse=True))
