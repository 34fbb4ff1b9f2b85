"""The table of a backtest: one line for each seed, then means and deviations."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import mean, stdev

from bot.backtest.markouts import HORIZONS
from bot.backtest.simulation import BacktestResult

_HEAD = ("seed", "P&L $", "fees $", "worst $", "fills", "contracts", "maker %", *(f"{h} s ¢" for h in HORIZONS))


def table_of(results: Sequence[BacktestResult]) -> str:
    """Return the results as text. Markouts are cents per contract."""
    rows = [_row(str(result.seed), result) for result in results]
    columns = _columns(results)
    rows.append(("mean", *(f"{mean(column):.2f}" if column else "-" for column in columns)))
    rows.append(("deviation", *(f"{stdev(column):.2f}" if len(column) > 1 else "-" for column in columns)))
    widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [_HEAD, *rows]]
    won = sum(1 for result in results if result.profit > 0)
    return "\n".join([*lines, f"{won} of {len(results)} seeds with a profit"])


def as_json(results: Sequence[BacktestResult]) -> list[dict[str, object]]:
    """Return the results as JSON-ready values."""
    return [
        {
            "seed": r.seed, "profit": r.profit, "fees": r.fees, "worst": r.worst, "fills": r.fills,
            "contracts": r.contracts, "maker_contracts": r.maker_contracts,
            "markouts": {str(h): _rounded(value) for h, value in zip(HORIZONS, r.markouts, strict=True)},
        }
        for r in results
    ]  # fmt: skip


def _row(name: str, r: BacktestResult) -> tuple[str, ...]:
    maker = f"{r.maker_contracts / r.contracts * 100:.0f}" if r.contracts else "-"
    return (
        name, f"{r.profit:.2f}", f"{r.fees:.2f}", f"{r.worst:.2f}", str(r.fills), f"{r.contracts:.0f}", maker,
        *("-" if value is None else f"{value:.2f}" for value in r.markouts),
    )  # fmt: skip


def _columns(results: Sequence[BacktestResult]) -> list[list[float]]:
    """Return the numbers of each column of the table after the first."""
    columns: list[list[Decimal]] = [
        [r.profit for r in results], [r.fees for r in results], [r.worst for r in results],
        [Decimal(r.fills) for r in results], [r.contracts for r in results],
        [r.maker_contracts / r.contracts * 100 for r in results if r.contracts],
        *([value for r in results if (value := r.markouts[i]) is not None] for i in range(len(HORIZONS))),
    ]  # fmt: skip
    return [[float(value) for value in column] for column in columns]


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, 4)
