"""Named cases of the shared vectors: small accounts whose figures can be checked by hand."""

from decimal import Decimal
from typing import Any

Json = dict[str, Any]


def trade(seq: int, **fields: Any) -> Json:
    """A trade's entry; the defaults buy 10 YES at 0.60."""
    return {
        "kind": "trade", "seq": seq, "timestamp": 1000 + seq, "ticker": "A", "side": "BUY", "outcome": "yes",
        "quantity": 10, "price": 0.6, "fee": 0.1, "trade_id": f"t{seq}", "order_id": None, "origin": "bot",
        "mode": "live", "source": "bot_live", **fields,
    }  # fmt: skip


def correction(seq: int, corrects: int, **fields: Any) -> Json:
    """The entry that replaces the content of the trade at corrects."""
    content = trade(corrects, **fields)
    return content | {"kind": "correction", "seq": seq, "corrects": corrects}


def settlement(seq: int, **fields: Any) -> Json:
    """A settlement's entry; the defaults pay 10 YES."""
    return {
        "kind": "settlement", "seq": seq, "timestamp": 2000 + seq, "ticker": "A", "event_ticker": "E", "result": "yes",
        "value": 1, "yes_quantity": 10, "no_quantity": 0, "revenue": 10, "fee": 0.1, "mode": "live",
        "source": "kalshi_api", **fields,
    }  # fmt: skip


def baseline(seq: int, *positions: Json, **fields: Any) -> Json:
    """The account as it was found."""
    return {
        "kind": "baseline", "seq": seq, "timestamp": 1000, "balance": 100, "positions": list(positions),
        "mode": "live", "source": "kalshi_api", **fields,
    }  # fmt: skip


def found_position(ticker: str, quantity: float, cost: float, fees: float = 0, realized: float = 0) -> Json:
    """A position of a baseline."""
    return {"ticker": ticker, "quantity": quantity, "cost": cost, "realized_pnl": realized, "fees": fees}


def transfer(seq: int, transfer_id: str, amount: float | Decimal, **fields: Any) -> Json:
    """A completed deposit, with other fields if given."""
    return {
        "kind": "transfer", "seq": seq, "timestamp": 1000 + seq, "direction": "deposit", "amount": amount, "fee": None,
        "transfer_id": transfer_id, "status": "applied", "mode": "live", "source": "kalshi_api", **fields,
    }  # fmt: skip


def case(name: str, *entries: Json, **marks: str) -> Json:
    """One vector."""
    return {"name": name, "entries": list(entries), "marks": marks}


