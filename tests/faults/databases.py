"""Oracle's MySQL and its replica on hosts of their own, and the failover from one to the other."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from tests.faults.network import Network
from tests.support.neighbours import MysqlServer

PORT = 3306
HOSTS = ("db", "replica")
# Every insert notes, on the server itself, which host wrote under which lease.
AUDIT = """CREATE DATABASE audit; CREATE TABLE audit.writers (seq BIGINT, host VARCHAR(64), token BIGINT);
CREATE TRIGGER pi.audited AFTER INSERT ON pi.entries FOR EACH ROW
INSERT INTO audit.writers SELECT NEW.seq, SUBSTRING_INDEX(USER(), '@', -1), token FROM pi.lease"""


class HostedMysql(MysqlServer):
    """A MySQL server on one of the hosts."""

    def __init__(self, root: Path, folder: Path, network: Network, host: str, number: int) -> None:
        self._network, self._host = network, host
        options = (f"--server-id={number}", "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
        super().__init__(root, folder, "--bind-address=0.0.0.0", "--log-bin-trust-function-creators=ON", *options)
        self.port = PORT

    def _install(self) -> list[str]:
        primary = self._folder.parent / HOSTS[0] / "data"
        if not primary.exists():
            return super()._install()
        # the replica begins as a copy, which takes less time; auto.cnf has the id that must differ
        copy = 'cp -a "$1" "$2" && rm "$2/auto.cnf"'
        return ["sh", "-c", copy, "sh", str(primary), str(self._folder / "data")]

    def _program(self) -> list[str]:
        return self._network.command(self._host, super()._program())

    def _answers(self) -> bool:
        with contextlib.suppress(subprocess.CalledProcessError):
            return bool(self.sql("SELECT 1"))
        return False


class Databases:
    """The primary on host `db`, its replica on host `replica`, and the shared address `journal` that leads to one."""

    def __init__(self, root: Path, folder: Path, network: Network) -> None:
        self._network = network
        self.primary_host = "db"
        self._servers = {}
        for number, host in enumerate(HOSTS, 1):
            home = folder / host
            home.mkdir()
            self._servers[host] = HostedMysql(root, home, network, host, number)

    @property
    def primary(self) -> HostedMysql:
        """The server that takes writes."""
        return self._servers[self.primary_host]

    def url(self) -> str:
        """Return the JOURNAL_URL, by the shared address."""
        return f"mysql://me:{quote(MysqlServer.PASSWORD, safe='')}@{self._network.address('journal')}:{PORT}/pi"

    def start(self) -> None:
        """Start both, and the replication."""
        for server in self._servers.values():
            server.start()
        self.primary.sql(
            f"CREATE DATABASE pi; CREATE USER me@'%' IDENTIFIED BY '{MysqlServer.PASSWORD}'; "
            "GRANT ALL ON pi.* TO me@'%'; CREATE USER copy@'%' IDENTIFIED BY 'copy'; "
            "GRANT REPLICATION SLAVE ON *.* TO copy@'%'"
        )
        self._servers["replica"].sql(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='{self._network.address('db')}', SOURCE_PORT={PORT}, "
            "SOURCE_USER='copy', SOURCE_PASSWORD='copy', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, "
            "SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=1000, SOURCE_HEARTBEAT_PERIOD=1; "
            "SET GLOBAL replica_net_timeout = 4; START REPLICA; SET GLOBAL super_read_only = ON"
        )

    def audit(self) -> None:
        """Note the writer of each entry from now on."""
        self.primary.sql(AUDIT)

    def writers(self) -> list[tuple[int, str, int]]:
        """Return place, host and lease of each entry since `audit`, in order."""
        rows = self.primary.sql("SELECT seq, host, token FROM audit.writers ORDER BY seq")
        return [(int(seq), host, int(token)) for seq, host, token in map(str.split, rows.splitlines())]

    def fail_over(self, ahead: float, wait: bool) -> None:
        """Fence the primary, promote the replica, and give it the address.

        ahead: seconds by which the primary's clock was ahead of the replica's; they show in the lease alone.
        wait: until the replica has all that was written.
        """
        old, new = self._servers["db"], self._servers["replica"]
        old.sql("SET GLOBAL super_read_only = ON")
        if wait:
            written = old.sql("SELECT @@global.gtid_executed").strip().replace("\\n", "")
            complete = f"SELECT GTID_SUBSET('{written}', @@global.gtid_executed)"
            until(lambda: new.sql(complete).strip() == "1", 120)
        new.sql(
            "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; "
            f"UPDATE pi.lease SET expires = expires + {ahead}"
        )
        self._network.route("journal", "replica")
        self.primary_host = "replica"

    def kill(self) -> None:
        """End both."""
        for server in self._servers.values():
            server.kill()


def until(fact: Callable[[], bool], within: float) -> None:
    """Wait for a fact; AssertionError after so many seconds."""
    deadline = time.monotonic() + within
    while not fact():
        assert time.monotonic() < deadline, f"not within {within} s: the replica has what the primary wrote"
        time.sleep(0.1)
