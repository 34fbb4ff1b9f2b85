"""How markets, events, series and books look on the wire (Kalshi docs, SDK 3.34)."""

from simulator.book import Book, Ladder
from simulator.market import GRIDS, Event, Market, Series
from simulator.units import DOLLAR, count_text, price_text, rfc3339
from simulator.wire import SHARD, Row

Levels = list[list[str]]


def market_row(market: Market) -> Row:
    """A Market; "no quote" looks like a number, as on the exchange."""
    bid, ask = quote(market)
    bids, asks = market.book.bids, market.book.asks
    return {
        "ticker": market.ticker,
        "event_ticker": market.event.ticker,
        "market_type": "binary",
        "title": market.title,
        "yes_sub_title": market.yes_sub_title,
        "no_sub_title": market.yes_sub_title,
        "exchange_index": SHARD,
        "status": market.state,
        "result": market.result,
        "expiration_value": market.result,
        "settlement_bounds_type": "default",
        "can_close_early": True,
        "is_provisional": False,
        **_times(market),
        **_prices(market, bid, ask),
        "yes_bid_size_fp": count_text(bids.sizes[bid]) if bid in bids.sizes else "0.00",
        "yes_ask_size_fp": count_text(asks.sizes[ask]) if ask in asks.sizes else "0.00",
        "volume_fp": count_text(market.volume),
        "volume_24h_fp": count_text(market.volume),
        "open_interest_fp": count_text(market.open_interest),
        "notional_value_dollars": "1.0000",
        "price_level_structure": market.structure,
        "price_ranges": [
            {"start": price_text(start), "end": price_text(end), "step": price_text(step)}
            for start, end, step in GRIDS[market.structure]
        ],
        "rules_primary": f"If the outcome is {market.yes_sub_title}, the market resolves to Yes.",
        "rules_secondary": "A simulated market: no money is at stake.",
        **({"strike_type": "greater_or_equal", "floor_strike": market.strike} if market.strike is not None else {}),
        **({"settlement_value_dollars": price_text(market.value)} if market.value is not None else {}),
        **({"settlement_ts": rfc3339(market.settled_at)} if market.settled_at else {}),
    }


def quote(market: Market) -> tuple[int, int]:
    """Best YES bid and ask; 0 and 0 when never quoted, 0 and 1 for an emptied side (recorded demo server)."""
    bid, ask = market.book.bids.best, market.book.asks.best
    return bid or 0, ask if ask is not None else DOLLAR if market.quoted else 0


def _times(market: Market) -> Row:
    ends = rfc3339(market.closes + market.timer)
    return {
        "created_time": rfc3339(market.created),
        "updated_time": rfc3339(market.updated),
        "open_time": rfc3339(market.opens),
        "close_time": rfc3339(market.closes),
        "expected_expiration_time": ends,
        "expiration_time": ends,
        "latest_expiration_time": rfc3339(market.closes + 7 * 86_400),
        "settlement_timer_seconds": round(market.timer),
    }


def _prices(market: Market, bid: int, ask: int) -> Row:
    old_bid, old_ask, old_price = market.previous
    return {
        "yes_bid_dollars": price_text(bid),
        "yes_ask_dollars": price_text(ask),
        "no_bid_dollars": price_text(DOLLAR - ask),
        "no_ask_dollars": price_text(DOLLAR - bid),
        "last_price_dollars": price_text(market.last),
        "previous_yes_bid_dollars": price_text(old_bid),
        "previous_yes_ask_dollars": price_text(old_ask),
        "previous_price_dollars": price_text(old_price),
    }


def event_row(event: Event) -> Row:
    """An Event without its markets."""
    return {
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "title": event.title,
        "sub_title": event.sub_title,
        "collateral_return_type": "",
        "mutually_exclusive": event.exclusive,
        "category": event.series.category,
        "settlement_sources": [],
        "exchange_index": SHARD,
    }


def series_row(series: Series) -> Row:
    """A Series with what it costs to trade."""
    return {
        "ticker": series.ticker,
        "frequency": series.frequency,
        "title": series.title,
        "category": series.category,
        "categories": [series.category],
        "tags": [],
        "settlement_sources": [],
        "contract_url": "",
        "contract_terms_url": "",
        "fee_multiplier": 1,
        "additional_prohibitions": [],
        "fee_type": "quadratic_with_maker_fees" if series.maker_fees else "quadratic",
        "exchange_index": SHARD,
    }


def book_row(book: Book, depth: int = 0) -> Row:
    """orderbook_fp: bids only, best last, NO levels in NO prices. depth 0: all."""
    return {"yes_dollars": levels(book.bids)[-depth:], "no_dollars": levels(book.asks, no=True)[-depth:]}


def levels(ladder: Ladder, no: bool = False) -> Levels:
    """[price, size] pairs of a side, best last; no: in NO prices."""
    return [[price_text(DOLLAR - price if no else price), count_text(size)] for price, size in ladder.levels()]
