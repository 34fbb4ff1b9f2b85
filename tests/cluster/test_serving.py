"""Servers as processes while people restore, copy, damage and upgrade the journal under them."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from commands.journal import main
from tests.support.bot import ScriptedBot, serving, trade
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer
from tests.support.server import ROOT, Server, running_server

pytestmark = pytest.mark.slow
OLD_VERSION = "7151086"  # the last commit of version 0.1


@pytest.fixture
async def bot() -> AsyncIterator[ScriptedBot]:
    """A bot without trades."""
    async with serving(ScriptedBot()) as found:
        yield found


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The journal of the servers."""
    return f"sqlite:///{tmp_path}/journal.db"


class Follower:
    """Reads a server's stream in a thread: trade ids, cursors and resets."""

    def __init__(self, server: Server, cursor: str = "") -> None:
        self.ids: list[str] = []
        self.resets: list[dict[str, Any]] = []
        self.cursor = cursor
        headers = {"Last-Event-ID": cursor} if cursor else {}
        self._response = requests.get(f"{server.base}/sse/trades", headers=headers, stream=True, timeout=60)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        name = ""
        try:
            for line in self._response.iter_lines(chunk_size=1):
                field, _, value = line.decode().partition(": ")
                if field == "event":
                    name = value
                elif field == "id":
                    self.cursor = value
                elif field == "data" and name == "new_trades":
                    self.ids += [each["trade_id"] for each in json.loads(value)["trades"]]
                elif field == "data" and name == "reset":
                    self.resets.append(json.loads(value))
        except (requests.RequestException, AttributeError):
            return  # the server or the test ended the stream

    def close(self) -> None:
        """End the stream."""
        self._response.close()


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    """Opens streams; all are closed at the end."""
    with ExitStack() as stack:

        def opened(server: Server, cursor: str = "") -> Follower:
            follower = Follower(server, cursor)
            stack.callback(follower.close)
            return follower

        yield opened


def _bot(bot: ScriptedBot) -> dict[str, str]:
    return {"BOT_STATUS_ENDPOINT": f"{bot.url}/status", "BOT_TRADES_ENDPOINT": f"{bot.url}/trades"}


def _parts(server: Server) -> dict[str, Any]:
    parts: dict[str, Any] = server.get("/health").json()["parts"]
    return parts


async def test_a_backup_is_restored_while_two_workers_serve(
    tmp_path: Path, url: str, bot: ScriptedBot, follow: Callable[..., Follower]
) -> None:
    """Readers of both get one reset and then every trade; the lost ones come again, before any newer one."""
    with running_server(tmp_path, **_bot(bot)) as one, running_server(tmp_path, **_bot(bot)) as two:
        readers = [follow(one), follow(two)]
        await eventually(lambda: all(reader.cursor for reader in readers))
        bot.make(*(trade(number) for number in range(3)))
        await eventually(lambda: all(len(reader.ids) == 3 for reader in readers), within=20)
        assert await asyncio.to_thread(main, ["backup", str(tmp_path / "backup.db")], url) == 0
        bot.make(trade(3), trade(4))
        await eventually(lambda: all(reader.ids[-1:] == ["t4"] for reader in readers), within=20)
        assert await asyncio.to_thread(main, ["restore", str(tmp_path / "backup.db")], url) == 0
        await eventually(lambda: all(reader.resets for reader in readers), within=20)
        bot.make(trade(5))
        await eventually(lambda: all(reader.ids[-1:] == ["t5"] for reader in readers), within=20)
        for reader in readers:
            assert [reset["reason"] for reset in reader.resets] == ["epoch"]
            assert reader.ids[-3:] == ["t3", "t4", "t5"]
            assert reader.ids.count("t5") == 1
        # Until its next try for the lease a worker may still say that it cannot write.
        await eventually(lambda: all(server.get("/health/ready").status_code == 200 for server in (one, two)))
        # A worker that looks only after the lost trades were written again, under the same numbers, misses nothing.
        feeds = [_parts(server)["feed"] for server in (one, two)]
        degraded = [feed["reason"] for feed in feeds if feed["state"] == "degraded"]
        assert degraded
        assert all("an older backup was restored" in reason for reason in degraded)
        history = one.get("/portfolio/trades/history?after=0&limit=100").json()
        found = history.get("entries") or history.get("trades")
        assert sorted(body["trade_id"] for body in found if "trade_id" in body) == [f"t{n}" for n in range(6)]
        assert await asyncio.to_thread(main, ["verify"], url) == 0


