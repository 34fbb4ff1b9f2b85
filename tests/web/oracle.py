"""An independent oracle of positions and profit: each hundredth of a contract is a coin in a queue, sums are fractions.

Run as a program it writes vectors.json, the cases that the page's modules must answer to the last digit.
"""

import json
import random
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors.json"
COUNT = 300
SEED = 20261122

Json = dict[str, Any]


def plain(value: Fraction) -> str:
    """The exact decimal text of a fraction with at most eight decimals."""
    text = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    assert Fraction(text) == value, "more decimals than the page keeps"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def rounded(value: Fraction, places: int) -> Fraction:
    """Half up to so many decimals."""
    unit = 10**places
    return Fraction((value * unit * 2 + 1).__floor__() // 2, unit)


class Market:
    """One ticker, replayed from its beginning over sorted entries."""

    def __init__(self, opening: Json | None, after: Decimal) -> None:
        self.after = after
        self.coins: deque[Fraction | None] = deque()  # cost of each hundredth, None for one found at the start
        self.yes = True
        self.gain = Fraction(0)
        self.found = self.found_left = 0
        self.found_cost = Fraction(0)
        self.realized = self.fees = Fraction(0)
        self.trades = self.unknown = 0
        if opening:
            quantity = Fraction(str(opening["quantity"]))
            self.yes, self.found = quantity > 0, int(abs(quantity) * 100)
            self.found_cost = Fraction(str(opening["cost"])) if quantity else Fraction(0)
            self.found_left = self.found
            self.coins.extend([None] * self.found)
            self.realized = Fraction(str(opening["realized_pnl"]))
            self.fees = Fraction(str(opening["fees"]))

    def apply(self, entry: Json) -> None:
        if Decimal(str(entry["timestamp"])) <= self.after:
            return
        if entry["fee"] is None:
            self.unknown += 1
        else:
            self.fees += Fraction(str(entry["fee"]))
        if "result" in entry:
            self._give(len(self.coins), Fraction(str(entry["value"])))
            return
        self.trades += 1
        price = Fraction(str(entry["price"]))
        yes_price = price if entry["outcome"] == "yes" else 1 - price
        buys_yes = (entry["side"], entry["outcome"]) in (("BUY", "yes"), ("SELL", "no"))
        self._trade(int(Fraction(str(entry["quantity"])) * 100), buys_yes, yes_price)

    def _trade(self, units: int, buys_yes: bool, yes_price: Fraction) -> None:
        if self.coins and self.yes != buys_yes:
            closed = min(units, len(self.coins))
            self._give(closed, yes_price)
            units -= closed
        if units:
            self.yes = buys_yes
            self.coins.extend([(yes_price if buys_yes else 1 - yes_price) / 100] * units)

    def _give(self, units: int, yes_price: Fraction) -> None:
        for _ in range(units):
            cost = self.coins.popleft()
            self.gain += (yes_price if self.yes else 1 - yes_price) / 100 - (cost or 0)
            self.found_left -= cost is None

    def row(self, ticker: str, mark: str | None) -> Json:
        """What the page must show."""
        gone = rounded(self.found_cost * (self.found - self.found_left) / self.found, 8) if self.found else Fraction(0)
        cost = sum((coin for coin in self.coins if coin is not None), Fraction(0)) + self.found_cost - gone
        count = Fraction(len(self.coins), 100)
        held = None if mark is None or not count else (Fraction(mark) if self.yes else 1 - Fraction(mark))
        return {
            "ticker": ticker, "quantity": plain(count if self.yes else -count),
            "outcome": ("yes" if self.yes else "no") if count else None, "cost": plain(cost),
            "average_price": plain(rounded(cost / count, 6)) if count else None,
            "mark": None if held is None else plain(held),
            "value": None if held is None else plain(held * count),
            "unrealized_pnl": None if held is None else plain(held * count - cost),
            "realized_pnl": plain(self.realized + self.gain - gone), "fees": plain(self.fees),
            "trades": self.trades, "fees_unknown": self.unknown,
        }  # fmt: skip


def answer(entries: Sequence[Json], marks: dict[str, str]) -> dict[str, list[Json]]:
    """Rows by mode, sorted by ticker, of entries in any order."""
    modes: dict[str, list[Json]] = {}
    for entry in entries:
        modes.setdefault(entry["mode"], []).append(entry)
    return {mode: _rows(kept, marks) for mode, kept in modes.items()}


def _rows(entries: Sequence[Json], marks: dict[str, str]) -> list[Json]:
    baseline = next((entry for entry in entries if "positions" in entry), None)
    found = {row["ticker"]: row for row in baseline["positions"]} if baseline else {}
    after = Decimal(str(baseline["timestamp"])) if baseline else Decimal("-Infinity")
    tickers = {entry["ticker"] for entry in entries if "positions" not in entry} | set(found)
    markets = {ticker: Market(found.get(ticker), after) for ticker in tickers}
    for entry in sorted(entries, key=lambda e: (Decimal(str(e["timestamp"])), e["seq"])):
        if "positions" not in entry:
            markets[entry["ticker"]].apply(entry)
    return [markets[ticker].row(ticker, marks.get(ticker)) for ticker in sorted(tickers)]


class Maker:
    """Makes cases. Every number is drawn as a decimal text, so that JSON keeps it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, low: int, high: int, places: int) -> float:
        return round(self.random.randint(low, high) / 10**places, places)

    def trade(self, tickers: Sequence[str], mode: str) -> Json:
        cents = self.random.random() < 0.5
        whole = self.random.random() < 0.6
        return {
            "timestamp": self.number(10_000, 60_000, 1), "ticker": self.random.choice(tickers),
            "side": self.random.choice(["BUY", "SELL"]), "outcome": self.random.choice(["yes", "yes", "no"]),
            "quantity": self.random.randint(1, 12) if whole else self.number(1, 1200, 2),
            "price": self.number(1, 99, 2) if cents else self.number(1, 9999, 4),
            "fee": self.random.choice([None, 0, 0.07, 0.0175, self.number(0, 30_000, 6)]),
            "trade_id": "t", "mode": mode,
        }  # fmt: skip

    def settlement(self, ticker: str, mode: str, at: float) -> Json:
        result = self.random.choice(["yes", "no", "scalar", "void"])
        value = {"yes": 1, "no": 0, "scalar": self.number(0, 10_000, 4), "void": self.number(0, 100, 2)}[result]
        return {
            "timestamp": at, "ticker": ticker, "result": result, "value": value,
            "fee": self.random.choice([0, 0.02]), "mode": mode,
        }  # fmt: skip

    def baseline(self, tickers: Sequence[str], mode: str) -> Json:
        rows = []
        for ticker in tickers:
            quantity = self.number(-900, 900, 2)
            cost = self.number(0, 90_000, 4) if quantity else 0
            profit, fees = self.number(-90_000, 90_000, 4), self.number(0, 9000, 4)
            rows.append({"ticker": ticker, "quantity": quantity, "cost": cost, "realized_pnl": profit, "fees": fees})
        return {"timestamp": self.number(10_000, 30_000, 1), "positions": rows, "mode": mode}

    def case(self, number: int) -> Json:
        """A few markets, a score of trades that come in no order of time, one to three modes."""
        tickers = [f"EV{n}-YES" for n in range(self.random.randint(1, 3))]
        modes = self.random.choice([["live"], ["demo"], ["live", "paper"], ["live", "demo", "paper"]])
        entries = [self.trade(tickers, self.random.choice(modes)) for _ in range(self.random.randint(1, 22))]
        for mode in modes:
            if self.random.random() < 0.5:
                entries.insert(self.random.randint(0, len(entries)), self.baseline(tickers[:2], mode))
            if self.random.random() < 0.4:
                settled = self.settlement(tickers[0], mode, self.number(40_000, 70_000, 1))
                entries.insert(self.random.randint(0, len(entries)), settled)
        if self.random.random() < 0.5:  # as a bot that is never late has it
            entries.sort(key=lambda entry: entry["timestamp"])
        entries = [{"seq": seq, **entry} for seq, entry in enumerate(entries, 1)]
        marked = [ticker for ticker in tickers if self.random.random() < 0.8]
        marks = {ticker: plain(Fraction(self.random.randint(1, 9999), 10_000)) for ticker in marked}
        return {"name": f"case {number}", "entries": entries, "marks": marks, "answer": answer(entries, marks)}


def vectors() -> str:
    """The text of vectors.json: one case a line, the same on every machine."""
    maker = Maker(SEED)
    lines = [json.dumps(maker.case(number), separators=(",", ":")) for number in range(1, COUNT + 1)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    VECTORS.write_text(vectors())
