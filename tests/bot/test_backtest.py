"""Tests of backtests: equal by seed, in agreement with the exchange, and markouts by hand."""

import pytest

from bot.__main__ import main
from bot.backtest.figures import BEGIN, END, row_of, with_table
from bot.backtest.in_process_client import in_process_client
from bot.backtest.markouts import HORIZONS, MarkoutRecorder
from bot.backtest.report import table_of
from bot.backtest.simulated_market_data import SimulatedMarketData
from bot.backtest.simulation import BacktestOptions, BacktestResult, BacktestRun
from bot.clock import BotClock
from bot.market_data import MarketData
from bot.strategies import load_strategy
from simulator.clock import VirtualClock
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import ExchangeOptions
from tests.support.in_process_bot import InProcessBot
from tests.support.trading import D, wish

SHORT = BacktestOptions(crowd="toxic", hours=0.1, interval=15.0, pace=0.5, markets=6)


async def run_once(seed: int) -> tuple[BacktestResult, BacktestRun]:
    """Run the maker for six minutes."""
    run = BacktestRun([load_strategy("maker")], seed, SHORT)
    return await run.run(), run


async def test_a_backtest_is_equal_by_seed_and_differs_between_seeds() -> None:
    """The same seed gives the same fills to the last digit."""
    first, run = await run_once(1)
    assert first.fills > 0
    assert (await run_once(1))[0] == first
    assert (await run_once(2))[0] != first
    assert run.engine.trouble == ""


async def test_a_backtest_s_books_are_those_of_the_exchange() -> None:
    """Positions, fees and profit: what the bot reports is what happened."""
    result, run = await run_once(3)
    ledger = run.exchange.admin("GET", "/ledger").body
    theirs = {row["ticker"]: D(row["position_fp"]) for row in ledger["positions"] if D(row["position_fp"])}
    ours = {ticker: book.quantity for ticker, book in run.state.positions.by_ticker.items() if book.quantity}
    assert ours == theirs
    assert run.state.trade_log.seq == len(ledger["fills"]) == result.fills
    assert result.fees == sum((D(row["fee_cost"]) for row in ledger["fills"]), D(0))


@pytest.mark.parametrize("crowd", [pytest.param("stock", marks=pytest.mark.slow), "toxic"])
async def test_market_data_without_requests_equals_what_requests_read(crowd: str) -> None:
    """Quotes, strikes and the choice of markets are the same for half a day, in which markets open, close and pay."""
    time = VirtualClock()
    exchange = InProcessExchange(ExchangeOptions(seed=5, crowd=crowd, pace=0.01, tier="prestige"), time)
    client, markets = in_process_client(exchange), exchange.exchange.engine.markets
    by_requests = MarketData(client, time, time)
    direct = SimulatedMarketData(client, markets, BotClock(time, time))
    results = set()
    for _ in range(24):
        quotes = await direct.quotes([*markets, "UNKNOWN"])
        assert quotes == await by_requests.quotes([*markets, "UNKNOWN"])
        assert direct.strikes == by_requests.strikes
        assert await direct.choose(20) == await by_requests.choose(20) != []
        results |= {(quote.active, quote.value is None) for quote in quotes.values()}
        exchange.advance(1800.0)
    assert results == {(True, True), (False, True), (False, False)}


async def test_markouts_measure_the_mid_after_each_horizon() -> None:
    """Bought 5 at 50 cents: the mid stays for 10 s, is 45 cents after a minute, and settles at a dollar."""
    bot = InProcessBot()
    ticker = bot.market(bid="0.4500", ask="0.5500")
    recorder = MarkoutRecorder(bot.exchange)
    bot.exchange.subscribe(recorder.on_event)
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "5.00", "price": "0.5000"})
    recorder.advance(20.0)
    bot.quote(ticker, "0.4000", "0.5000")
    recorder.advance(60.0)
    bot.exchange.admin("POST", "/settle", {"ticker": ticker, "result": "yes"})
    recorder.advance(300.0)
    assert (recorder.fills, recorder.contracts, recorder.maker_contracts) == (1, D(5), D(5))
    assert dict(zip(HORIZONS, recorder.cents(), strict=True)) == {10: 0, 60: -5, 300: 50}


