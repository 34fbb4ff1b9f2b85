"""JSON rows of markets, events, series, books and candlesticks (Kalshi docs, SDK 3.34)."""

from simulator.api.rows import JsonRow
from simulator.candlesticks import Candlestick, PriceRange
from simulator.market import GRIDS, SimulatedEvent, SimulatedMarket, SimulatedSeries
from simulator.order_book import BookSide, SimulatedBook
from simulator.units import DOLLAR, format_count, format_price, format_time

Levels = list[list[str]]


def market_row(market: SimulatedMarket) -> JsonRow:
    """Return a Market; a missing quote is a number, as on the exchange."""
    bid, ask = quote(market)
    bids, asks = market.book.bids, market.book.asks
    return {
        "ticker": market.ticker,
        "event_ticker": market.event.ticker,
        "market_type": "binary",
        "title": market.title,
        "yes_sub_title": market.yes_sub_title,
        "no_sub_title": market.yes_sub_title,
        "exchange_index": market.shard,
        "status": market.status,
        "result": market.result,
        "expiration_value": market.result,
        "settlement_bounds_type": market.bounds,
        "can_close_early": True,
        "is_provisional": False,
        **_times(market),
        **_prices(market, bid, ask),
        "yes_bid_size_fp": format_count(bids.sizes[bid]) if bid in bids.sizes else "0.00",
        "yes_ask_size_fp": format_count(asks.sizes[ask]) if ask in asks.sizes else "0.00",
        "volume_fp": format_count(market.volume),
        "volume_24h_fp": format_count(market.volume),
        "open_interest_fp": format_count(market.open_interest),
        "notional_value_dollars": "1.0000",
        "price_level_structure": market.structure,
        "price_ranges": [
            {"start": format_price(start), "end": format_price(end), "step": format_price(step)}
            for start, end, step in GRIDS[market.structure]
        ],
        "rules_primary": f"If the outcome is {market.yes_sub_title}, the market resolves to Yes.",
        "rules_secondary": "A simulated market: no money is at stake.",
        **({"strike_type": "greater_or_equal", "floor_strike": market.strike} if market.strike is not None else {}),
        **({"settlement_floor_dollars": format_price(market.settlement_floor)} if market.bounds == "floor" else {}),
        **({"settlement_value_dollars": format_price(market.value)} if market.value is not None else {}),
        **({"settlement_ts": format_time(market.settled_at)} if market.settled_at else {}),
    }


def quote(market: SimulatedMarket) -> tuple[int, int]:
    """Return the best YES bid and ask: 0, 0 before the first quote, 0 or 1 for an emptied side (recorded)."""
    bid, ask = market.book.bids.best, market.book.asks.best
    return bid or 0, ask if ask is not None else DOLLAR if market.quoted else 0


def _times(market: SimulatedMarket) -> JsonRow:
    ends = format_time(market.closes + market.timer)
    return {
        "created_time": format_time(market.created),
        "updated_time": format_time(market.updated),
        "open_time": format_time(market.opens),
        "close_time": format_time(market.closes),
        "expected_expiration_time": ends,
        "expiration_time": ends,
        "latest_expiration_time": format_time(market.closes + 7 * 86_400),
        "settlement_timer_seconds": round(market.timer),
    }


def _prices(market: SimulatedMarket, bid: int, ask: int) -> JsonRow:
    old_bid, old_ask, old_price = market.previous
    return {
        "yes_bid_dollars": format_price(bid),
        "yes_ask_dollars": format_price(ask),
        "no_bid_dollars": format_price(DOLLAR - ask),
        "no_ask_dollars": format_price(DOLLAR - bid),
        "last_price_dollars": format_price(market.last),
        "previous_yes_bid_dollars": format_price(old_bid),
        "previous_yes_ask_dollars": format_price(old_ask),
        "previous_price_dollars": format_price(old_price),
    }


def event_row(event: SimulatedEvent) -> JsonRow:
    """Return an Event without its markets."""
    return {
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "title": event.title,
        "sub_title": event.sub_title,
        "collateral_return_type": "",
        "mutually_exclusive": event.exclusive,
        "category": event.series.category,
        "settlement_sources": [],
        "exchange_index": event.series.shard,
    }


def series_row(series: SimulatedSeries) -> JsonRow:
    """Return a Series with its fees."""
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
        "exchange_index": series.shard,
    }


def book_row(book: SimulatedBook, depth: int = 0) -> JsonRow:
    """Return orderbook_fp: bids only, best last, NO levels in NO prices. depth: levels of each side, 0 for all."""
    return {"yes_dollars": levels(book.bids)[-depth:], "no_dollars": levels(book.asks, no=True)[-depth:]}


def levels(side: BookSide, no: bool = False) -> Levels:
    """Return [price, size] pairs of a side, best last; no: in NO prices."""
    return [[format_price(DOLLAR - price if no else price), format_count(size)] for price, size in side.levels()]


def candlestick_row(candlestick: Candlestick) -> JsonRow:
    """Return a MarketCandlestick."""
    return {
        "end_period_ts": candlestick.end,
        "yes_bid": _price_range(candlestick.bid),
        "yes_ask": _price_range(candlestick.ask),
        "price": _trade_prices(candlestick),
        "volume_fp": format_count(candlestick.volume),
        "open_interest_fp": format_count(candlestick.open_interest),
    }


def historical_candlestick_row(candlestick: Candlestick) -> JsonRow:
    """Return a MarketCandlestickHistorical, whose names lack the suffixes _dollars and _fp."""
    return {
        name.removesuffix("_fp"): {inner.removesuffix("_dollars"): price for inner, price in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in candlestick_row(candlestick).items()
    }


def _price_range(prices: PriceRange) -> JsonRow:
    names = ("open_dollars", "low_dollars", "high_dollars", "close_dollars")
    return dict(zip(names, map(format_price, (prices.open or 0, prices.low, prices.high, prices.close)), strict=True))


def _trade_prices(candlestick: Candlestick) -> JsonRow:
    """Return the prices of a period's trades; without trades the previous close alone."""
    row: JsonRow = {} if candlestick.previous is None else {"previous_dollars": format_price(candlestick.previous)}
    if candlestick.price.open is not None:
        row |= _price_range(candlestick.price)
        row["mean_dollars"] = format_price(candlestick.value // candlestick.volume)
        row |= {"min_dollars": row["low_dollars"], "max_dollars": row["high_dollars"]}
    return row
