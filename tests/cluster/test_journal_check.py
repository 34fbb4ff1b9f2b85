"""The journal verified while it is used: pages in turn, damage in health until it is mended."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cluster.component_health import ComponentHealth
from cluster.journal_tailer import VERIFIED, JournalCheck
from journal.sqlite import SqliteJournal
from tests.support.drafts import trade


async def test_pages_are_verified_in_turn_and_damage_stays_in_health(tmp_path: Path) -> None:
    """After the last page comes the first; a changed entry is named until it is as before."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append([trade(trade_id=str(number)) for number in range(VERIFIED + 5)])
    check = JournalCheck(journal, ComponentHealth("integrity"))
    for verified in (VERIFIED, VERIFIED + 5, 2 * VERIFIED + 5):
        await check.verify_page()
        assert (check.health.state, check.health.counters["verified"]) == ("ok", verified)

    def change(old: str, new: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE entries SET body = replace(body, ?, ?) WHERE seq = 1003", [old, new])

    change('"price":0.65', '"price":0.56')
    for _ in range(2):
        await check.verify_page()
        assert check.health.state == "degraded"
        assert check.health.reason.startswith("entry 1003: entry 1003 does not fit its checksum")
    change('"price":0.56', '"price":0.65')
    await check.verify_page()
    assert check.health.state == "ok"
    await journal.close()


async def test_marks_that_cannot_be_read_are_damage(tmp_path: Path) -> None:
    """Without them nothing can be recorded."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("DROP TABLE marks")
    check = JournalCheck(journal, ComponentHealth("integrity"))
    await check.verify_page()
    assert check.health.state == "degraded"
    assert "marks" in check.health.reason
    await journal.close()


async def test_the_check_is_slower_once_all_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds between two pages of 1 000 entries, ten from the end of the first round on; marks each time."""
    pauses: list[float] = []
    pages: list[tuple[int, int]] = []

    class Scripted:
        marked = 0

        async def marks(self) -> None:
            self.marked += 1

        async def verify(self, after: int, limit: int) -> int:
            pages.append((after, limit))
            return min(after + limit, 2500)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            raise asyncio.CancelledError

    monkeypatch.setattr("asyncio.sleep", pause)
    journal: Any = Scripted()
    check = JournalCheck(journal, ComponentHealth("integrity"))
    with pytest.raises(asyncio.CancelledError):
        await check.run()
    assert pages == [(0, 1000), (1000, 1000), (2000, 1000), (0, 1000), (1000, 1000)]
    assert pauses == [2.0, 2.0, 10.0, 10.0, 10.0]
    assert (journal.marked, check.health.counters["verified"]) == (5, 4500)
