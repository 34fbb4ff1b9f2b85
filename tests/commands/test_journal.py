"""server.py journal …: what each command prints, writes and exits with."""

import asyncio
import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from commands import report
from commands.journal import main
from journal.dsn import open_journal
from journal.entries import Draft
from tests.support.drafts import fill, settlement, trade
from tests.support.server import ROOT, clean_environment
from tests.support.simulator import Simulator, running_simulator


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
    seen = capsys.readouterr().err
    assert "exported 2 entries" in seen
    assert "imported 2 entries, 0 were known" in seen
    assert "whole: entries 1 to 2" in seen
    assert _append(copy, [trade(), trade(trade_id="t2", at=30), trade(trade_id="t3")]) == [1, 2, 3]


@pytest.mark.parametrize("command", ["export", "verify", "new-epoch", "backfill", "backup", "restore"])
def test_only_an_import_makes_a_journal(
    command: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a mistyped JOURNAL_URL every other command is one line and exit status 1; no file appears or changes."""
    (tmp_path / "empty.db").touch()
    target = tmp_path / "out"
    target.write_text("yesterday's")
    for name in ("mistyped.db", "empty.db"):
        argv = [command, str(target)] if command in ("export", "backup", "restore") else [command]
        assert main(argv, f"sqlite:///{tmp_path}/{name}") == 1
        error = capsys.readouterr().err
        assert f"{name}: no journal there" in error
        assert error.count("\n") == 1
    assert not (tmp_path / "mistyped.db").exists()
    assert (tmp_path / "empty.db").stat().st_size == 0
    assert target.read_text() == "yesterday's"


def test_an_export_of_a_damaged_journal_leaves_the_file_of_yesterday(url: str, tmp_path: Path) -> None:
    """The file is replaced when the new one is complete; nothing else is left in the folder."""
    file = tmp_path / "out" / "journal.jsonl"
    file.parent.mkdir()
    assert main(["export", str(file)], url) == 0
    good = file.read_bytes()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("DELETE FROM entries WHERE seq = 1")
    for argv in (["export", str(file)], ["backup", str(file)]):
        assert main(argv, url) == 1
        assert file.read_bytes() == good
        assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("by", ["name", "link", "other case of the folder"])
def test_no_command_replaces_the_journal_itself(
    suffix: str, by: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An export, a backup or a report to the journal's own file is refused, and the journal is as it was."""
    own = tmp_path / f"journal.db{suffix}"
    own.touch()
    target = own
    if by == "link":
        target = tmp_path / "link"
        target.symlink_to(own)
    elif by == "other case of the folder":
        target = tmp_path / "x" / ".." / own.name
        (tmp_path / "x").mkdir()
    words = [["backup", str(target)], *([["export", str(target)]] if suffix == "" else [])]
    for argv in words:
        assert main(argv, url) == 1
        assert str(target) in capsys.readouterr().err
    if not suffix:
        assert report.main(["--output", str(target)], url) == 1
    assert main(["verify"], url) == 0


@pytest.mark.parametrize("argv", [["export"], ["backup"]])
def test_only_a_file_is_replaced(argv: list[str], url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device, a pipe or a folder stays what it is, since root could replace it; a link stays a link."""
    pipe, folder, link = tmp_path / "pipe", tmp_path / "folder", tmp_path / "link"
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to(tmp_path / "monday")
    for target in (pipe, folder):
        assert main([*argv, str(target)], url) == 1
        assert f"{target}: expected the name of a file" in capsys.readouterr().err
    assert pipe.is_fifo()
    assert main([*argv, str(link)], url) == 0
    assert link.is_symlink()
    assert (tmp_path / "monday").stat().st_size > 0


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv"])
def test_a_file_that_an_editor_saved_is_imported(name: str, url: str, tmp_path: Path) -> None:
    """A byte-order mark, CRLF and empty lines change nothing."""
    file = tmp_path / name
    assert main(["export", str(file)], url) == 0
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert main(["import", str(file)], f"sqlite:///{tmp_path}/copy.db") == 0
    assert main(["verify"], f"sqlite:///{tmp_path}/copy.db") == 0


def test_a_compressed_file_is_named(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says what to do with it."""
    file = tmp_path / "t.jsonl"
    assert main(["export", str(file)], url) == 0
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert main(["import", str(file)], f"sqlite:///{tmp_path}/copy.db") == 1
    assert "line 1: expected UTF-8 text; unpack a compressed file first" in capsys.readouterr().err


@pytest.mark.parametrize("mark", [("bot", "{"), ("bot", "5"), ("holes", "[1]"), ("begun", "x")])
def test_a_damaged_mark_is_found(
    mark: tuple[str, str], url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verify names it, and a file with one is not imported: no leader could begin with it."""
    name, text = mark
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("INSERT INTO marks (name, value) VALUES (?, ?)", [name, text])
    assert main(["verify"], url) == 1
    assert f"the mark {name} of the journal cannot be read" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "t.jsonl")], url) == 0
    assert main(["import", str(tmp_path / "t.jsonl")], f"sqlite:///{tmp_path}/copy.db") == 1
    assert f"the mark {name} of the journal cannot be read" in capsys.readouterr().err


@pytest.mark.mysql
def test_backup_and_restore_are_for_a_file(mariadb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a server the error names its own tool."""
    _append(mariadb, [trade()])
    assert main(["backup", str(tmp_path / "x")], mariadb) == 1
    assert "use mariadb-dump --single-transaction" in capsys.readouterr().err


def test_a_backup_is_restored(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal becomes the backup under a new epoch; what was there before is in a file beside it."""
    file = tmp_path / "backup.db"
    assert main(["backup", str(file)], url) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert _append(url, [trade(trade_id="t3", at=40)]) == [3]
    assert main(["restore", str(file)], url) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert "copied entries 1 to 2 of epoch" in first
    assert "restored entries 1 to 2; the epoch is" in second
    assert first.split()[-3] != second.split("epoch is ")[1][:8]
    assert main(["verify"], url) == 0
    [before] = tmp_path.glob("journal.db.before-restore-*")
    assert _append(f"sqlite:///{before}", [trade(trade_id="t3", at=40)]) == [3]
    assert _append(url, [trade(), trade(trade_id="t4", at=50)]) == [1, 3]


@pytest.mark.parametrize("spoil", ["text", "cut", "changed"])
def test_a_spoilt_backup_is_not_restored(
    spoil: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not a whole journal replaces nothing."""
    file = tmp_path / "backup.db"
    assert main(["backup", str(file)], url) == 0
    if spoil == "changed":
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE entries SET body = replace(body, '0.65', '0.56') WHERE seq = 2")
    else:
        file.write_bytes(b"Dear diary" * 900 if spoil == "text" else file.read_bytes()[:9000])
    assert main(["restore", str(file)], url) == 1
    assert main(["verify"], url) == 0
    assert not list(tmp_path.glob("*before*"))


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


def test_verify_fails_on_a_missing_entry(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem is printed, and the exit code is 1."""
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("DELETE FROM entries WHERE seq = 1")
    connection.commit()
    connection.close()
    assert main(["verify"], url) == 1
    assert "entry 1 is missing" in capsys.readouterr().err


def test_backfill_appends_what_is_new(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Older fills come oldest first and once, however often it is run; the bot's own are known."""
    requested = []

    async def fills(since: Decimal) -> AsyncIterator[Draft]:
        requested.append(since)
        yield fill(at=1)
        yield settlement()
        yield fill(trade_id="f9", at=-500)

    assert main(["backfill", "--since", "2023-10-30T15:00"], url, fills) == 0
    assert "the exchange has 3 fills, 2 of them were new; the head is 4" in capsys.readouterr().err
    assert main(["backfill", "--since", "1698676800.5"], url, fills) == 0
    assert "has 3 fills, 0 of them were new" in capsys.readouterr().err
    assert requested == [Decimal(1698678000), Decimal("1698676800.5")]
    assert _append(url, [fill(trade_id="f9", at=-500), settlement()]) == [3, 4]


@pytest.mark.parametrize(
    ("argv", "place", "seen"),
    [
        (["backfill"], "sqlite:///{}/journal.db", "KALSHI_API_KEY"),
        (["verify"], "postgres://x", "JOURNAL_URL"),
        (["import", "/nowhere/file"], "sqlite:///{}/a.db", "/nowhere/file"),
        (["export", "/nowhere/file"], "sqlite:///{}/journal.db", "/nowhere"),
        (["backup", "/nowhere/file"], "sqlite:///{}/journal.db", "/nowhere"),
        (["restore", "/nowhere/file"], "sqlite:///{}/journal.db", "/nowhere/file"),
    ],
    ids=["no keys", "a bad URL", "no such file", "no such folder", "no folder for a backup", "no such backup"],
)
@pytest.mark.usefixtures("url")
def test_a_mistake_is_explained(
    argv: list[str], place: str, seen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names it, exit code 1, no traceback."""
    assert main(argv, place.format(tmp_path)) == 1
    error = capsys.readouterr().err
    assert seen in error
    assert error.count("\n") == 1


def test_a_wrong_word_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's own answer, exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(["backfill", "--since", "yesterday"], url)
    assert caught.value.code == 2
    assert "neither a date" in capsys.readouterr().err


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An exchange on which the account has traded, and settings with its keys, read from the environment."""
    _append(f"sqlite:///{tmp_path}/journal.db", [])
    with running_simulator(tmp_path / "keys") as exchange:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{tmp_path}/journal.db")
        monkeypatch.setenv("KALSHI_API_URL", exchange.url)
        monkeypatch.setenv("KALSHI_API_KEY", "demo-rsa")
        monkeypatch.setenv("KALSHI_RSA_KEY_PATH", str(exchange.keys["demo-rsa"]))
        yield exchange


def test_backfill_reads_the_exchange(account: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Fills of the account become entries, once; a refusal of the exchange is one line and exit code 1."""
    ticker = requests.get(f"{account.url}/markets", params={"limit": 1}, timeout=5).json()["markets"][0]["ticker"]
    account.quote(ticker, "0.5000", "0.5200")
    account.fill(ticker, "bid", "3.00", "0.5200")
    assert main(["backfill"]) == 0
    assert "the exchange has 1 fills, 1 of them were new" in capsys.readouterr().err
    assert main(["backfill"]) == 0
    assert "has 1 fills, 0 of them were new" in capsys.readouterr().err
    account.fault("error", status=403)
    assert main(["backfill"]) == 1
    found = capsys.readouterr().err
    assert "HTTP 403" in found
    assert found.count("\n") == 1


def test_a_damaged_key_is_one_line_and_does_not_stop_an_export(
    account: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only backfill needs it; the line names the fault of the file, and nothing of its content."""
    (tmp_path / "none.pem").write_text("hunter2")
    monkeypatch.setenv("KALSHI_RSA_KEY_PATH", str(tmp_path / "none.pem"))
    assert main(["export", str(tmp_path / "out.jsonl")]) == 0
    capsys.readouterr()
    assert main(["backfill"]) == 1
    found = capsys.readouterr().err
    assert "the private key cannot be read" in found
    assert found.count("\n") == 1
    assert "hunter2" not in found


def test_a_pipe_carries_it(url: str, tmp_path: Path) -> None:
    """Out of one process into another, past standard output and input."""
    assert _append(url, [trade(), settlement()]) == [1, 3]
    moved = f"sqlite:///{tmp_path}/moved.db"
    command = [sys.executable, str(ROOT / "server.py"), "journal"]
    found = subprocess.run(
        [*command, "export"], cwd=tmp_path, env={**clean_environment(), "JOURNAL_URL": url}, capture_output=True,
        check=True, timeout=30,
    )  # fmt: skip
    subprocess.run(
        [*command, "import"], cwd=tmp_path, env={**clean_environment(), "JOURNAL_URL": moved}, input=found.stdout,
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    assert _append(moved, [trade(), settlement()]) == [1, 3]


def test_many_problems_are_counted_and_some_are_shown(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal that is quite broken does not fill the screen."""
    _append(url, [trade(trade_id=str(number)) for number in range(30)])
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("UPDATE entries SET body = '{}'")
    assert main(["verify"], url) == 1
    found = capsys.readouterr().err.splitlines()
    assert len(found) == 21
    assert "64 problems in 32 entries" in found[-1]
