"""Tests of the bot's page: its example works."""

import re
from pathlib import Path

from bot.strategies import load_strategies
from bot.strategy_types import PlaceOrder
from tests.support.trading import D, quote, view

PAGE = Path(__file__).parents[2] / "docs" / "bot.md"


def test_the_example_strategy_works_with_its_parameters(tmp_path: Path) -> None:
    """The page's code and TOML, as files: it buys what is cheap enough and lasts, and nothing else."""
    text = PAGE.read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    toml = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert code is not None
    assert toml is not None
    (tmp_path / "my_strategy.py").write_text(code[1])
    (tmp_path / "parameters.toml").write_text(toml[1])
    names = (str(tmp_path / "my_strategy.py"), "maker")
    mine, maker = load_strategies(names, str(tmp_path / "parameters.toml"))
    assert (mine.name, maker.name) == ("my_strategy", "maker")
    cheap = quote("0.13", "0.15", close_time=7200.0)
    [wanted] = mine.decide(view(cheap))
    assert isinstance(wanted, PlaceOrder)
    assert (wanted.side, wanted.price, wanted.quantity) == ("BUY", D("0.15"), D(1))
    assert mine.decide(view(quote("0.14", "0.16", close_time=7200.0))) == []
    assert mine.decide(view(quote("0.13", "0.15", close_time=7199.0))) == []
    assert mine.decide(view(cheap, cash=D("0.15"))) == [], "the fee must be paid too"
    wide = [intent.price for intent in maker.decide(view()) if isinstance(intent, PlaceOrder)]
    assert wide == [D("0.48"), D("0.52")], "least_half moves the quotes away from the mid"
