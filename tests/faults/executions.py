"""The executions that really happened, read from the exchange's ledger or from the log of a paper bot."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

SIDES = {"bid": "BUY", "ask": "SELL"}


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution. key: the fields that every report of it must have; at: Unix seconds."""

    key: str
    at: float


def key(ticker: str, side: str, quantity: object, price: object) -> str:
    """Return ticker, side, quantity and price in YES terms as one text; only twins share one."""
    return f"{ticker} {side} {Decimal(str(quantity)):.2f} {Decimal(str(price)):.4f}"


def of_ledger(rows: Iterable[Mapping[str, Any]]) -> list[Execution]:
    """Return the executions in the exchange's rows of fills."""
    return [
        Execution(
            key(row["ticker"], SIDES[row["book_side"]], row["count_fp"], row["yes_price_dollars"]),
            datetime.fromisoformat(row["created_time"]).timestamp(),
        )
        for row in rows
    ]


def of_log(path: Path) -> list[Execution]:
    """Return the executions in the log of a paper bot."""
    output = [json.loads(line).get("did") for line in path.read_text().splitlines()]
    return [
        Execution(key(did["ticker"], did["side"], did["quantity"], did["price"]), did["timestamp"])
        for did in output
        if did
    ]


def by_key(executions: Iterable[Execution]) -> dict[str, list[float]]:
    """Return the time of each execution; equal ones share a key."""
    found: dict[str, list[float]] = defaultdict(list)
    for each in executions:
        found[each.key].append(each.at)
    return dict(found)
