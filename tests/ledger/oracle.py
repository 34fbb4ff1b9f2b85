"""An oracle written from the facts about the exchange: each hundredth of a contract is a coin with its cost.

Run as a program (python -m tests.ledger.oracle) it writes the vectors that the ledger and the page must compute.
"""

import json
import random
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

Json = dict[str, Any]
UNITS = 10**8  # of a dollar
VECTORS = Path(__file__).parents[1] / "vectors" / "ledger"
SIDES = {("BUY", "yes"): True, ("SELL", "no"): True, ("SELL", "yes"): False, ("BUY", "no"): False}


def fraction(value: object) -> Fraction:
    """The exact value of a JSON number by its decimal text."""
    return Fraction(str(value))


def plain(value: Fraction) -> str:
    """The exact decimal text of a fraction with at most eight decimals."""
    text = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    assert Fraction(text) == value, "more than eight decimals"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def rounded(value: Fraction, places: int) -> Fraction:
    """Half up to so many decimals."""
    unit = 10**places
    return Fraction((value * unit * 2 + 1).__floor__() // 2, unit)


class CoinMarket:
    """One market: a queue of coins, each with its cost (None: found by the baseline), all of YES or all of NO."""

    def __init__(self, opening: Json | None) -> None:
        self.coins: deque[int | None] = deque()
        self.yes = True
        self.flow = self.sold = self.paid_for = 0  # 1e-8 dollars
        self.found = 0
        self.found_cost = self.realized_before = self.fees_before = Fraction(0)
        self.fees = Fraction(0)
        self.settled_fee: Fraction | None = None
        self.revenue = Fraction(0)
        self.trades = self.unknown = 0
        if opening is not None:
            quantity = fraction(opening["quantity"])
            self.yes, self.found = quantity > 0, int(abs(quantity) * 100)
            self.found_cost = fraction(opening["cost"]) if quantity else Fraction(0)
            self.coins.extend([None] * self.found)
            self.realized_before = fraction(opening["realized_pnl"])
            self.fees_before = fraction(opening["fees"])

    def trade(self, entry: Json) -> None:
        """A coin that goes against the position closes the oldest one; the others open."""
        self.trades += 1
        if entry["fee"] is None:
            self.unknown += 1
        else:
            self.fees += fraction(entry["fee"])
        price = fraction(entry["price"])
        yes_price = int((price if entry["outcome"] == "yes" else 1 - price) * UNITS) // 100
        buys_yes = SIDES[entry["side"], entry["outcome"]]
        for _ in range(int(fraction(entry["quantity"]) * 100)):
            if self.coins and self.yes != buys_yes:
                self._sell(yes_price if self.yes else UNITS // 100 - yes_price)
            else:
                self.yes = buys_yes
                cost = yes_price if buys_yes else UNITS // 100 - yes_price
                self.coins.append(cost)
                self.flow -= cost

    def _sell(self, got: int) -> None:
        cost = self.coins.popleft()
        self.paid_for += cost or 0
        self.sold += got
        self.flow += got

    def settle(self, entry: Json) -> None:
        """The account is paid the revenue, for any value; the fee repeats what the trades paid."""
        while self.coins:
            self._sell(0)
        self.revenue = fraction(entry["revenue"])
        self.settled_fee = fraction(entry["fee"])

    @property
    def all_fees(self) -> Fraction:
        """Fees of the market from first trade to settlement."""
        reported = self.fees_before + self.fees
        return reported if self.settled_fee is None else max(reported, self.settled_fee)

    @property
    def realized(self) -> Fraction:
        """Profit of what was closed: what came in less what those coins cost."""
        gone = self.found - sum(coin is None for coin in self.coins)
        found_gone = rounded(self.found_cost * gone / self.found, 8) if self.found else Fraction(0)
        return self.realized_before + Fraction(self.sold - self.paid_for, UNITS) + self.revenue - found_gone

    @property
    def cost(self) -> Fraction:
        """Return the cost of the coins that are left."""
        left = sum(coin is None for coin in self.coins)
        gone = rounded(self.found_cost * (self.found - left) / self.found, 8) if self.found else Fraction(0)
        bought = sum(coin for coin in self.coins if coin is not None)
        return Fraction(bought, UNITS) + self.found_cost - gone

    def row(self, ticker: str, mark: str | None) -> Json:
        """The market's figures as decimal text."""
        count = Fraction(len(self.coins), 100)
        cost = self.cost if count else Fraction(0)
        price = None if mark is None or not count else (fraction(mark) if self.yes else 1 - fraction(mark))
        return {
            "ticker": ticker, "quantity": plain(count if self.yes else -count),
            "outcome": ("yes" if self.yes else "no") if count else None, "cost": plain(cost),
            "average_price": plain(rounded(cost / count, 6)) if count else None,
            "mark": None if price is None else plain(price),
            "value": None if price is None else plain(price * count),
            "unrealized_pnl": None if price is None else plain(price * count - cost),
            "realized_pnl": plain(self.realized), "fees": plain(self.all_fees), "trades": self.trades,
            "fees_unknown": 0 if self.settled_fee is not None else self.unknown,
        }  # fmt: skip


def current(entries: list[Json]) -> list[Json]:
    """Trades with the content of their last correction, voided ones left out, and everything else as it is."""
    last = {entry["corrects"]: entry for entry in entries if entry["kind"] == "correction"}
    found = []
    for entry in entries:
        if entry["kind"] == "trade":
            entry = last.get(entry["seq"], entry) | {"kind": "trade", "seq": entry["seq"]}
            if entry["quantity"] == 0:
                continue
        if entry["kind"] != "correction":
            found.append(entry)
    return found


def transferred(entries: list[Json], after: Fraction | None) -> dict[str, Fraction]:
    """Return the cash of transfers by their last state; only an applied one moved money."""
    sums = dict.fromkeys(("deposits", "withdrawals", "transfer_fees"), Fraction(0))
    transfers = [entry for entry in entries if entry["kind"] == "transfer"]
    for entry in {(entry["direction"], entry["transfer_id"]): entry for entry in transfers}.values():
        if entry["status"] != "applied" or (after is not None and fraction(entry["timestamp"]) <= after):
            continue
        sign = 1 if entry["direction"] == "deposit" else -1
        sums["deposits" if sign > 0 else "withdrawals"] += sign * fraction(entry["amount"])
        sums["transfer_fees"] -= fraction(entry["fee"] or 0)
    return sums


def answer(entries: list[Json], marks: dict[str, str]) -> Json:
    """Return rows, sums and cash of one mode's entries."""
    baseline = next((entry for entry in entries if entry["kind"] == "baseline"), None)
    after = fraction(baseline["timestamp"]) if baseline else None
    openings = {row["ticker"]: row for row in baseline["positions"]} if baseline else {}
    moves = [entry for entry in current(entries) if entry["kind"] in ("trade", "settlement")]
    named = {entry["ticker"] for entry in entries if entry["kind"] in ("trade", "correction", "settlement")}
    markets = {ticker: CoinMarket(openings.get(ticker)) for ticker in sorted(named | set(openings))}
    for entry in sorted(moves, key=lambda e: (e["kind"] == "settlement", fraction(e["timestamp"]), e["seq"])):
        if after is None or fraction(entry["timestamp"]) > after:
            market = markets[entry["ticker"]]
            market.trade(entry) if entry["kind"] == "trade" else market.settle(entry)
    rows = [market.row(ticker, marks.get(ticker)) for ticker, market in markets.items()]
    return {"positions": rows, "totals": totals(markets, rows), "cash": cash(markets, transferred(entries, after))}


def totals(markets: dict[str, CoinMarket], rows: list[Json]) -> Json:
    """Sums over markets; unrealized is None where positions are open and no mark is known."""
    realized = sum((market.realized for market in markets.values()), Fraction(0))
    fees = sum((market.all_fees for market in markets.values()), Fraction(0))
    open_rows = [row for row in rows if row["outcome"] is not None]
    known = [fraction(row["unrealized_pnl"]) for row in open_rows if row["unrealized_pnl"] is not None]
    unrealized = sum(known, Fraction(0)) if known or not open_rows else None
    return {
        "realized_pnl": plain(realized), "fees": plain(fees), "net_realized": plain(realized - fees),
        "unrealized_pnl": None if unrealized is None else plain(unrealized), "unmarked": len(open_rows) - len(known),
    }  # fmt: skip


def cash(markets: dict[str, CoinMarket], moved: dict[str, Fraction]) -> Json:
    """Cash by cause since the baseline."""
    causes = {
        "trades": Fraction(sum(market.flow for market in markets.values()), UNITS),
        "fees": sum((market.fees_before - market.all_fees for market in markets.values()), Fraction(0)),
        "settlements": sum((market.revenue for market in markets.values()), Fraction(0)),
        **moved,
    }
    return {name: plain(amount) for name, amount in causes.items()} | {
        "total": plain(sum(causes.values(), Fraction(0)))
    }


def by_mode(entries: list[Json], marks: dict[str, str]) -> Json:
    """The answer for each mode."""
    modes = sorted({entry["mode"] for entry in entries if "mode" in entry})
    return {mode: answer([e for e in entries if e.get("mode", mode) == mode], marks) for mode in modes}


if __name__ == "__main__":
    from tests.ledger.cases import CASES
    from tests.ledger.maker import random_cases

    for name, cases in (("cases", CASES), ("random", random_cases(100, random.Random(20261127)))):
        lines = [
            json.dumps(case | {"expected": by_mode(case["entries"], case["marks"])}, separators=(",", ":"))
            for case in cases
        ]
        (VECTORS / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
