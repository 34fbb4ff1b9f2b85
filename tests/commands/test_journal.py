"""server.py journal …: what each command prints, writes and exits with."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from commands.journal import main
from journal.entry import Draft
from journal.url import open_journal
from tests.support.drafts import fill, settlement, trade


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A journal with two trades."""
    place = f"sqlite:///{tmp_path}/journal.db"
    _append(place, [trade(), trade(trade_id="t2", at=30)])
    return place


def _append(url: str, drafts: list[Draft]) -> list[int]:
    async def run() -> list[int]:
        journal = open_journal(url)
        await journal.open()
        done = await journal.append(drafts)
        await journal.close()
        return done.by_draft

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_export_and_import(url: str, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that only its owner may read, and a copy that verifies and knows what was known."""
    file, copy = tmp_path / name, f"sqlite:///{tmp_path}/copy.db"
    assert main(["export", str(file)], url) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert ('"PRES24-GOP","bot_live"' in file.read_text()) == name.endswith("csv")
    assert main(["import", str(file)], copy) == 0
    assert main(["verify"], copy) == 0
    said = capsys.readouterr().err
    assert "exported 2 entries" in said
    assert "imported 2 entries, 0 were known" in said
    assert "whole: entries 1 to 2" in said
    assert _append(copy, [trade(), trade(trade_id="t2", at=30), trade(trade_id="t3")]) == [1, 2, 3]


@pytest.mark.mysql
def test_a_journal_moves_to_a_server(url: str, mariadb: str, tmp_path: Path) -> None:
    """SQLite to MariaDB by a file."""
    assert main(["export", str(tmp_path / "x")], url) == 0
    assert main(["import", str(tmp_path / "x")], mariadb) == 0
    assert main(["verify"], mariadb) == 0
    assert _append(mariadb, [trade()]) == [1]


def test_a_new_epoch(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every cursor from before is void; the entries stay."""
    assert main(["verify"], url) == 0
    assert main(["new-epoch"], url) == 0
    assert main(["verify"], url) == 0
    first, renewed, last = capsys.readouterr().err.splitlines()
    assert first.split()[-1] != last.split()[-1]
    assert f"the epoch is {last.split()[-1]}" in renewed


def test_verify_fails_on_a_hole(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong is printed, and the exit code says so."""
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("DELETE FROM entries WHERE seq = 1")
    connection.commit()
    connection.close()
    assert main(["verify"], url) == 1
    assert "entry 1 is missing" in capsys.readouterr().err


def test_backfill_appends_what_is_new(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Older fills come oldest first and once, however often it is run; the bot's own are known."""
    asked = []

    async def fills(since: Decimal) -> AsyncIterator[Draft]:
        asked.append(since)
        yield fill(at=1)
        yield settlement()
        yield fill(trade_id="f9", at=-500)

    assert main(["backfill", "--since", "2023-10-30T15:00"], url, fills) == 0
    assert "told 3, 2 of them were new; the head is 4" in capsys.readouterr().err
    assert main(["backfill", "--since", "1698676800.5"], url, fills) == 0
    assert "told 3, 0 of them were new" in capsys.readouterr().err
    assert asked == [Decimal(1698678000), Decimal("1698676800.5")]
    assert _append(url, [fill(trade_id="f9", at=-500), settlement()]) == [3, 4]


@pytest.mark.parametrize(
    ("argv", "url", "said"),
    [
        (["backfill"], "sqlite:///{}/a.db", "KALSHI_API_KEY"),
        (["verify"], "postgres://x", "JOURNAL_URL"),
        (["import", "/nowhere/file"], "sqlite:///{}/a.db", "/nowhere/file"),
        (["export", "/nowhere/file"], "sqlite:///{}/a.db", "/nowhere/file"),
    ],
    ids=["no keys", "a bad URL", "no such file", "no such folder"],
)
def test_a_mistake_is_explained(
    argv: list[str], url: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names it, exit code 1, no traceback."""
    assert main(argv, url.format(tmp_path)) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_wrong_word_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's own answer, exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(["backfill", "--since", "yesterday"], url)
    assert caught.value.code == 2
    assert "neither a date" in capsys.readouterr().err