@pytest.mark.redis
async def test_a_copy_on_the_same_redis_announces_nothing(
    tmp_path: Path, url: str, bot: ScriptedBot, redis_server: RedisServer, follow: Callable[..., Follower]
) -> None:
    """A rehearsal with a copied journal and another bot: production's readers get production's trades alone."""
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_server.port)}
    async with serving(ScriptedBot()) as rehearsed:
        with ExitStack() as stack:
            one = stack.enter_context(running_server(tmp_path, **_bot(bot), **redis))
            two = stack.enter_context(running_server(tmp_path, **_bot(bot), **redis))
            bot.make(trade(0))
            readers = [follow(one), follow(two)]
            await eventually(lambda: len(one.get("/portfolio/trades/live").json()["trades"]) == 1, within=20)
            assert await asyncio.to_thread(main, ["backup", str(tmp_path / "copy.db")], url) == 0
            copy = f"sqlite:///{tmp_path}/copy.db"
            third = stack.enter_context(running_server(tmp_path, **_bot(rehearsed), **redis, JOURNAL_URL=copy))
            other = follow(third)
            await eventually(lambda: other.cursor)
            rehearsed.make(*(trade(number) for number in range(100, 110)))
            await eventually(lambda: other.ids[-1:] == ["t109"], within=20)
            bot.make(trade(1))
            await eventually(lambda: all(reader.ids[-1:] == ["t1"] for reader in readers), within=20)
            assert {name for reader in readers for name in reader.ids} <= {"t0", "t1"}
            assert "t1" not in other.ids


@pytest.mark.redis
async def test_a_new_epoch_needs_no_restart_and_allows_one(
    tmp_path: Path, url: str, bot: ScriptedBot, redis_server: RedisServer, follow: Callable[..., Follower]
) -> None:
    """`new-epoch` while two workers serve: each reader gets a reset, and a worker that is restarted starts at once."""
    settings = {**_bot(bot), "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_server.port)}
    with running_server(tmp_path, **settings) as one, running_server(tmp_path, **settings):
        reader = follow(one)
        await eventually(lambda: reader.cursor)
        bot.make(trade(0))
        await eventually(lambda: reader.ids == ["t0"], within=20)
        assert await asyncio.to_thread(main, ["new-epoch"], url) == 0
        await eventually(lambda: reader.resets, within=20)
        with running_server(tmp_path, **settings) as third:
            late = follow(third)
            await eventually(lambda: late.cursor)
            bot.make(trade(1))
            await eventually(lambda: late.ids == ["t1"] and reader.ids == ["t0", "t1"], within=20)
            assert _parts(one)["feed"]["state"] == "ok"


async def test_damage_is_named_and_makes_the_server_not_ready(tmp_path: Path, url: str, bot: ScriptedBot) -> None:
    """A body that was changed under a running server: health names the entry, ready is 503."""
    bot.make(*(trade(number) for number in range(9)))
    with running_server(tmp_path, **_bot(bot)) as server:
        await eventually(lambda: len(server.get("/portfolio/trades/live").json()["trades"]) == 9, within=20)
        connection = sqlite3.connect(tmp_path / "journal.db")
        connection.execute("UPDATE entries SET body = replace(body, '0.65', '0.95') WHERE seq = 4")
        connection.commit()
        connection.close()
        await eventually(lambda: server.get("/health/ready").status_code == 503, within=20)
        assert "entry 4 does not fit its checksum" in server.get("/health/ready").text
        assert _parts(server)["journal"]["state"] == "degraded"


@contextmanager
def _old_version(folder: Path) -> Iterator[Path]:
    """Yield the code of version 0.1, taken from the history of this repository."""
    if subprocess.run(["git", "cat-file", "-e", OLD_VERSION], cwd=ROOT, capture_output=True).returncode:
        pytest.skip(f"commit {OLD_VERSION} is not in this clone")
    target = folder / "old"
    target.mkdir()
    archive = subprocess.run(["git", "archive", OLD_VERSION], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "x"], cwd=target, input=archive.stdout, check=True)
    yield target
    shutil.rmtree(target)


