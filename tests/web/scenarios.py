"""Accounts for the page: an ordinary day, and one with 40 positions, long titles, large and tiny amounts."""

from __future__ import annotations

import random
import time
from typing import Any

Json = dict[str, Any]
DAY = 86_400

EVENTS = (
    (
        "KXHIGHNYC-26NOV27",
        "Highest temperature in New York City on November 27, 2026?",
        ("B54.5", "B56.5", "T58"),
        "{0}° to {1}°",
    ),
    (
        "KXBTCD-26NOV2717",
        "Bitcoin price on November 27, 2026 at 5pm EST?",
        ("T88000", "T92000", "T96000"),
        "${0:,} or above",
    ),
    (
        "KXBTCD-26NOV2718",
        "Bitcoin price on November 27, 2026 at 6pm EST?",
        ("T88000", "T92000", "T96000"),
        "${0:,} or above",
    ),
    (
        "KXFEDDECISION-26DEC17",
        "What will the Federal Reserve do at its meeting of December 2026?",
        ("C25", "H0", "H25"),
        "{1}",
    ),
    (
        "KXCPIYOY-26DEC11",
        "Will yearly inflation be above the mark in the report of December 11?",
        ("T28", "T29", "T30"),
        "Above {2}%",
    ),
)
DECISIONS = {"C25": "Cut of 25 basis points", "H0": "No change", "H25": "Hike of 25 basis points"}
LONG = (
    "Will the Republican nominee for the House of Representatives in the third district of {} win by more than {} "
    "points in the special election"
)


def market(event: str, title: str, strike: str, outcome: str, bid: float | None, chance: random.Random) -> Json:
    """Return a market as the API lists it."""
    ask = None if bid is None else round(bid + 0.02, 2)
    return {
        "ticker": f"{event}-{strike}",
        "event_ticker": event,
        "title": title,
        "yes_title": outcome,
        "no_title": outcome,
        "type": "binary",
        "status": "active",
        "result": None,
        "settlement_value": None,
        "yes_bid": bid,
        "yes_ask": ask,
        "last_price": bid,
        "volume": chance.randint(0, 90_000),
        "volume_24h": chance.randint(0, 9000),
        "open_interest": chance.randint(0, 4000),
        "close_time": time.time() + chance.randint(3600, 9 * DAY),
    }


def ordinary_markets() -> list[Json]:
    """Return the markets of an ordinary day."""
    chance, found = random.Random(3), []
    for event, title, strikes, words in EVENTS:
        for at, strike in enumerate(strikes):
            number = float(strike[1:]) if strike[0] in "TB" else 0
            outcome = DECISIONS.get(strike) or words.format(int(number), int(number) + 1, number / 10)
            found.append(market(event, title, strike, outcome, round(0.3 + at * 0.15, 2), chance))
    return found


