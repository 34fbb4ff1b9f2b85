"""Every URL below the prefix: its parameters, body, errors and handler. Routes, checks and OpenAPI come from here."""

from typing import Final

from routes import about, health, history, markets, pages, portfolio, reconciliation, stream_stats, summary
from routes.endpoint import Endpoint
from routes.parameters import LIMIT, PAGE, RESUME, TICKERS, choice, cursor, ticker, time

ENTRIES: Final = (
    "new_trades", "correction", "settlement", "transfer", "gap", "baseline", "reset", "heartbeat", "bye",
)  # fmt: skip
FAILING: Final = (502, 503)

TABLE: Final = (
    Endpoint(
        "/portfolio/balance", "Cash, in dollars", "Balance", answer=portfolio.balance, errors=FAILING,
    ),
    Endpoint(
        "/portfolio/positions", "Positions with marks and P&L", "Positions", answer=portfolio.positions,
        errors=FAILING,
    ),
    Endpoint(
        "/portfolio/fills", "The account's fills, newest first", "Fills", (LIMIT, PAGE), portfolio.fills,
        errors=FAILING,
    ),
    Endpoint(
        "/portfolio/orders", "The account's orders", "Orders",
        (LIMIT, PAGE, choice("status", portfolio.ORDER_STATUSES, "orders in this state")), portfolio.orders,
        errors=FAILING,
    ),
    Endpoint(
        "/portfolio/settlements", "Markets that paid out, newest first", "Settlements", (LIMIT, PAGE),
        portfolio.settlements, errors=FAILING,
    ),
    Endpoint(
        "/portfolio/trades/live", "The newest trades, newest first", "Live", (LIMIT,), history.live,
        caching="live", errors=(503,),
    ),
    Endpoint(
        "/portfolio/trades/history", "Entries of the journal by cursor or time", "History",
        (
            cursor("after", "entries after this cursor, oldest first"),
            cursor("before", "entries before this cursor, newest first"),
            time("since", "entries of this time or later, in Unix seconds"),
            time("until", "entries of this time or earlier, in Unix seconds"),
            ticker("ticker", "entries of one market"),
            LIMIT,
        ),
        history.page, errors=(503,), csv=history.as_csv,
    ),
    Endpoint(
        "/portfolio/summary", "Balance, positions, P&L, counts, bot and last trades", "Summary",
        answer=summary.summary,
    ),
    Endpoint(
        "/portfolio/reconciliation", "The journal against the account: cash, positions, differences",
        "Reconciliation", answer=reconciliation.reconciliation, errors=FAILING,
    ),
    Endpoint(
        "/markets", "Markets", "Markets",
        (
            choice("status", markets.STATUSES, "markets in this state"),
            ticker("event_ticker", "markets of one event"),
            ticker("series_ticker", "markets of one series"),
            TICKERS,
            LIMIT,
            PAGE,
        ),
        markets.listing, caching="market", errors=(404, *FAILING),
    ),
    Endpoint(
        "/markets/{ticker}", "One market", "OneMarket", (ticker("ticker", "the market's ticker", "path"),),
        markets.one, caching="market", errors=(404, *FAILING),
    ),
    Endpoint(
        "/sse/trading", "Journal entries and the bot's status", parameters=(RESUME,), stream="trading",
        events=(*ENTRIES, "bot_status"),
    ),
    Endpoint("/sse/trades", "Journal entries", parameters=(RESUME,), stream="trades", events=ENTRIES),
    Endpoint(
        "/sse/portfolio", "Journal entries, under a second name", parameters=(RESUME,), stream="portfolio",
        events=ENTRIES,
    ),
    Endpoint("/sse/status", "The bot's status", stream="status", events=("bot_status", "heartbeat", "bye")),
    Endpoint("/sse/stats", "Counts of the streams since the start", "Stats", respond=stream_stats.stats),
    Endpoint("/sse/clients", "Open streams, by network", "Clients", respond=stream_stats.clients),
    Endpoint("/health", "Health of every part; 200 while serving", "Health", respond=health.health),
    Endpoint("/health/live", "The process answers", "State", respond=health.live),
    Endpoint("/health/ready", "The journal is writable and the service is not stopping", "State",
             respond=health.ready, errors=(503,)),
    Endpoint("/docs", "The API page", respond=pages.docs, media="text/html"),
    Endpoint("/dashboard", "The browser page", respond=pages.dashboard, media="text/html"),
    Endpoint("/metrics", "Metrics for Prometheus", respond=about.metrics, media="text/plain", errors=(501,)),
    Endpoint("/openapi.json", "This document", "Document", respond=about.openapi),
    Endpoint("/web/{file}", "A module or style of the pages", respond=pages.asset, documented=False),
    Endpoint("", "Name, version, links", "Index", respond=about.index),
)  # fmt: skip