@contextmanager
def _old_server(code: Path, folder: Path, **settings: str) -> Iterator[Server]:
    """A worker of version 0.1 on the journal in the folder."""
    with running_server(folder, [str(code / "server.py"), "--port", "{port}"], **settings, PYTHONPATH=str(code)) as old:
        yield old


@pytest.mark.redis
@pytest.mark.parametrize("redis", [False, True], ids=["alone", "with Redis"])
async def test_a_rolling_upgrade_from_version_0_1(
    tmp_path: Path, bot: ScriptedBot, follow: Callable[..., Follower], redis_server: RedisServer, redis: bool
) -> None:
    """Old and new workers serve one journal; the new one leads; old cursors resume; nothing is lost or doubled."""
    settings = _bot(bot)
    if redis:
        settings |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_server.port)}
    with ExitStack() as stack:
        code = stack.enter_context(_old_version(tmp_path))
        old = stack.enter_context(_old_server(code, tmp_path, **settings))
        with _old_server(code, tmp_path, **settings) as other_old:
            before = follow(old)
            bot.make(*(trade(number) for number in range(5)))
            await eventually(lambda: len(before.ids) == 5 and before.cursor.endswith("-5"), within=20)
            cursor = f"{before.cursor.rpartition('-')[0]}-2"
            with running_server(tmp_path, **settings) as new:
                resumed = follow(new, cursor)
                await eventually(lambda: resumed.ids == ["t2", "t3", "t4"], within=20)
                bot.make(*(trade(number) for number in range(5, 10)))
                await eventually(lambda: resumed.ids[-1:] == ["t9"], within=20)
                await eventually(lambda: before.ids[-1:] == ["t9"], within=20)  # an old worker goes on reading
                old.stop()
                other_old.stop()
                bot.make(trade(10))
                await eventually(lambda: resumed.ids[-1:] == ["t10"], within=20)
                assert resumed.ids == [f"t{number}" for number in range(2, 11)]
                assert resumed.resets == before.resets == []
                assert before.ids == [f"t{number}" for number in range(10)]
                assert await asyncio.to_thread(main, ["verify"], f"sqlite:///{tmp_path}/journal.db") == 0
    assert "Traceback" not in new.log.read_text()


IMPORTER = "import sys; from commands.journal import main; sys.exit(main(sys.argv[1:3], sys.argv[3]))"


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.25, 0.5])
def test_an_import_that_is_killed_leaves_nothing_and_a_repeat_is_whole(tmp_path: Path, moment: float) -> None:
    """kill -9 at any moment: no entry or every entry, never some, and `verify` finds the journal whole."""
    source, target = f"sqlite:///{tmp_path}/source.db", f"sqlite:///{tmp_path}/target.db"
    entries = 3000
    subprocess.run([sys.executable, "-c", FILL, source, str(entries)], cwd=ROOT, check=True)
    assert main(["export", str(tmp_path / "all.jsonl")], source) == 0
    command = [sys.executable, "-c", IMPORTER, "import", str(tmp_path / "all.jsonl"), target]
    victim = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 20
    while not (tmp_path / "target.db-wal").exists() and victim.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        victim.wait(moment)
    except subprocess.TimeoutExpired:
        victim.kill()
    victim.wait()
    done = main(["verify"], target)
    assert done in (0, 1)  # 1: killed before there was a journal
    assert main(["import", str(tmp_path / "all.jsonl")], target) == 0
    assert main(["verify"], target) == 0
    assert main(["export", str(tmp_path / "again.jsonl")], target) == 0
    again = (tmp_path / "again.jsonl").read_text().splitlines()
    assert sum('"record":"entry"' in line for line in again) == entries


FILL = """
import asyncio, sys
from journal.dsn import open_journal
from tests.support.drafts import trade

async def main():
    journal = open_journal(sys.argv[1])
    await journal.open()
    await journal.append([trade(trade_id=str(number), at=number) for number in range(int(sys.argv[2]))])
    await journal.close()

asyncio.run(main())
"""
