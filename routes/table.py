"""Every URL below the prefix: its parameters, body, errors and handler. Routes, checks and OpenAPI come from here."""

from functools import partial
from typing import Final

from routes import account, health, history, pages
from routes.endpoint import LIMIT, PAGE, RESUME, TICKERS, Endpoint, choice, cursor, ticker, time

ENTRIES: Final = (
    "new_trades", "correction", "settlement", "transfer", "gap", "baseline", "reset", "heartbeat", "bye",
)  # fmt: skip
FAILING: Final = (502, 503)
HISTORY: Final = (
    cursor("after", "entries after this cursor, oldest first"),
    cursor("before", "entries before this cursor, newest first"),
    time("since", "entries of this time or later, in Unix seconds"),
    time("until", "entries of this time or earlier, in Unix seconds"),
    ticker("ticker", "entries of one market"),
    LIMIT,
)
MARKETS: Final = (
    choice("status", ("unopened", "open", "paused", "closed", "settled"), "markets in this state"),
    ticker("event_ticker", "markets of one event"),
    ticker("series_ticker", "markets of one series"),
    TICKERS,
    LIMIT,
    PAGE,
)

TABLE: Final = (
    Endpoint("/portfolio/balance", "Cash, in dollars", "Balance",
             answer=lambda services, _: services.portfolio.balance(), errors=FAILING),
    Endpoint("/portfolio/positions", "Positions with marks and P&L", "Positions",
             answer=lambda services, _: services.portfolio.positions(), errors=FAILING),
    Endpoint("/portfolio/fills", "The account's fills, newest first", "Fills", (LIMIT, PAGE),
             lambda services, query: services.portfolio.fills(query["limit"], query["cursor"]), errors=FAILING),
    Endpoint("/portfolio/orders", "The account's orders", "Orders",
             (LIMIT, PAGE, choice("status", ("resting", "canceled", "executed"), "orders in this state")),
             lambda services, query: services.portfolio.orders(query["limit"], query["cursor"], query["status"]),
             errors=FAILING),
    Endpoint("/portfolio/settlements", "Markets that paid out, newest first", "Settlements", (LIMIT, PAGE),
             lambda services, query: services.portfolio.settlements(query["limit"], query["cursor"]), errors=FAILING),
    Endpoint("/portfolio/trades/live", "The newest trades, newest first", "Live", (LIMIT,),
             lambda services, query: history.newest(services, query["limit"]), caching="live", errors=(503,)),
    Endpoint("/portfolio/trades/history", "Entries of the journal by cursor or time", "History", HISTORY,
             history.page, errors=(503,), csv=history.as_csv),
    Endpoint("/portfolio/summary", "Balance, positions, P&L, counts, bot and last trades", "Summary",
             answer=account.summary),
    Endpoint("/portfolio/reconciliation", "The journal against the account: cash, positions, differences",
             "Reconciliation", answer=account.reconciliation, errors=FAILING),
    Endpoint("/markets", "Markets", "Markets", MARKETS,
             lambda services, query: services.markets.list(query), caching="market", errors=(404, *FAILING)),
    Endpoint("/markets/{ticker}", "One market", "OneMarket", (ticker("ticker", "the market's ticker", "path"),),
             lambda services, query: services.markets.one(query["ticker"]), caching="market", errors=(404, *FAILING)),
    Endpoint("/sse/trading", "Journal entries and the bot's status", parameters=(RESUME,), stream="trading",
             events=(*ENTRIES, "bot_status")),
    Endpoint("/sse/trades", "Journal entries", parameters=(RESUME,), stream="trades", events=ENTRIES),
    Endpoint("/sse/portfolio", "Journal entries, under a second name", parameters=(RESUME,), stream="portfolio",
             events=ENTRIES),
    Endpoint("/sse/status", "The bot's status", stream="status", events=("bot_status", "heartbeat", "bye")),
    Endpoint("/sse/stats", "Counts of the streams since the start", "Stats", respond=health.stats),
    Endpoint("/sse/clients", "Open streams, by network", "Clients", respond=health.clients),
    Endpoint("/health", "Health of every part; 200 while serving", "Health", respond=health.health),
    Endpoint("/health/live", "The process answers", "State", respond=health.live),
    Endpoint("/health/ready", "The journal is writable and the service is not stopping", "State",
             respond=health.ready, errors=(503,)),
    Endpoint("/docs", "The API page", respond=partial(pages.asset, name="docs.html"), media="text/html"),
    Endpoint("/dashboard", "The browser page", respond=partial(pages.asset, name="dashboard.html"), media="text/html"),
    Endpoint("/metrics", "Metrics for Prometheus", respond=pages.metrics, media="text/plain", errors=(501,)),
    Endpoint("/openapi.json", "This document", "Document", respond=pages.openapi),
    Endpoint("/web/{file}", "A module or style of the pages", respond=pages.asset, documented=False),
    Endpoint("", "Name, version, links", "Index", respond=pages.index),
)  # fmt: skip
