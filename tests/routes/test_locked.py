"""Answers while the journal can be read and not written."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.eventually import until
from tests.support.fakebot import FakeBot
from tests.support.server import running_server


def test_a_journal_that_takes_nothing_is_not_ready(tmp_path: Path) -> None:
    """Another process sits on the file: 503 with the reason, health degraded, reads go on; then it heals by itself."""
    with FakeBot("live", trades=1) as bot, running_server(tmp_path, **bot.settings) as server:
        until(lambda: server.get("/portfolio/trades/live").json()["count"] == 1)
        with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until(lambda: server.get("/health/ready").status_code == 503, within=20)
            assert "locked" in server.get("/health/ready").json()["detail"]
            part = server.get("/health").json()["parts"]["journal"]
            assert (part["state"], part["size"] > 0) == ("degraded", True)
            assert "locked" in part["reason"]
            assert server.get("/portfolio/trades/history").json()["count"] == 1
            [name] = bot.trade(1)
            until(lambda: server.get("/health").json()["parts"]["recorder"]["state"] == "degraded", within=20)
            recorder = server.get("/health").json()["parts"]["recorder"]
            assert "locked" in recorder["reason"]
            assert recorder["next_step"]
            other.execute("ROLLBACK")
        until(lambda: server.get("/health/ready").status_code == 200, within=20)
        until(lambda: server.get("/portfolio/trades/live").json()["trades"][0]["trade_id"] == name)
        assert server.get("/health").json()["parts"]["recorder"]["state"] == "ok"
