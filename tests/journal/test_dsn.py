"""JOURNAL_URL: what each form names, and that no mistake in it shows a password."""

import os
import sys
from pathlib import Path

import pytest

from journal.dsn import MysqlAddress, open_journal, parse
from journal.sqlite import SqliteJournal

GOOD = {
    "sqlite:///journal.db": Path("journal.db"),
    "sqlite:///data/a%20b.db": Path("data/a b.db"),
    "sqlite:////var/lib/journal.db": Path("/var/lib/journal.db"),
    "mysql://me:s%40cret@db:3307/pi": MysqlAddress("db", 3307, "me", "pi", "s@cret"),
    "mysql://me@db/pi": MysqlAddress("db", 3306, "me", "pi"),
    "mysql://me@[::1]/pi?ssl=1": MysqlAddress("::1", 3306, "me", "pi", ssl=True),
    "mysql://me@db/pi?ssl_ca=/ca.pem": MysqlAddress("db", 3306, "me", "pi", ssl=True, ssl_ca=Path("/ca.pem")),
}


@pytest.mark.parametrize("url", GOOD)
def test_a_url_names_its_place(url: str) -> None:
    """File or server, decoded."""
    assert parse(url) == GOOD[url]


NAMES = {
    "per%cent.db": "per%cent.db", "100%.db": "100%.db", "50% off.db": "50% off.db", "a b.db": "a b.db",
    "a%20b.db": "a b.db", " edge .db ": " edge .db ", "Ümläut.db": "Ümläut.db", "%C3%9C.db": "Ü.db",
    "tab\t.db": "tab\t.db", "new\nline.db": "new\nline.db", "plus+.db": "plus+.db", "semi;colon&.db": "semi;colon&.db",
    "quote'\".db": "quote'\".db", "%3F%23%25.db": "?#%.db", "[x].db": "[x].db", "日本.db": "日本.db",
}  # fmt: skip


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_the_file_that_was_named_is_the_journal(
    name: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any characters in the name, that file is made, with its log beside it, and nothing else."""
    monkeypatch.chdir(tmp_path)
    journal = open_journal(f"sqlite:///{name}" if relative else f"sqlite:///{tmp_path}/{name}")
    await journal.open()
    found = set(os.listdir(tmp_path))
    await journal.close()
    assert found == {NAMES[name], f"{NAMES[name]}-wal", f"{NAMES[name]}-shm"}


BAD = [
    "", "journal.db", "sqlite://", "sqlite:///", "sqlite://journal.db", "sqlite:///a.db?mode=ro", "postgres://x/y",
    "mysql://me:hush@/pi", "mysql://db/pi", "mysql://me:hush@db", "mysql://me:hush@db/pi?charset=x",
    "mysql://me:hush@db/pi?ssl=yes", "mysql://me:hush@db:port/pi", "mysql://me:hush@db:0/pi", "mysql://me:hush@db/a/b", "mysql://me:hush@[x/pi",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_a_bad_url_is_explained(url: str) -> None:
    """The mistake names the setting and what is allowed, and never the password."""
    with pytest.raises(ValueError, match="JOURNAL_URL") as caught:
        parse(url)
    assert "hush" not in str(caught.value)


def test_a_place_hides_its_password() -> None:
    """Neither text nor repr of a server shows it."""
    place = parse("mysql://me:hush@db/pi")
    assert "hush" not in f"{place} {place!r}"
    assert str(place) == "mysql://me@db:3306/pi"


def test_open_journal_makes_the_right_kind(tmp_path: Path) -> None:
    """A file gives SQLite."""
    assert isinstance(open_journal(f"sqlite:///{tmp_path}/journal.db"), SqliteJournal)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asyncmy the error for a mysql URL names the extra to install."""
    monkeypatch.setitem(sys.modules, "asyncmy", None)
    monkeypatch.delitem(sys.modules, "journal.mysql", raising=False)
    with pytest.raises(ValueError, match="install the extra mysql"):
        open_journal("mysql://me@db/pi")
