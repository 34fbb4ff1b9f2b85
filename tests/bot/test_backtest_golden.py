"""Backtests against stored results: a change that only makes them faster must leave every digit as it was.

A change of strategies, engine, venue or exchange that is meant to alter results stores new ones: the failing test
shows them.
"""

from decimal import Decimal
from hashlib import sha256

import pytest

from bot.backtest.simulation import BacktestOptions, BacktestRun
from bot.strategies import load_strategy

SEED = 7
# by strategy and crowd: profit, fees, worst, fills, contracts, markouts after 10, 60 and 300 s, digest of all trades
STORED: dict[tuple[str, str], tuple[str, ...]] = {
    ("maker", "stock"): (
        "-0.8609", "0.7614", "-2.1155", "157", "472",
        "0.08922413793103448275862068966", "0.3804147465437788018433179724", "-0.2035117056856187290969899666",
        "8921b82cd128f394",
    ),
    ("maker", "informed"): (
        "-4.2681", "0.3281", "-4.2081", "201", "606",
        "-0.08955223880597014925373134328", "-0.1104240282685512367491166078", "-0.2293956043956043956043956044",
        "d59c38853a232419",
    ),
    ("maker", "drifting"): (
        "-9.7583", "0.6483", "-10.0952", "166", "498",
        "0.03586065573770491803278688525", "-0.4924078091106290672451193059", "-0.5361445783132530120481927711",
        "fa82e929e561efdf",
    ),
    ("maker", "gapping"): (
        "1.1613", "0.9037", "-0.694", "172", "541",
        "-0.4477611940298507462686567164", "-0.0138339920948616600790513834", "0.2552910052910052910052910053",
        "80cde24d0de6c857",
    ),
    ("maker", "toxic"): (
        "-10.412", "0.597", "-11.047", "141", "488",
        "-1.09043659043659043659043659", "-1.492239467849223946784922395", "-2.734104046242774566473988439",
        "9c5386fd011bc259",
    ),
    ("reversion", "stock"): (
        "0.0723", "0.2277", "-0.2238", "3", "15",
        "0", "-0.5", "None",
        "8e3f0c1d5706514f",
    ),
    ("reversion", "informed"): (
        "-1.5942", "0.4442", "-1.6942", "6", "30",
        "-1.5", "-2.666666666666666666666666667", "-4.333333333333333333333333333",
        "06bb3060fd6cb415",
    ),
    ("reversion", "drifting"): (
        "-3.5836", "0.4336", "-3.6836", "6", "30",
        "-0.8333333333333333333333333333", "-2.666666666666666666666666667", "-2",
        "241df97c68e46ef6",
    ),
    ("reversion", "gapping"): (
        "-3.4578", "0.7828", "-3.3828", "11", "55",
        "-1.818181818181818181818181818", "-2.35", "-4.375",
        "1d1bd7b91955c50a",
    ),
    ("reversion", "toxic"): (
        "-2.1376", "1.5376", "-2.3876", "20", "100",
        "-1.125", "1.15", "0.5384615384615384615384615385",
        "2408af4cceef878b",
    ),
}  # fmt: skip


def text(value: object) -> str:
    """A value as text; numbers without zeros at their end, which depend on the order of additions."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


async def result_of(strategy: str, crowd: str) -> tuple[str, ...]:
    """Run fifteen virtual minutes and return every figure of the result, and a digest of the trades one by one."""
    options = BacktestOptions(crowd=crowd, hours=0.25, interval=15.0, pace=0.5, markets=8)
    run = BacktestRun([load_strategy(strategy)], SEED, options)
    result = await run.run()
    names = ("timestamp", "ticker", "side", "quantity", "price", "fee", "fill_id", "decided_at", "mid")
    trades = [[text(trade[name]) for name in names] for trade in run.state.trade_log.last(10_000).trades]
    assert len(trades) == result.fills
    figures = (result.profit, result.fees, result.worst, result.fills, result.contracts, *result.markouts)
    return (*(text(figure) for figure in figures), sha256(repr(trades).encode()).hexdigest()[:16])


# Two of each strategy, with and without jumps of the price; every crowd runs with scripts/test --all.
DEFAULT = {("maker", "stock"), ("maker", "toxic"), ("reversion", "informed"), ("reversion", "gapping")}
CASES = [pytest.param(*case, marks=[] if case in DEFAULT else [pytest.mark.slow]) for case in STORED]


@pytest.mark.parametrize(("strategy", "crowd"), CASES)
async def test_a_backtest_gives_the_stored_result_to_the_last_digit(strategy: str, crowd: str) -> None:
    """One seed and the same flags: profit, fees, fills, markouts and each trade are those that were stored."""
    assert await result_of(strategy, crowd) == STORED[strategy, crowd]
