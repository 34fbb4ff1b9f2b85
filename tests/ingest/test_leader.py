"""A term of polling that cannot begin, and a poll that does not come."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from cluster.component_health import ComponentHealth
from cluster.leader import JournalWriter
from ingest.bot_client import PollSettings
from ingest.bot_status import BotSnapshot, BotStatus
from ingest.supervisor import LeaderTerm, Upstreams
from journal.errors import JournalUnavailable
from journal.sqlite import SqliteJournal
from tests.support.bot import ScriptedBot, serving, trade
from tests.support.eventually import eventually
from tests.support.watching import worker


async def test_a_term_waits_until_the_journals_marks_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health has the reason; no poll is made before the marks are read; then the term begins."""
    honest, away = SqliteJournal.marks, [True]

    async def marks(journal: SqliteJournal) -> object:
        if away[0]:
            raise JournalUnavailable("its disk hangs")
        return await honest(journal)

    monkeypatch.setattr(SqliteJournal, "marks", marks)
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1))
        async with worker(tmp_path / "journal.db", bot) as (watch, hub, _):
            await eventually(lambda: watch.health()["poller"]["reason"] == "its disk hangs")
            assert watch.health()["poller"]["state"] == "degraded"
            assert bot.asked == []
            away[0] = False
            await eventually(lambda: hub.ids == ["t1"])


async def test_waiting_for_a_poll_ends_in_time(tmp_path: Path) -> None:
    """A caller that wants the bot's newest status gives up in time, and uses the last one."""
    journal, names = SqliteJournal(tmp_path / "journal.db"), ("poller", "healer", "push", "recorder")
    recorder = JournalWriter(journal, lambda entries: None, ComponentHealth("recorder"))
    async with aiohttp.ClientSession() as session:
        polling = PollSettings("http://127.0.0.1:9/status", "http://127.0.0.1:9/trades", timeout=0.05)
        components = {name: ComponentHealth(name) for name in names}
        last = BotSnapshot(BotStatus(since=0.0).data)
        term = LeaderTerm(Upstreams(session, polling), recorder, components, {}, last, lambda term: None)
        began = time.monotonic()
        async with asyncio.timeout(30):
            await term.poll_bot()  # nobody runs its poller
        assert 1.0 < time.monotonic() - began < 20
