"""The ledger of a whole list of entries at once, for reports and tests."""

from collections.abc import Iterable

from ledger.account_ledger import AccountLedger
from ledger.market_book import OnClose
from ledger.records import Body


def fold(entries: Iterable[tuple[str, Body]], on_close: OnClose | None = None) -> AccountLedger:
    """Return the ledger of entries (kind and body, in the order of their seq) with every market in order.

    on_close receives each closed tax lot, market by market. Raises RecordError.
    """
    ledger = AccountLedger()
    by_ticker: dict[str, list[tuple[str, Body]]] = {}
    traded: dict[int, str] = {}
    for kind, body in entries:
        ledger.apply(kind, body)
        if kind in ("trade", "correction", "settlement"):
            by_ticker.setdefault(body["ticker"], []).append((kind, body))
        if kind == "trade":
            traded[body["seq"]] = body["ticker"]
        elif kind == "correction" and (ticker := traded.get(ledger.corrected_by.get(body["seq"], 0))) is not None:
            ledger.correct_ticker(ticker)
    for ticker in sorted(ledger.unordered if on_close is None else ledger.books):
        ledger.replay(ticker, by_ticker.get(ticker, []), on_close)
    return ledger
