"""The payloads of the streams' events as OpenAPI schemas, and an entry of the journal as one of six kinds."""

from typing import Final

from routes.schemas import ANYTHING, NUMBER, TEXT, TRADE, WHOLE, Schema, many, maybe, ref, shape, words

MODE: Final = words("live", "demo", "paper")
PLACE: Final = {"seq": WHOLE, "timestamp": ref("Time")}


def one_of(*names: str) -> Schema:
    """Return a schema that fits if one of these named schemas does."""
    return {"oneOf": [ref(name) for name in names]}


ENTRIES: Final[dict[str, Schema]] = {
    "Correction": {**shape(**TRADE["properties"], corrects=WHOLE), "description": "quantity 0 voids the trade"},
    "SettlementEntry": shape(
        **PLACE, ticker=TEXT, event_ticker=TEXT, result=TEXT, value=ref("Dollars"), yes_quantity=ref("Contracts"),
        no_quantity=ref("Contracts"), revenue=ref("Dollars"), fee=ref("Dollars"), mode=MODE, source=TEXT,
    ),
    "Transfer": shape(
        **PLACE, transfer_id=TEXT, direction=words("deposit", "withdrawal"), amount=ref("Dollars"),
        fee=maybe(ref("Dollars")), status=TEXT, mode=MODE, source=TEXT,
    ),
    "Gap": shape(
        {"from_seq": maybe(WHOLE), "to_seq": maybe(WHOLE)}, **PLACE, why=TEXT, source=TEXT,
        **{"from": ref("Time"), "to": ref("Time")},
    ),
    "Baseline": shape({"balance": maybe(ref("Dollars"))}, **PLACE, positions=many(ANYTHING), mode=MODE, source=TEXT),
    "JournalEntry": one_of("Trade", "Correction", "SettlementEntry", "Transfer", "Gap", "Baseline"),
    "NewTrades": shape(trades=many(ref("Trade")), count=WHOLE, source=ref("Source")),
    "BotStatus": shape(
        status=words("online", "offline", "stalled"),
        activity=maybe(words("trading", "paused", "halted", "refused", "stopped", "other")),
        since=maybe(ref("Time")), mode=maybe(MODE), reason=maybe(TEXT), trades=maybe(WHOLE),
    ),
    "Heartbeat": shape(timestamp=ref("Time"), head=maybe(ref("Cursor"))),
    "Reset": shape(reason=words("epoch", "future", "malformed"), head=maybe(ref("Cursor"))),
    "Bye": shape({"retry": NUMBER}, reason=words("shutdown", "slow", "age", "full", "busy", "away")),
}  # fmt: skip
EVENTS: Final = {
    "new_trades": "NewTrades", "correction": "Correction", "settlement": "SettlementEntry", "transfer": "Transfer",
    "gap": "Gap", "baseline": "Baseline", "reset": "Reset", "heartbeat": "Heartbeat", "bye": "Bye",
    "bot_status": "BotStatus",
}  # fmt: skip