CASES = [
    case("a settlement repeats the fees of its market's trades",
         trade(1, quantity=4, fee=0.1), trade(2, quantity=6, fee=0.075), settlement(3, fee=0.175)),
    case("a settlement brings the fees that the trades did not report",
         trade(1, quantity=4, fee=None), trade(2, quantity=6, fee=None), settlement(3, fee=0.175)),
    case("a settlement brings only the part of the fees that is new",
         trade(1, quantity=4, fee=None), trade(2, quantity=6, fee=0.075), settlement(3, fee=0.175)),
    case("fees that the baseline holds are not paid again",
         baseline(1, found_position("A", 10, 6, fees=0.35)), settlement(2, fee=0.35)),
    case("the revenue counts where the value means the payout of the other side",
         trade(1, outcome="no", quantity=1, price=0.75, fee=0.0132),
         settlement(2, result="scalar", value=0.82, yes_quantity=0, no_quantity=1, revenue=0.82, fee=0.0132)),
    case("a scalar payout comes in whole cents",
         trade(1, quantity=19, price=0.4, fee=0), trade(2, outcome="no", quantity=18.86, price=0.5, fee=0),
         settlement(3, result="scalar", value=0.45, yes_quantity=19, no_quantity=18.86, revenue=0.06, fee=0)),
    case("a flat market settles with gross counts and no revenue",
         trade(1, quantity=99, price=0.4, fee=0.5), trade(2, outcome="no", quantity=99, price=0.55, fee=0.5),
         settlement(3, yes_quantity=99, no_quantity=99, revenue=0, fee=1)),
    case("a void market returns half a dollar for either side",
         trade(1, price=0.3, fee=0.2),
         settlement(2, result="void", value=0.5, revenue=5, fee=0.2)),
    case("a settlement floor pays YES contracts although the result is no",
         trade(1, price=0.3, fee=0.2), settlement(2, result="no", value=0.05, revenue=0.5, fee=0.2)),
    case("a sale beyond the position closes YES and opens NO",
         trade(1, price=0.4), trade(2, side="SELL", quantity=15, price=0.55), A="0.5"),
    case("buying NO closes YES first",
         trade(1, price=0.4), trade(2, outcome="no", quantity=4, price=0.45), A="0.5"),
    case("selling NO closes NO first",
         trade(1, outcome="no", price=0.4), trade(2, side="SELL", outcome="no", quantity=4, price=0.45), A="0.5"),
    case("lots close first in, first out",
         trade(1, price=0.2), trade(2, price=0.8), trade(3, side="SELL", quantity=12, price=0.5), A="0.5"),
    case("a baseline's cost that does not divide evenly is never lost in parts",
         baseline(1, found_position("A", 3, 1)), trade(2, side="SELL", quantity=1, price=0.5, fee=0),
         trade(3, side="SELL", quantity=1, price=0.5, fee=0), A="0.5"),
    case("entries until the baseline are included in it",
         trade(1, timestamp=990), baseline(2, found_position("A", 10, 6, fees=0.1)), settlement(3, timestamp=995),
         trade(4, timestamp=1000), trade(5, quantity=1), A="0.5"),
    case("a position that the baseline does not hold was not there",
         trade(1, timestamp=990), baseline(2)),
    case("a trade that comes late stands at its time",
         trade(1, timestamp=1001, price=0.2), trade(2, timestamp=1003, side="SELL", quantity=5, price=0.5),
         trade(3, timestamp=1000, price=0.8), A="0.5"),
    case("a trade that comes after its market has settled was paid by the settlement",
         trade(1, quantity=4), settlement(2), trade(3, quantity=6, timestamp=1002)),
    case("a correction replaces the content of its trade",
         trade(1), trade(2, side="SELL", quantity=5, price=0.7), correction(3, 1, price=0.5), A="0.6"),
    case("a correction to 0 voids its trade",
         trade(1), trade(2, quantity=5, price=0.7), correction(3, 1, quantity=0), A="0.6"),
    case("a correction moves a trade to another market",
         trade(1), correction(2, 1, ticker="B"), A="0.6", B="0.7"),
    case("a second correction moves a trade on to a third market",
         trade(1), correction(2, 1, ticker="B", side="SELL"), correction(3, 1, ticker="C", quantity=4),
         A="0.6", B="0.7", C="0.5"),
    case("a second correction moves a trade back",
         trade(1), correction(2, 1, ticker="B", quantity=3), correction(3, 1, side="SELL"), A="0.6", B="0.7"),
    case("a voided trade that is corrected again counts in its new market",
         trade(1), correction(2, 1, ticker="B", quantity=0), correction(3, 1, ticker="C"), A="0.6", C="0.7"),
    case("the last of two corrections counts",
         trade(1), correction(2, 1, price=0.5), correction(3, 1, price=0.55, quantity=9), A="0.6"),
    case("a correction of a settled market",
         trade(1), settlement(2), correction(3, 1, price=0.65)),
    case("deposits and withdrawals count once they are applied",
         baseline(1), transfer(2, "d1", 50, status="pending"), transfer(3, "d1", 50, fee=0.5),
         transfer(4, "w1", 20, direction="withdrawal", fee=2), transfer(5, "d2", 10, status="failed"),
         transfer(6, "d3", 10), transfer(7, "d3", 10, status="returned"), transfer(8, "d4", 5, timestamp=999)),
    case("unrealized profit is unknown where nobody says what a position is worth", trade(1)),
    case("unrealized profit leaves out what has no mark", trade(1), trade(2, ticker="B"), A="0.65"),
    case("modes have books of their own", trade(1), trade(2, mode="paper", price=0.3), A="0.5"),
    case("a market maker's quiet moment",
         baseline(1, found_position("A", -5, 2.5, fees=0.05, realized=1.25)),
         trade(2, price=0.41, fee=0.0175), trade(3, side="SELL", quantity=7.5, price=0.45, fee=None),
         trade(4, outcome="no", price=0.52, fee=0.0181), trade(5, ticker="B", price=0.0001, fee=0.0001),
         settlement(6, ticker="B", result="no", value=0, revenue=0, fee=0.0001), A="0.455"),
]  # fmt: skip