def test_the_table_has_a_line_for_each_seed_and_means() -> None:
    """Seeds without a fill have no markout, and do not count in its mean."""
    results = [
        BacktestResult(1, D("-3"), D("0.5"), D("-4"), 10, D(50), D(25), (D("-1"), D("-2"), None)),
        BacktestResult(2, D("1"), D("0"), D("0"), 0, D(0), D(0), (None, None, None)),
    ]
    lines = table_of(results).splitlines()
    assert lines[0].split()[:3] == ["seed", "P&L", "$"]
    assert lines[1].split() == ["1", "-3.00", "0.50", "-4.00", "10", "50", "50", "-1.00", "-2.00", "-"]
    assert lines[3].split()[:4] == ["mean", "-1.00", "0.25", "-2.00"]
    assert lines[3].split()[7:] == ["-1.00", "-2.00", "-"]
    assert lines[-1] == "1 of 2 seeds with a profit"


def test_figures_replace_the_table_between_the_marks_of_a_document() -> None:
    """Means over the seeds; the rest of the document stays, and without marks nothing is written."""
    results = [
        BacktestResult(1, D("-3"), D("0.5"), D("-4"), 10, D(50), D(25), (D("-1"), D("-2"), None)),
        BacktestResult(2, D("1"), D("0"), D("0"), 2, D(10), D(0), (None, D("-4"), None)),
    ]
    row = row_of("maker", "toxic", results)
    assert row[2:] == ("-1.00 $", "2.83 $", "1.00 $, -3.00 $", "1 of 2", "6", "-1.00 ¢", "-3.00 ¢", "-")
    text = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n", "caption", [row])
    assert text.startswith(f"before\n{BEGIN}\ncaption\n\n| strategy | crowd |")
    assert text.endswith(f"| 1 of 2 | 6 | -1.00 ¢ | -3.00 ¢ | - |\n{END}\nafter\n")
    with pytest.raises(ValueError, match="one pair of marks"):
        with_table("no marks", "caption", [row])


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """One seed in a process of its own; a mistyped strategy is code 2."""
    flags = ["--seeds", "1", "--hours", "0.02", "--markets", "3", "--crowd", "stock"]
    assert main(["backtest", "maker", *flags]) == 0
    shown = capsys.readouterr()
    assert "maker, crowd stock, 0.02 h" in shown.out
    assert "mean" in shown.out
    assert "seed 1:" in shown.err
    assert main(["backtest", "martingale", *flags]) == 2
    assert "maker, reversion" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--seeds", "0", "expected an integer from 1 to 10000, got '0'"),
        ("--hours", "nan", "expected a number from 0.001 to 10000, got 'nan'"),
        ("--hours", "-1", "expected a number from 0.001 to 10000, got '-1'"),
        ("--interval", "0", "expected a number from 0.1 to 3600, got '0'"),
        ("--pace", "1000000000", "expected a number from 0.001 to 10, got '1000000000'"),
        ("--markets", "0", "expected an integer from 1 to 100, got '0'"),
        ("--order-size", "NaN", "expected a number above 0, at most 1000000, got 'NaN'"),
        ("--max-position", "x", "expected a number above 0, at most 1000000, got 'x'"),
    ],
)
def test_a_flag_without_sense_is_named(capsys: pytest.CaptureFixture[str], flag: str, value: str, words: str) -> None:
    """Code 2 before anything runs."""
    with pytest.raises(SystemExit) as ended:
        main(["backtest", "maker", f"{flag}={value}"])
    assert ended.value.code == 2
    assert f"argument {flag}: {words}" in capsys.readouterr().err
