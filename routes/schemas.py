"""Schemas of all JSON bodies and events, for OpenAPI; the tests hold every answer against them.

They are written in a short notation: `{ticker: text, fee: Dollars?, next?: text}` is an object with two required
members, the first of them a text and the second one null where nobody knows it, and a third one that may be absent.
`[Trade]` is a list, `{*: Dollars}` an object with any names, `BUY|SELL` one of these words, `A|B` one of two schemas,
`A & B` both. A name such as NewTrades is a schema of this module. `answer{…}` has source, as_of and stale first.
"""

import re
from collections import deque
from typing import Any, Final

from journal.entries import KINDS

Schema = dict[str, Any]

PRIMITIVES: Final[dict[str, Schema]] = {
    "text": {"type": "string"}, "int": {"type": "integer"}, "number": {"type": "number"}, "bool": {"type": "boolean"},
    "object": {"type": "object"},
}  # fmt: skip


def schema(text: str) -> Schema:
    """Return the schema that a text in the notation stands for."""
    found = re.findall(r"[{}\[\],:?|&]|[^{}\[\],:?|&]+", text)
    return _union(deque(token for each in found if (token := each.strip())))


def ref(name: str) -> Schema:
    """Return a reference to a schema of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def _union(tokens: deque[str]) -> Schema:
    parts, operator = [_single(tokens)], ""
    while tokens and tokens[0] in ("|", "&"):
        operator = tokens.popleft()
        parts.append(_single(tokens))
    if operator == "|" and "enum" in parts[0]:
        found: Schema = {"type": "string", "enum": [word for part in parts for word in part["enum"]]}
    else:
        found = {"allOf" if operator == "&" else "anyOf": parts} if operator else parts[0]
    if tokens and tokens[0] == "?":
        tokens.popleft()
        return {"anyOf": [found, {"type": "null"}]}
    return found


def _single(tokens: deque[str]) -> Schema:
    token = tokens.popleft()
    if token == "[":
        items = _union(tokens)
        tokens.popleft()
        return {"type": "array", "items": items}
    if token == "answer":
        tokens.popleft()
        return _object(tokens, source=ref("Source"), as_of=ref("Time"), stale=PRIMITIVES["bool"])
    if token == "{":
        return _object(tokens)
    if token in PRIMITIVES:
        return PRIMITIVES[token]
    return ref(token) if re.match("[A-Z][a-z]", token) else {"type": "string", "enum": [token]}


def _object(tokens: deque[str], **members: Schema) -> Schema:
    required = list(members)
    while (name := tokens.popleft()) != "}":
        if name == ",":
            continue
        if tokens.popleft() == "?":
            tokens.popleft()
        elif name not in members:
            required.append(name)
        members[name] = _union(tokens)
    if "*" in members:
        return {"type": "object", "additionalProperties": members["*"]}
    return {"type": "object", "required": required, "properties": members}


VALUES: Final[dict[str, Schema]] = {
    "Time": {"type": "number", "description": "Unix seconds, with a fraction"},
    "Dollars": {"type": "number", "description": "dollars, with their exact decimal text"},
    "Contracts": {"type": "number", "description": "contracts, whole or in hundredths"},
    "Cursor": {
        "type": "string",
        "pattern": "^[a-z0-9]{8}-[0-9]+(-[0-9a-f]{4})?$",
        "description": "a place in the journal",
    },
    "PnlMarkets": {
        "type": "string",
        "enum": ["unsettled"],
        "description": "of which markets; those that paid out are in settlements",
    },
}
RECORDS: Final = {
    "Source": "bot_live|redis_cache|memory_cache|journal|kalshi_api",
    "Mode": "live|demo|paper",
    "Trade": "{seq: int, timestamp: Time, ticker: text, side: BUY|SELL, quantity: Contracts, price: Dollars,"
    " trade_id: text, outcome: yes|no, fee: Dollars?, order_id: text?, origin: bot|account, mode: Mode,"
    " source: Source}",
    "Position": "{ticker: text, title: text?, quantity: Contracts, outcome: yes|no?, cost: Dollars,"
    " average_price: Dollars?, mark: Dollars?, value: Dollars?, unrealized_pnl: Dollars?, realized_pnl: Dollars,"
    " fees: Dollars}",
    "Fill": "{fill_id: text, order_id: text, timestamp: Time, ticker: text, side: BUY|SELL, outcome: yes|no,"
    " quantity: Contracts, price: Dollars, fee: Dollars, is_taker: bool}",
    "Order": "{order_id: text, client_order_id: text?, ticker: text, side: BUY|SELL, outcome: yes|no, status: text,"
    " price: Dollars, quantity: Contracts, filled: Contracts, remaining: Contracts, cost: Dollars, fees: Dollars,"
    " created: Time?, updated: Time?, expires: Time?}",
    "Settlement": "{timestamp: Time, ticker: text, event_ticker: text, result: text, value: Dollars?,"
    " yes_quantity: Contracts, yes_cost: Dollars, no_quantity: Contracts, no_cost: Dollars, revenue: Dollars,"
    " fee: Dollars}",
    "Market": "{ticker: text, event_ticker: text, title: text?, yes_title: text, no_title: text, type: text,"
    " status: text, result: text?, open_time: Time, close_time: Time, expires: Time?, yes_bid: Dollars?,"
    " yes_ask: Dollars?, no_bid: Dollars?, no_ask: Dollars?, last_price: Dollars?, settlement_value: Dollars?,"
    " yes_bid_size: Contracts, yes_ask_size: Contracts, volume: Contracts, volume_24h: Contracts,"
    " open_interest: Contracts, rules?: text}",
    "Entry": f"{{kind: {'|'.join(KINDS)}, seq: int, timestamp: Time, source: text}}",
    "Problem": "{type: text, title: text, status: int, detail: text, instance: text, request_id: text, name?: text,"
    " value?: text, allowed?: text, missing?: [text]}",
    "Failed": "{error: {type: text, status: int, detail: text}}",
    "Part": "{state: text, age: number?, reason: text?, since?: number, next_step?: text}",
    "Client": "{stream: trading|trades|portfolio|status, age: number, position: int?, lag: int, queued: int,"
    " network: text}",
}
EVENTS: Final = {  # by the name of the event
    "new_trades": "NewTrades", "correction": "Correction", "settlement": "SettlementEntry", "transfer": "Transfer",
    "gap": "Gap", "baseline": "Baseline", "reset": "Reset", "heartbeat": "Heartbeat", "bye": "Bye",
    "bot_status": "BotStatus",
}  # fmt: skip
ENTRIES: Final = ("Trade", "Correction", "SettlementEntry", "Transfer", "Gap", "Baseline")
PAYLOADS: Final = {
    "Correction": "Trade & {corrects: int}",
    "SettlementEntry": "{seq: int, timestamp: Time, ticker: text, event_ticker: text, result: text, value: Dollars,"
    " yes_quantity: Contracts, no_quantity: Contracts, revenue: Dollars, fee: Dollars, mode: Mode, source: text}",
    "Transfer": "{seq: int, timestamp: Time, transfer_id: text, direction: deposit|withdrawal, amount: Dollars,"
    " fee: Dollars?, status: text, mode: Mode, source: text}",
    "Gap": "{seq: int, timestamp: Time, why: text, source: text, from: Time, to: Time, from_seq?: int?, to_seq?: int?}",
    "Baseline": "{seq: int, timestamp: Time, positions: [object], mode: Mode, source: text, balance?: Dollars?}",
    "NewTrades": "{trades: [Trade], count: int, source: Source}",
    "BotStatus": "{status: online|offline|stalled, activity: trading|paused|halted|refused|stopped|other?,"
    " since: Time?, mode: Mode?, reason: text?, trades: int?}",
    "Heartbeat": "{timestamp: Time, head: Cursor?}",
    "Reset": "{reason: epoch|future|malformed, head: Cursor?}",
    "Bye": "{reason: shutdown|slow|age|full|busy|away, retry?: number}",
}
BODIES: Final = {
    "Balance": "answer{balance: Dollars, portfolio_value_reported: Dollars, currency: text,"
    " by_exchange_index: {*: Dollars}}",
    "Positions": "answer{positions: [Position], count: int}",
    "Fills": "answer{fills: [Fill], count: int, next: text?}",
    "Orders": "answer{orders: [Order], count: int, next: text?}",
    "Settlements": "answer{settlements: [Settlement], count: int, next: text?}",
    "Live": "answer{as_of: Time?, trades: [Trade], count: int, cursor: Cursor}",
    "History": "answer{entries: [Entry], count: int, next: Cursor?, cursor: Cursor}",
    "Markets": "answer{markets: [Market], count: int, next: text?}",
    "OneMarket": "answer{} & Market",
    "Pnl": "answer{markets: PnlMarkets, realized: Dollars, unrealized: Dollars?, fees: Dollars, unmarked: int}",
    "Lifetime": "answer{mode: Mode?, since: Time?, realized: Dollars?, fees: Dollars?, net: Dollars?, trades: int,"
    " settled_markets: int}",
    "Summary": "answer{as_of: Time?, balance: Balance|Failed, positions: Positions|Failed, pnl: Pnl|Failed,"
    " lifetime: Lifetime|Failed, counts: answer{positions: int?, journal_entries: int, streams: int},"
    " bot: answer{as_of: Time?, status: online|offline|stalled, mode: Mode?, reason: text?, trades: int},"
    " trades: Live|Failed}",
    "Cause": "read late|outside the bot|counted twice|missed|settled meanwhile|method|mark|correction|unknown",
    "Cash": "{opening: Dollars, trades: Dollars, fees: Dollars, settlements: Dollars, deposits: Dollars,"
    " withdrawals: Dollars, transfer_fees: Dollars, expected: Dollars, reported: Dollars, unexplained: Dollars,"
    " other: {*: Dollars}, unreadable: [text]}",
    "Reconciliation": "answer{mode: Mode?, since: Time?, cash: Cash, positions: [{ticker: text, journal: Contracts,"
    " exchange: Contracts, bot: Contracts?, causes: [Cause]}], differences: [{figure: text, ticker: text?,"
    " journal: number, other: number, difference: number, cause: Cause, since: Time, lasting: bool}],"
    " settled_by_revenue: [{ticker: text, revenue: Dollars, difference: Dollars}], sides: {journal: {as_of: Time,"
    " seq: int}, exchange: {as_of: Time, complete_to: Time}, bot: {as_of: Time?}}}",
    "Stats": "answer{open: int, position: int, opened: int, events: int, bytes: int, resumes: {*: int}, ends: {*: int},"
    " slow: int, stalled: int, latency_ms: {p50: number?, p99: number?}, polls: int, gaps: int, workers: int,"
    " uptime: number}",
    "Clients": "answer{clients: [Client], count: int, workers: int}",
    "Health": "{status: ok|degraded, as_of: Time, version: text, uptime: number, access: public|token|spring-session,"
    " journal: {head: Cursor, seq: int, size: int?}, parts: {*: Part}, warnings: [text]}",
    "State": "{status: text}",
    "Document": "object",
    "Index": "answer{name: text, version: text, network: text, links: object}",
}
NAMED: Final[dict[str, Schema]] = {
    **VALUES,
    **{name: schema(text) for name, text in (RECORDS | PAYLOADS | BODIES).items()},
    "JournalEntry": {"oneOf": [ref(name) for name in ENTRIES]},
}
NAMED["Correction"]["description"] = "quantity 0 voids the trade"
