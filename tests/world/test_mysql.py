"""The journal on Oracle's MySQL: its whole suite, a replica that is promoted, a dump that is restored."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from journal.base import Journal
from journal.dsn import open_journal
from journal.errors import JournalError
from tests.support.drafts import trade
from tests.support.eventually import until
from tests.support.neighbours import MysqlServer
from tests.world.kept import ROOT
from tests.world.roots import mysql

pytestmark = pytest.mark.world


@pytest.fixture(scope="module")
def root() -> Path:
    """The root of a Debian that has Oracle's MySQL."""
    return mysql()


@pytest.fixture
def servers(root: Path) -> Iterator[tuple[MysqlServer, MysqlServer]]:
    """A primary and its replica, both running, replication not yet started."""
    with tempfile.TemporaryDirectory(prefix="mysql") as name:
        pair = []
        for number in (1, 2):
            folder = Path(name) / str(number)
            Path(name).chmod(0o755)
            folder.mkdir()
            options = (f"--server-id={number}", "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
            pair.append(MysqlServer(root, folder, *options))
            pair[-1].start()
        yield pair[0], pair[1]
        for server in pair:
            server.kill()


def url(server: MysqlServer) -> str:
    """Return the JOURNAL_URL of the database `pi` on a server."""
    return f"mysql://me:{quote(server.PASSWORD, safe='')}@127.0.0.1:{server.port}/pi"


def make_database(server: MysqlServer) -> None:
    """Make the database and its user, who proves himself by caching_sha2_password."""
    server.sql(f"CREATE DATABASE pi; CREATE USER me@'%' IDENTIFIED BY '{server.PASSWORD}'; GRANT ALL ON pi.* TO me@'%'")
    assert server.sql("SELECT plugin FROM mysql.user WHERE user = 'me'").strip() == "caching_sha2_password"


def past_tcp(server: MysqlServer) -> list[str]:
    """Return the options by which MariaDB's programs reach a server as root."""
    return ["--no-defaults", "--user=root", f"--socket={server.socket}"]


def run(command: list[str], text: str = "", **env: str) -> str:
    """Return what a command prints that is given this text."""
    done = subprocess.run(
        command, input=text, env=dict(os.environ) | env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def bodies(journal: Journal) -> list[tuple[int, object]]:
    """Return place and body of every entry."""
    return [(entry.seq, entry.body) for entry in await journal.read(0, 1000)]


@pytest.mark.timeout(1500)
def test_the_suite_of_the_journal(root: Path) -> None:
    """Every test that runs on MariaDB passes on MySQL too, those that kill, freeze and encrypt it included."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--timeout",
        "300",
        "-m",
        "mysql",
        "tests",
    ]
    env = dict(os.environ) | {"MYSQL_ROOT": str(root)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1400, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted
    assert int(counted[1]) > 70
    assert "skipped" not in done.stdout.splitlines()[-1]


async def test_a_promoted_replica_goes_on(servers: tuple[MysqlServer, MysqlServer]) -> None:
    """The primary is killed, the complete replica promoted: same epoch, same entries, the next place follows."""
    primary, replica = servers
    make_database(primary)
    replica.sql(
        f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={primary.port}, SOURCE_USER='copy', "
        "SOURCE_PASSWORD='copy', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1"
    )
    primary.sql("CREATE USER copy@'%' IDENTIFIED BY 'copy'; GRANT REPLICATION SLAVE ON *.* TO copy@'%'")
    replica.sql("START REPLICA; SET GLOBAL super_read_only = ON")
    first = open_journal(url(primary), limit=10)
    await first.open()
    for number in range(1, 21):
        await first.append([trade(trade_id=f"t{number}")])
    before, epoch = await bodies(first), first.epoch
    done = primary.sql("SELECT @@global.gtid_executed").strip()
    until(lambda: replica.sql(f"SELECT GTID_SUBSET('{done}', @@global.gtid_executed)").strip() == "1", within=120)
    primary.kill()
    await first.close()

    second = open_journal(url(replica), limit=10)
    with pytest.raises(JournalError, match="read-only"):  # nobody has promoted it yet
        await second.open()
    await second.close()
    replica.sql("STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF")
    promoted = open_journal(url(replica), limit=10)
    await promoted.open()
    assert promoted.epoch == epoch
    assert await bodies(promoted) == before
    assert (await promoted.append([trade(trade_id="t21")])).by_draft == [21]
    await promoted.close()


async def test_a_restored_dump_is_the_journal(servers: tuple[MysqlServer, MysqlServer]) -> None:
    """A dump taken while it is written restores to a whole journal of the same epoch on another server."""
    one, other = servers
    make_database(one)
    make_database(other)
    journal = open_journal(url(one), limit=10)
    await journal.open()
    for number in range(1, 21):
        await journal.append([trade(trade_id=f"t{number}")])
    dump = await asyncio.to_thread(run, ["mariadb-dump", *past_tcp(one), "--single-transaction", "pi"])
    await journal.append([trade(trade_id="t21")])
    await asyncio.to_thread(run, ["mariadb", *past_tcp(other), "pi"], dump)
    restored = open_journal(url(other), limit=10)
    await restored.open()
    assert restored.epoch == journal.epoch
    assert await bodies(restored) == (await bodies(journal))[:20]
    assert (await restored.append([trade(trade_id="t21")])).by_draft == [21]
    verify = [sys.executable, str(ROOT / "server.py"), "journal", "verify"]
    await asyncio.to_thread(run, verify, JOURNAL_URL=url(other))
    await journal.close()
    await restored.close()
