"""Random accounts for the shared vectors, with settlement rows as the exchange writes them."""

import random
from fractions import Fraction

from tests.ledger.cases import Json, baseline, correction, found_position, settlement, trade, transfer
from tests.ledger.oracle import CoinMarket, current, fraction, plain


def random_cases(count: int, rng: random.Random) -> list[Json]:
    """So many accounts, the same for the same state of rng."""
    return [random_case(f"random account {number}", rng) for number in range(1, count + 1)]


def random_case(name: str, rng: random.Random) -> Json:
    """One account: a few markets, trades in any order of time, corrections, settlements, transfers."""
    tickers = [f"EV{number}-YES" for number in range(rng.randint(1, 3))]
    mode = rng.choice(["live", "demo", "paper"])
    entries = [_trade(rng, tickers) for _ in range(rng.randint(1, 22))]
    if rng.random() < 0.5:  # as a bot that is never late has it
        entries.sort(key=lambda entry: entry["timestamp"])
    if rng.random() < 0.5:
        rows = [_found_position(rng, ticker) for ticker in tickers[:2]]
        entries.insert(rng.randint(0, len(entries)), baseline(0, *rows, timestamp=_number(rng, 10_000, 30_000, 1)))
    entries = [entry | {"seq": seq, "mode": mode} for seq, entry in enumerate(entries, 1)]
    trades = [entry for entry in entries if entry["kind"] == "trade"]
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        original = rng.choice(trades)
        changed = _trade(rng, [original["ticker"]])
        content = {name: changed[name] for name in ("side", "outcome", "price", "fee")}
        quantity = rng.choice([0, changed["quantity"]])
        entries.append(original | correction(len(entries) + 1, original["seq"], **content) | {
            "quantity": quantity, "timestamp": original["timestamp"], "ticker": original["ticker"], "mode": mode,
        })  # fmt: skip
    for number in range(rng.choice([0, 0, 1, 3])):
        state = rng.choice(["applied", "applied", "pending", "failed", "returned"])
        direction = rng.choice(["deposit", "withdrawal"])
        entries.append(transfer(len(entries) + 1, f"x{number % 2}", _number(rng, 1, 90_000, 2), status=state, mode=mode,
                                direction=direction, fee=rng.choice([None, 0, 2.5]), timestamp=50_000))  # fmt: skip
    for ticker in tickers:
        if rng.random() < 0.4:
            entries.append(_settlement(rng, entries, ticker) | {"seq": len(entries) + 1, "mode": mode})
    marks = {
        ticker: plain(Fraction(rng.randint(1, 9999), 10_000)) for ticker in tickers if rng.random() < 0.8
    }  # fmt: skip
    return {"name": name, "entries": entries, "marks": marks}


def _number(rng: random.Random, low: int, high: int, places: int) -> float:
    return round(rng.randint(low, high) / float(10**places), places)


def _trade(rng: random.Random, tickers: list[str]) -> Json:
    return trade(
        0, timestamp=_number(rng, 10_000, 60_000, 1), ticker=rng.choice(tickers),
        side=rng.choice(["BUY", "SELL"]), outcome=rng.choice(["yes", "yes", "no"]),
        quantity=rng.randint(1, 12) if rng.random() < 0.6 else _number(rng, 1, 1200, 2),
        price=_number(rng, 1, 99, 2) if rng.random() < 0.5 else _number(rng, 1, 9999, 4),
        fee=rng.choice([None, 0, 0.07, 0.0175, _number(rng, 0, 30_000, 6)]),
    )  # fmt: skip


def _found_position(rng: random.Random, ticker: str) -> Json:
    quantity = _number(rng, -900, 900, 2)
    cost = _number(rng, 0, 90_000, 4) if quantity else 0
    return found_position(ticker, quantity, cost, _number(rng, 0, 9000, 4), _number(rng, -90_000, 90_000, 4))


def _settlement(rng: random.Random, entries: list[Json], ticker: str) -> Json:
    """The row that the exchange writes for what the account did in this market."""
    found = next((entry for entry in entries if entry["kind"] == "baseline"), None)
    openings = {row["ticker"]: row for row in found["positions"]} if found else {}
    market = CoinMarket(openings.get(ticker))
    bought = {
        True: max(fraction((openings.get(ticker) or {"quantity": 0})["quantity"]), Fraction(0)),
        False: Fraction(0),
    }
    bought[False] = bought[True] - fraction((openings.get(ticker) or {"quantity": 0})["quantity"])
    trades = [entry for entry in current(entries) if entry["kind"] == "trade" and entry["ticker"] == ticker]
    for entry in sorted(trades, key=lambda each: (fraction(each["timestamp"]), each["seq"])):
        if found is None or fraction(entry["timestamp"]) > fraction(found["timestamp"]):
            market.trade(entry)
            yes = (entry["side"] == "BUY") == (entry["outcome"] == "yes")
            bought[yes] += fraction(entry["quantity"])
    result = rng.choice(["yes", "no", "scalar", "void"])
    value: float = {"yes": 1, "no": 0, "scalar": _number(rng, 0, 100, 2), "void": 0.5}[result]
    net = bought[True] - bought[False]
    paid = abs(net) * (fraction(value) if net >= 0 else 1 - fraction(value))
    revenue = Fraction((paid * 100).__floor__(), 100)
    if result == "scalar" and rng.random() < 0.2:
        revenue = Fraction((abs(net) * 100 * (1 - (paid / abs(net) if net else 0))).__floor__(), 100)
    rounding = rng.choice([Fraction(0), Fraction(0), Fraction(1, 50), Fraction(-1, 50)])
    fee = max(market.all_fees + rounding, Fraction(0))
    return settlement(
        0, timestamp=_number(rng, 60_001, 70_000, 1), ticker=ticker, result=result, value=value,
        yes_quantity=float(bought[True]), no_quantity=float(bought[False]), revenue=float(revenue), fee=float(fee),
    )  # fmt: skip
