"""Schemas of all JSON bodies, for OpenAPI; the tests hold every answer against them."""

from typing import Any

from journal.entries import KINDS

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}


def maybe(schema: Schema) -> Schema:
    """The schema, or null where the exchange or the bot did not say."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """A reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def words(*allowed: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(allowed)}


def shape(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with these members, and perhaps others that come later."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def answer(**members: Schema) -> Schema:
    """A body that says where it comes from and how old it is."""
    provenance = {"source": ref("Source"), "as_of": ref("Time"), "stale": FLAG}
    return shape(**{**provenance, **members})


MODE = words("live", "demo", "paper")

TRADE = shape(
    seq=WHOLE,
    timestamp=ref("Time"),
    ticker=TEXT,
    side=words("BUY", "SELL"),
    quantity=ref("Contracts"),
    price=ref("Dollars"),
    trade_id=TEXT,
    outcome=words("yes", "no"),
    fee=maybe(ref("Dollars")),
    order_id=maybe(TEXT),
    origin=words("bot", "account"),
    mode=MODE,
    source=ref("Source"),
)

POSITION = shape(
    ticker=TEXT,
    title=maybe(TEXT),
    quantity=ref("Contracts"),
    outcome=maybe(words("yes", "no")),
    cost=ref("Dollars"),
    average_price=maybe(ref("Dollars")),
    mark=maybe(ref("Dollars")),
    value=maybe(ref("Dollars")),
    unrealized_pnl=maybe(ref("Dollars")),
    realized_pnl=ref("Dollars"),
    fees=ref("Dollars"),
)

FILL = shape(
    fill_id=TEXT,
    order_id=TEXT,
    timestamp=ref("Time"),
    ticker=TEXT,
    side=words("BUY", "SELL"),
    outcome=words("yes", "no"),
    quantity=ref("Contracts"),
    price=ref("Dollars"),
    fee=ref("Dollars"),
    is_taker=FLAG,
)

ORDER = shape(
    order_id=TEXT,
    client_order_id=maybe(TEXT),
    ticker=TEXT,
    side=words("BUY", "SELL"),
    outcome=words("yes", "no"),
    status=TEXT,
    price=ref("Dollars"),
    quantity=ref("Contracts"),
    filled=ref("Contracts"),
    remaining=ref("Contracts"),
    cost=ref("Dollars"),
    fees=ref("Dollars"),
    created=maybe(ref("Time")),
    updated=maybe(ref("Time")),
    expires=maybe(ref("Time")),
)

SETTLEMENT = shape(
    timestamp=ref("Time"),
    ticker=TEXT,
    event_ticker=TEXT,
    result=TEXT,
    value=maybe(ref("Dollars")),
    yes_quantity=ref("Contracts"),
    yes_cost=ref("Dollars"),
    no_quantity=ref("Contracts"),
    no_cost=ref("Dollars"),
    revenue=ref("Dollars"),
    fee=ref("Dollars"),
)

PRICES = ("yes_bid", "yes_ask", "no_bid", "no_ask", "last_price", "settlement_value")  # null: nobody quotes it
SIZES = ("yes_bid_size", "yes_ask_size", "volume", "volume_24h", "open_interest")

MARKET = shape(
    {"rules": TEXT},
    ticker=TEXT,
    event_ticker=TEXT,
    title=maybe(TEXT),
    yes_title=TEXT,
    no_title=TEXT,
    type=TEXT,
    status=TEXT,
    result=maybe(TEXT),
    open_time=ref("Time"),
    close_time=ref("Time"),
    expires=maybe(ref("Time")),
    **{name: maybe(ref("Dollars")) for name in PRICES},
    **{name: ref("Contracts") for name in SIZES},
)

BY_NAME: Schema = {"type": "object", "additionalProperties": WHOLE}

STATS = answer(
    open=WHOLE,
    position=WHOLE,
    opened=WHOLE,
    events=WHOLE,
    bytes=WHOLE,
    resumes=BY_NAME,
    ends=BY_NAME,
    slow=WHOLE,
    stalled=WHOLE,
    latency_ms=shape(p50=maybe(NUMBER), p99=maybe(NUMBER)),
    polls=WHOLE,
    gaps=WHOLE,
    workers=WHOLE,
    uptime=NUMBER,
)

CLIENT = shape(
    stream=words("trading", "trades", "portfolio", "status"),
    age=NUMBER,
    position=maybe(WHOLE),
    lag=WHOLE,
    queued=WHOLE,
    network=TEXT,
)

ENTRY = shape(
    kind=words(*KINDS),
    seq=WHOLE,
    timestamp=ref("Time"),
    source=TEXT,
)

PROBLEM = shape(
    {"name": TEXT, "value": TEXT, "allowed": TEXT, "missing": many(TEXT)},
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    instance=TEXT,
    request_id=TEXT,
)

PART = shape({"since": NUMBER, "next_step": TEXT}, state=TEXT, age=maybe(NUMBER), reason=maybe(TEXT))
NEVER = maybe(ref("Time"))  # as_of of what nobody may have confirmed yet
PNL = answer(
    markets={**words("unsettled"), "description": "of which markets; those that paid out are in settlements"},
    realized=ref("Dollars"),
    unrealized=maybe(ref("Dollars")),
    fees=ref("Dollars"),
    unmarked=WHOLE,
)
LIFETIME = answer(
    mode=maybe(words("live", "demo", "paper")), since=maybe(ref("Time")), realized=maybe(ref("Dollars")),
    fees=maybe(ref("Dollars")), net=maybe(ref("Dollars")), trades=WHOLE, settled_markets=WHOLE,
)  # fmt: skip
CASH = shape(**{
    name: ref("Dollars")
    for name in (
        "opening", "trades", "fees", "settlements", "deposits", "withdrawals", "transfer_fees", "expected", "reported",
        "unexplained",
    )
}, other={"type": "object", "additionalProperties": ref("Dollars")}, unreadable=many(TEXT))  # fmt: skip
CAUSES = words(
    "read late", "outside the bot", "counted twice", "missed", "settled meanwhile", "method", "mark", "correction",
    "unknown",
)  # fmt: skip
DIFFERENCE = shape(
    figure=TEXT, ticker=maybe(TEXT), journal=NUMBER, other=NUMBER, difference=NUMBER, cause=CAUSES, since=ref("Time"),
    lasting=FLAG,
)  # fmt: skip
SIDES = shape(
    journal=shape(as_of=ref("Time"), seq=WHOLE), exchange=shape(as_of=ref("Time"), complete_to=ref("Time")),
    bot=shape(as_of=maybe(ref("Time"))),
)  # fmt: skip
RECONCILIATION = answer(
    mode=maybe(words("live", "demo", "paper")), since=maybe(ref("Time")), cash=CASH,
    positions=many(shape(
        ticker=TEXT, journal=ref("Contracts"), exchange=ref("Contracts"), bot=maybe(ref("Contracts")),
        causes=many(CAUSES),
    )),
    differences=many(DIFFERENCE),
    settled_by_revenue=many(shape(ticker=TEXT, revenue=ref("Dollars"), difference=ref("Dollars"))),
    sides=SIDES,
)  # fmt: skip
FAILED = shape(error=shape(type=TEXT, status=WHOLE, detail=TEXT))

NAMED: dict[str, Schema] = {
    "Source": words("bot_live", "redis_cache", "memory_cache", "journal", "kalshi_api"),
    "Time": {"type": "number", "description": "Unix seconds, with a fraction"},
    "Dollars": {"type": "number", "description": "dollars, with their exact decimal text"},
    "Contracts": {"type": "number", "description": "contracts, whole or in hundredths"},
    "Cursor": {
        "type": "string",
        "pattern": "^[a-z0-9]{8}-[0-9]+(-[0-9a-f]{4})?$",
        "description": "a place in the journal",
    },
    "Trade": TRADE,
    "Position": POSITION,
    "Fill": FILL,
    "Market": MARKET,
    "Entry": ENTRY,
    "Problem": PROBLEM,
    "Part": PART,
    "ByExchange": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Dollars"}},
    "Balance": answer(
        balance=ref("Dollars"),
        portfolio_value_reported=ref("Dollars"),
        currency=TEXT,
        by_exchange_index=ref("ByExchange"),
    ),
    "Positions": answer(positions=many(ref("Position")), count=WHOLE),
    "Fills": answer(fills=many(ref("Fill")), count=WHOLE, next=maybe(TEXT)),
    "Order": ORDER,
    "Settlement": SETTLEMENT,
    "Orders": answer(orders=many(ref("Order")), count=WHOLE, next=maybe(TEXT)),
    "Settlements": answer(settlements=many(ref("Settlement")), count=WHOLE, next=maybe(TEXT)),
    "Live": answer(as_of=NEVER, trades=many(ref("Trade")), count=WHOLE, cursor=ref("Cursor")),
    "History": answer(entries=many(ref("Entry")), count=WHOLE, next=maybe(ref("Cursor")), cursor=ref("Cursor")),
    "Markets": answer(markets=many(ref("Market")), count=WHOLE, next=maybe(TEXT)),
    "OneMarket": {"allOf": [answer(), ref("Market")]},
    "Summary": answer(
        as_of=NEVER,
        balance={"anyOf": [ref("Balance"), FAILED]},
        positions={"anyOf": [ref("Positions"), FAILED]},
        pnl={"anyOf": [PNL, FAILED]},
        lifetime={"anyOf": [LIFETIME, FAILED]},
        counts=answer(positions=maybe(WHOLE), journal_entries=WHOLE, streams=WHOLE),
        bot=answer(
            as_of=NEVER,
            status=words("online", "offline", "stalled"),
            mode=maybe(MODE),
            reason=maybe(TEXT),
            trades=WHOLE,
        ),
        trades={"anyOf": [ref("Live"), FAILED]},
    ),
    "Reconciliation": RECONCILIATION,
    "Stats": STATS,
    "Clients": answer(clients=many(CLIENT), count=WHOLE, workers=WHOLE),
    "Health": shape(
        status=words("ok", "degraded"),
        as_of=ref("Time"),
        version=TEXT,
        uptime=NUMBER,
        access=words("public", "token", "spring-session"),
        journal=shape(head=ref("Cursor"), seq=WHOLE, size=maybe(WHOLE)),
        parts={"type": "object", "additionalProperties": ref("Part")},
        warnings=many(TEXT),
    ),
    "State": shape(status=TEXT),
    "Document": ANYTHING,
    "Index": answer(name=TEXT, version=TEXT, network=TEXT, links=ANYTHING),
}