def large_markets() -> list[Json]:
    """Return 40 markets with long titles, whose strikes differ in one word or in the ticker alone."""
    chance, found = random.Random(5), []
    for number in range(40):
        state = ("Pennsylvania", "North Carolina", "Massachusetts", "Washington")[number // 10]
        points = number % 10 + 1
        outcome = f"By {points}.5 points or more, as certified by the state" if number % 2 else "Republican candidate"
        event = f"KXHOUSEMARGIN{state[:4].upper()}-26NOV03R"
        found.append(market(event, LONG.format(state, points), f"B{points}P5", outcome, 0.01 + number / 50, chance))
    return found


def trade(ticker: str, timestamp: float, chance: random.Random, **fields: Any) -> Json:
    """Return a trade entry without its seq."""
    return {
        "timestamp": round(timestamp, 3),
        "ticker": ticker,
        "side": chance.choice(["BUY", "BUY", "SELL"]),
        "quantity": chance.randint(1, 20),
        "price": chance.randint(20, 80) / 100,
        "trade_id": f"t{chance.random()}",
        "outcome": chance.choice(["yes", "yes", "no"]),
        "fee": 0.0175,
        "order_id": "o1",
        "origin": "bot",
        "mode": "demo",
        "source": "bot_live",
        **fields,
    }


def ordinary(count: int = 220) -> list[Json]:
    """Return the entries of ten days: a baseline, trades, settlements, a gap, a deposit and a correction."""
    chance, now = random.Random(7), time.time()
    tickers = [each["ticker"] for each in ordinary_markets()]
    entries: list[Json] = [{"timestamp": now - 10 * DAY, "positions": [], "mode": "demo", "source": "journal"}]
    entries += [
        trade(chance.choice(tickers), now - 10 * DAY + (at + 1) * (10 * DAY - 60) / count, chance)
        for at in range(count)
    ]
    paid = {
        "event_ticker": EVENTS[1][0],
        "value": 1,
        "yes_quantity": 12,
        "no_quantity": 4,
        "revenue": 12,
        "fee": 0.2,
        "mode": "demo",
        "source": "kalshi_api",
    }
    middle = count // 2
    entries[middle:middle] = [
        {"timestamp": now - 4 * DAY, "ticker": tickers[5], "result": "yes", **paid},
        {
            "timestamp": now - 4 * DAY,
            "from": now - 4.1 * DAY,
            "to": now - 4 * DAY,
            "why": "the bot's window moved on",
            "source": "journal",
        },
        {
            "timestamp": now - 3.9 * DAY,
            "transfer_id": "d1",
            "direction": "deposit",
            "amount": 250,
            "fee": 0,
            "status": "applied",
            "mode": "demo",
            "source": "kalshi_api",
        },
    ]
    entries.append({**trade(entries[-1]["ticker"], now - 60, chance), "quantity": 5, "corrects": len(entries)})
    return [{"seq": seq, **entry} for seq, entry in enumerate(entries, 1)]


def large() -> list[Json]:
    """Return the entries of 40 positions from a cent to $10M, with prices down to $0.0001."""
    chance, now = random.Random(9), time.time()
    entries = []
    for number, each in enumerate(large_markets()):
        quantity = (0.01, 9999, 1_000_000, 25, 17_500_000.25, 3)[number % 6]
        price = (0.0001, 0.65, 0.5275, 0.99, 0.57, 0.05)[number % 6]
        entries.append(
            trade(
                each["ticker"],
                now - 5000 + number * 100,
                chance,
                side="BUY",
                outcome=("yes", "no")[number % 2],
                quantity=quantity,
                price=price,
                fee=round(quantity * 0.0175, 4),
            )
        )
        if number % 3 == 0:
            entries.append(
                trade(
                    each["ticker"],
                    now - 4990 + number * 100,
                    chance,
                    side="SELL",
                    outcome=("yes", "no")[number % 2],
                    quantity=quantity / 2 if quantity > 1 else quantity,
                    price=0.4444,
                    fee=0.07,
                )
            )
    return [{"seq": seq, **entry} for seq, entry in enumerate(entries, 1)]


def many(count: int) -> list[Json]:
    """Return count trades of one day in the markets of an ordinary day."""
    chance, now = random.Random(13), time.time()
    tickers = [each["ticker"] for each in ordinary_markets()]
    return [
        {"seq": seq, **trade(chance.choice(tickers), now - DAY + DAY * seq / (count + 1), chance)}
        for seq in range(1, count + 1)
    ]


def positions_of(markets: list[Json]) -> list[Json]:
    """Return account positions that bring titles and marks of the markets."""
    return [
        {
            "ticker": each["ticker"],
            "title": each["title"],
            "quantity": 1,
            "outcome": "yes",
            "cost": 0.5,
            "average_price": 0.5,
            "mark": round(each["yes_bid"] + 0.01, 2),
            "value": 0.5,
            "unrealized_pnl": 0,
            "realized_pnl": 0,
            "fees": 0,
        }
        for each in markets
        if each["yes_bid"] is not None
    ]


RECONCILIATION: Json = {
    "cash": {
        "opening": 9_924.55,
        "trades": -182.44,
        "fees": -4.11,
        "settlements": 12.0,
        "deposits": 250.0,
        "withdrawals": 0,
        "transfer_fees": 0,
        "expected": 10_000.0,
        "reported": 10_000.0,
        "unexplained": 0.0,
        "other": {},
        "unreadable": ["interest", "rebates"],
    },
    "value": {"journal": 291.96, "exchange": 291.92, "difference": -0.04, "cause": "mark"},
    "positions": [],
    "differences": [
        {
            "figure": "realized_pnl",
            "ticker": "KXCPIYOY-26DEC11-T28",
            "journal": 0.06,
            "other": 0.071,
            "difference": 0.011,
            "cause": "method",
            "since": time.time() - 300,
            "lasting": True,
        }
    ],
}
