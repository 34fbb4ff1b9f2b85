"""`python server.py report`: tax lots as CSV, a page that stands alone, and figures that agree with the ledger."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from commands import report
from journal.dsn import open_journal
from journal.entries import Draft
from tests.support import drafts

DAY = Decimal(86400)


def trade(number: int, side: str, quantity: int, price: str, **changes: object) -> Draft:
    """A trade in market A, number hours after the first one."""
    values = {
        "ticker": "A", "side": side, "quantity": Decimal(quantity), "price": Decimal(price), "trade_id": f"t{number}",
        "fee": Decimal("0.1"), "at": 3600 * number,
    }  # fmt: skip
    return drafts.trade(**{**values, **changes})


@pytest.fixture
async def journal_url(tmp_path: Path) -> str:
    """A journal with three purchases, a sale, a settlement and a paper trade."""
    url = f"sqlite:///{tmp_path}/journal.db"
    journal = open_journal(url)
    await journal.open()
    await journal.append([
        trade(0, "BUY", 10, "0.4", strategy="maker", is_taker=False),
        trade(1, "BUY", 10, "0.5", strategy="reversion", is_taker=True),
        trade(2, "SELL", 12, "0.6", is_taker=False),
        trade(3, "BUY", 5, "0.3", ticker="<B>", fee=None),
        drafts.settlement(
            ticker="A", timestamp=Decimal(1698676800) + 2 * DAY, yes_quantity=Decimal(20), no_quantity=Decimal(12),
            revenue=Decimal(8), fee=Decimal("0.3"),
        ),
        trade(4, "BUY", 5, "0.3", mode="paper"),
    ])  # fmt: skip
    await journal.close()
    return url


def test_csv_has_a_row_for_each_tax_lot(journal_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Dates, exact amounts and the strategy that opened the lot."""
    assert report.main(["--csv", "--mode", "live"], journal_url) == 0
    first, second, third = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (first["quantity"], first["opened"], first["closed"]) == ("10", "2023-10-30 14:40:00", "2023-10-30 16:40:00")
    assert (first["cost"], first["proceeds"], first["fees"], first["profit"]) == ("4", "6", "0.18333333", "1.81666667")
    assert [row["strategy"] for row in (first, second, third)] == ["maker", "reversion", "reversion"]
    assert [row["closed_by"] for row in (first, second, third)] == ["trade", "trade", "settlement"]
    assert sum(Decimal(row["profit"]) for row in (first, second, third)) == Decimal("5.9")


def test_text_names_the_main_figures(journal_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Net profit, win rate, maker share, what is still open."""
    assert report.main(["--mode", "live"], journal_url) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    found = {name: text.strip() for name, text in lines.items()}
    assert (found["closed trades"], found["net profit"], found["win rate"]) == ("3", "$5.90", "100.0 %")
    assert (found["maker share"], found["fees of trades"]) == ("66.7 %", "$0.30")
    assert (found["markets open at the end"], found["their cost"]) == ("1", "$1.50")


def test_since_and_until_choose_by_the_time_of_closing(journal_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A date as an end includes its day; what was bought before still has its cost."""
    assert report.main(["--csv", "--mode", "live", "--until", "2023-10-31"], journal_url) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert report.main(["--csv", "--mode", "live", "--since", "2023-11-01"], journal_url) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["closed_by"], row["cost"], row["proceeds"]) == ("settlement", "4", "8")


def test_the_page_stands_alone(journal_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plots are part of it, nothing is loaded, and names from the exchange are text."""
    file = tmp_path / "report.html"
    assert report.main(["--html", "--mode", "live", "-o", str(file)], journal_url) == 0
    text = file.read_text()
    assert text.count("<svg") == 3
    assert "<script" not in text
    assert "http" not in text
    assert "<B>" not in text
    assert capsys.readouterr().out == f"wrote 3 closed trades to {file}\n"


def test_modes_are_never_mixed(journal_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --mode the newest entry decides; paper has nothing closed."""
    assert report.main([], journal_url) == 0
    assert capsys.readouterr().out.startswith("closed trades               0\n")


@pytest.mark.parametrize("arguments", [["--since", "yesterday"], ["--csv", "--html"], ["--mode", "real"]])
def test_a_mistaken_argument_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """argparse names it and the expected form."""
    with pytest.raises(SystemExit):
        report.main(arguments, "sqlite:///nowhere.db")
    assert arguments[0] in capsys.readouterr().err


def test_a_journal_that_does_not_exist_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not made."""
    assert report.main([], f"sqlite:///{tmp_path}/none.db") == 1
    assert capsys.readouterr().err.startswith("report: ")
    assert not (tmp_path / "none.db").exists()
