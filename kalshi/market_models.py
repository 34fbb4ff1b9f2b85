"""Market records of the exchange: Market and Orderbook; its status and the start of its historical tier.

Sources: Kalshi docs, get-market, get-market-orderbook, market_lifecycle, get-exchange-status, historical_data.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kalshi.account_models import check_payout
from kalshi.errors import FieldError
from kalshi.records import Record, RecordReader, column, fixed, record
from ledger.amounts import ONE
from ledger.marks import MarkInputs, mark_price


def _quote(fields: RecordReader, name: str) -> Decimal | None:
    """Return a quote, or None for an empty side, which the exchange sends as 0 or 1."""
    price = fields.price(name)
    return price if 0 < price < ONE else None


@record
class Market(Record):
    """One market. Prices are in dollars; an absent quote is None, not 0 or 1."""

    ticker: str = column(RecordReader.text)
    event_ticker: str = column(RecordReader.text)
    market_type: str = column(RecordReader.text)
    title: str | None = column(RecordReader.maybe_text)
    yes_title: str = column(RecordReader.any_text, "yes_sub_title")
    no_title: str = column(RecordReader.any_text, "no_sub_title")
    # initialized, active, inactive, closed, determined, disputed, amended, finalized, and what may come
    status: str = column(RecordReader.text)
    result: str = column(RecordReader.any_text)  # "" until there is one
    yes_bid: Decimal | None = column(_quote, "yes_bid_dollars")
    yes_ask: Decimal | None = column(_quote, "yes_ask_dollars")
    no_bid: Decimal | None = column(_quote, "no_bid_dollars")
    no_ask: Decimal | None = column(_quote, "no_ask_dollars")
    yes_bid_size: Decimal = column(RecordReader.contracts, "yes_bid_size_fp")
    yes_ask_size: Decimal = column(RecordReader.contracts, "yes_ask_size_fp")
    # 0 says that there was no trade yet
    last_price: Decimal | None = column(lambda fields, name: fields.price(name) or None, "last_price_dollars")
    settlement_value: Decimal | None = column(RecordReader.maybe_dollars, "settlement_value_dollars")  # of one YES
    settlement_floor: Decimal | None = column(RecordReader.maybe_price, "settlement_floor_dollars")  # a YES pays more
    volume: Decimal = column(RecordReader.contracts, "volume_fp")
    volume_24h: Decimal = column(RecordReader.contracts, "volume_24h_fp")
    open_interest: Decimal = column(RecordReader.contracts, "open_interest_fp")
    open_time: Decimal = column(RecordReader.moment)
    close_time: Decimal = column(RecordReader.moment)
    expires: Decimal = column(RecordReader.moment, "latest_expiration_time")
    rules: str = column(RecordReader.any_text, "rules_primary")
    members = (
        "ticker event_ticker title yes_title no_title type=market_type status result settlement_value yes_bid yes_ask"
        " no_bid no_ask yes_bid_size yes_ask_size last_price volume volume_24h open_interest open_time close_time"
        " expires"
    )

    def as_json(self) -> dict[str, Any]:
        return Record.as_json(self) | {"result": self.result or None}

    @property
    def mark(self) -> Decimal | None:
        """Return the price at which a YES contract is valued, in dollars; None when unknown (docs/marks.md)."""
        return mark_price(MarkInputs(
            self.yes_bid, self.yes_ask, self.last_price, self.result, self.settlement_value, self.settlement_floor,
        ))  # fmt: skip

    def check(self, fields: RecordReader) -> None:
        for bid, ask in (("yes_bid_dollars", "no_ask_dollars"), ("no_bid_dollars", "yes_ask_dollars")):
            if fields.price(bid) + fields.price(ask) != ONE:
                raise fields.error(ask, f"and {bid} should add up to 1")
        check_payout(fields, "settlement_value_dollars", self.settlement_value, self.result)


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
        book = fields.one("orderbook_fp")
        return cls(yes=_levels(book, "yes_dollars"), no=_levels(book, "no_dollars"))


def _levels(book: RecordReader, name: str) -> tuple[Level, ...]:
    """Return levels best first: the exchange sends the best bid last and may leave an empty side out."""
    levels = []
    for row in book.items(name) if book.has(name) else []:
        price, quantity = (fixed(row[0]), fixed(row[1], 2)) if isinstance(row, list) and len(row) == 2 else (None, None)
        if price is None or quantity is None:
            raise FieldError(book.endpoint, name, f"should hold [price, count] pairs of texts, not {row!r:.60}")
        levels.append(Level(price, quantity))
    return tuple(sorted(levels, key=lambda level: level.price, reverse=True))


@record
class ExchangeStatus(Record):
    """Status of the exchange. In maintenance (Thursdays 03:00-05:00 in New York) trading alone is inactive."""

    exchange_active: bool = column(RecordReader.flag)
    trading_active: bool = column(RecordReader.flag)


@record
class Cutoff(Record):
    """Unix seconds; older rows stand in the historical tier alone."""

    fills: Decimal = column(RecordReader.moment, "trades_created_ts")
    orders: Decimal = column(RecordReader.moment, "orders_updated_ts")
