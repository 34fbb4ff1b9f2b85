"""Backtests against stored results: a change that only makes them faster must leave every digit as it was.

A change of strategies, engine, venue or exchange that is meant to alter results stores new ones: the failing test
shows them.
"""

from hashlib import sha256

import pytest

from bot.backtest.simulation import BacktestOptions, BacktestRun
from bot.strategies import load_strategy

SEED = 7
# by strategy and crowd: profit, fees, worst, fills, contracts, markouts after 10, 60 and 300 s, digest of all trades
STORED: dict[tuple[str, str], tuple[str, ...]] = {
    ("maker", "stock"): (
        "-0.86090000", "0.7614", "-2.11550000", "157", "472",
        "0.08922413793103448275862068966", "0.3804147465437788018433179724", "-0.2035117056856187290969899666",
        "959bfa308a0ce9cb",
    ),
    ("maker", "informed"): (
        "-4.26810000", "0.3281", "-4.20810000", "201", "606",
        "-0.08955223880597014925373134328", "-0.1104240282685512367491166078", "-0.2293956043956043956043956044",
        "3c3dde5fcebb9184",
    ),
    ("maker", "drifting"): (
        "-9.75830000", "0.6483", "-10.09520000", "166", "498",
        "0.03586065573770491803278688525", "-0.4924078091106290672451193059", "-0.5361445783132530120481927711",
        "1b0f888a3637ae0a",
    ),
    ("maker", "gapping"): (
        "1.16130000", "0.9037", "-0.69400000", "172", "541",
        "-0.4477611940298507462686567164", "-0.01383399209486166007905138340", "0.2552910052910052910052910053",
        "fb32096cef4c059b",
    ),
    ("maker", "toxic"): (
        "-10.41200000", "0.5970", "-11.04700000", "141", "488",
        "-1.090436590436590436590436590", "-1.492239467849223946784922395", "-2.734104046242774566473988439",
        "f3b06e8a62ac43b2",
    ),
    ("reversion", "stock"): (
        "0.072300", "0.227700", "-0.223800", "3", "15",
        "0.00", "-0.500", "None",
        "e8288dae09b3c2bc",
    ),
    ("reversion", "informed"): (
        "-1.594200", "0.444200", "-1.694200", "6", "30",
        "-1.500", "-2.666666666666666666666666667", "-4.333333333333333333333333333",
        "2de617916687fd85",
    ),
    ("reversion", "drifting"): (
        "-3.583600", "0.433600", "-3.683600", "6", "30",
        "-0.8333333333333333333333333333", "-2.666666666666666666666666667", "-2.00",
        "401496f067e54743",
    ),
    ("reversion", "gapping"): (
        "-3.45780000", "0.782800", "-3.38280000", "11", "55",
        "-1.818181818181818181818181818", "-2.3500", "-4.37500",
        "51ceba206ffdfce6",
    ),
    ("reversion", "toxic"): (
        "-2.13760000", "1.537600", "-2.38760000", "20", "100",
        "-1.12500", "1.1500", "0.5384615384615384615384615385",
        "b367af04bc2cb38b",
    ),
}  # fmt: skip


async def result_of(strategy: str, crowd: str) -> tuple[str, ...]:
    """Run fifteen virtual minutes and return every figure of the result, and a digest of the trades one by one."""
    options = BacktestOptions(crowd=crowd, hours=0.25, interval=15.0, pace=0.5, markets=8)
    run = BacktestRun([load_strategy(strategy)], SEED, options)
    result = await run.run()
    names = ("timestamp", "ticker", "side", "quantity", "price", "fee", "fill_id", "decided_at", "mid")
    trades = [[str(trade[name]) for name in names] for trade in run.state.trade_log.last(10_000).trades]
    assert len(trades) == result.fills
    figures = (result.profit, result.fees, result.worst, result.fills, result.contracts, *result.markouts)
    return (*(str(figure) for figure in figures), sha256(repr(trades).encode()).hexdigest()[:16])


@pytest.mark.parametrize(("strategy", "crowd"), STORED)
async def test_a_backtest_gives_the_stored_result_to_the_last_digit(strategy: str, crowd: str) -> None:
    """One seed and the same flags: profit, fees, fills, markouts and each trade are those that were stored."""
    assert await result_of(strategy, crowd) == STORED[strategy, crowd]
