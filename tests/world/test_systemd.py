"""The units of deploy/systemd under a systemd that is process 1 of a container, installed as docs/deploying.md says."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.world.deployment import checkout
from tests.world.engine import Engine, make_image
from tests.world.kept import ROOT
from tests.world.roots import debian

pytestmark = [pytest.mark.world, pytest.mark.timeout(1800)]

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3-venv", "curl", "procps", "redis-server", "openssl")
SECRETS = "/etc/prediction-investor/secrets"
READY = "http://127.0.0.1:8000/api/python/health/ready"
TRIED = {  # each must fail inside the sandbox of the service
    "write /etc": "touch /etc/probe",
    "write /opt": "touch /opt/prediction-investor/venv/probe",
    "read the secrets of root": f"cat {SECRETS}/redis-password",
    "read a home": "ls /root",
    "see other processes": "test -d /proc/1",
    "mount": "mount -t tmpfs none /mnt",
    "make a namespace": "unshare --user true",
    "open a raw socket": "python3 -c 'import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)'",
    "set the clock": "date --set '2001-01-01'",
    "raise a limit": "prlimit --nofile=1000000:1000000 true",
    "read kernel messages": "dmesg",
    "read memory": "head -c 1 /dev/mem",
}


class Machine:
    """A container whose process 1 is systemd, with the service installed in it."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine, self._container = engine, container

    def tried(self, script: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a script as root and return its result."""
        command = ["docker", "exec", "--workdir", "/src", self._container, "bash", "-euo", "pipefail", "-c", script]
        return self._engine.run(*command, timeout=timeout, check=False)

    def run(self, script: str, timeout: float = 600) -> str:
        """Run a script that must succeed; return what it prints."""
        done = self.tried(script, timeout)
        assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout.strip()

    def property(self, name: str, unit: str = "prediction-investor") -> str:
        """Return a property of a unit."""
        return self.run(f"systemctl show --property {name} --value {unit}")


def documented(first: str) -> str:
    """Return the block of docs/deploying.md whose first command begins so; it installs this checkout."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / "deploying.md").read_text(), re.M | re.S)
    [block] = [block for block in blocks if f"\n{first}" in block]
    return re.sub(r"'prediction-investor\[([\w,]+)\]'", r"'/src[\1]'", block)


@pytest.fixture(scope="module")
def machine(engine: Engine) -> Iterator[Machine]:
    """A Debian that follows the page to the letter, with secrets of its own."""
    make_image(engine, "pi-systemd", debian("bookworm", *PACKAGES))
    free = ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
    options = [*free, "--cap-add", "SYS_ADMIN",
               "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "--env", "container=docker",
               "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"]  # fmt: skip
    # systemd makes its mounts shared everywhere but in a container, and credentials need that
    init = "mount --make-rshared / && exec /sbin/init"
    container = engine.docker("run", "--detach", *options, "pi-systemd", "sh", "-c", init)
    host = Machine(engine, container)
    with tempfile.TemporaryDirectory() as folder:
        checkout(Path(folder))
        engine.docker("cp", f"{folder}/.", f"{container}:/src")
    until(lambda: host.tried("systemctl is-system-running").stdout.strip() in ("running", "degraded"), within=180)
    host.run(documented("useradd"), timeout=900)
    host.run(
        f"cd {SECRETS}; openssl genrsa -out kalshi.pem 2>/dev/null; cp kalshi.pem bot-kalshi.pem; "
        "echo an-id | tee kalshi-id >bot-kalshi-id; echo a-redis-password >redis-password; "
        "echo requirepass a-redis-password >>/etc/redis/redis.conf; "
        # a container may not raise its limit of files, nor make a namespace of users for Debian's own unit
        "here=/etc/systemd/system/redis-server.service.d; mkdir $here; "
        "printf '[Service]\\nLimitNOFILE=4096\\nPrivateUsers=no\\n' >$here/here.conf; "
        "systemctl daemon-reload; systemctl enable --now redis-server; "
        "echo REDIS_HOST=127.0.0.1 >>/etc/prediction-investor/server.env; "
        "echo KALSHI_API_URL=http://127.0.0.1:9/trade-api/v2 | "
        "tee -a /etc/prediction-investor/server.env >>/etc/prediction-investor/bot.env"
    )
    started = host.tried(documented("systemctl daemon-reload"))
    assert started.returncode == 0, host.run("journalctl -u prediction-investor --no-pager -n 60")
    yield host
    engine.docker("rm", "--force", container)


def test_enabled_units_run(machine: Machine) -> None:
    """Both units and the timer are active, and none of ours has failed."""
    units = "prediction-investor prediction-investor-bot prediction-investor-backup.timer"
    until(lambda: machine.tried(f"systemctl is-active {units}").returncode == 0, within=120)
    assert "prediction-investor" not in machine.run("systemctl list-units --failed --plain --no-legend")


def test_started_means_ready(machine: Machine) -> None:
    """Type=notify: `systemctl start` returns when the service answers, not when its process exists."""
    machine.run(f"systemctl restart prediction-investor; curl -fsS {READY}")
    started = int(machine.property("ActiveEnterTimestampMonotonic"))
    assert started > int(machine.property("ExecMainStartTimestampMonotonic"))
    assert int(machine.property("ActiveEnterTimestampMonotonic", "redis-server")) < started
    assert "redis-server.service" in machine.property("After")


def test_credentials_reach_the_service_alone(machine: Machine) -> None:
    """Each secret comes as a credential: good for Redis, in no environment, readable by root and the service only."""
    health = json.loads(machine.run("curl -fsS http://127.0.0.1:8000/api/python/health"))
    assert health["parts"]["cache"]["kind"] == "redis_cache"
    process = machine.property("MainPID")
    environment = machine.run(f"tr '\\0' '\\n' </proc/{process}/environ")
    secret = "/run/credentials/prediction-investor.service/redis-password"
    assert f"REDIS_PASSWORD_FILE={secret}" in environment
    assert "a-redis-password" not in environment
    other = machine.tried(f"setpriv --reuid prediction-investor-bot --clear-groups cat {secret}")
    assert other.returncode != 0


def test_log_lines_carry_their_fields(machine: Machine) -> None:
    """journald has the program's name and its lines as JSON, one for each event."""
    lines = machine.run("journalctl -u prediction-investor -o json --no-pager _COMM=prediction-inve || true")
    records = [json.loads(line) for line in lines.splitlines()]
    ours = [record for record in records if record.get("SYSLOG_IDENTIFIER") == "prediction-investor"]
    assert ours
    bodies = [json.loads(record["MESSAGE"]) for record in ours if record["MESSAGE"].startswith("{")]
    assert bodies
    assert all({"level", "message"} <= set(body) or {"level", "event"} <= set(body) for body in bodies), bodies[0]


def test_a_frozen_loop_is_killed_and_started_again(machine: Machine) -> None:
    """The watchdog: a process without a watchdog message for 20 s is replaced by one that answers."""
    before = machine.property("MainPID")
    machine.run(f"kill -STOP {before}")
    until(lambda: machine.property("MainPID") not in (before, "0"), within=120, every=1)
    until(lambda: machine.tried(f"curl -fsS {READY}").returncode == 0, within=120, every=1)
    assert "Watchdog timeout" in machine.run("journalctl -u prediction-investor --no-pager")
    assert machine.property("NRestarts") == "1"


def test_the_bot_stops_and_starts_alone(machine: Machine) -> None:
    """The service goes on while the bot is away, and reports it."""
    machine.run("systemctl stop prediction-investor-bot")
    url = "curl -fsS http://127.0.0.1:8000/api/python/health"
    until(lambda: json.loads(machine.run(url))["parts"]["bot"]["status"] == "offline", within=120, every=1)
    machine.run("systemctl start prediction-investor-bot")
    until(lambda: json.loads(machine.run(url))["parts"]["bot"]["status"] == "online", within=120, every=1)


def test_the_sandbox_holds(machine: Machine) -> None:
    """A program in the service's place fails at all that the unit forbids, and writes its own folder."""
    lines = [f"if ({command}) >/dev/null 2>&1; then echo 'possible: {name}'; fi" for name, command in TRIED.items()]
    script = "\n".join(["#!/bin/bash", *lines, "touch own && echo own >result.own", "sleep infinity"])
    machine.run(f"cat >/opt/prediction-investor/probe <<'END'\n{script}\nEND\nchmod 755 /opt/prediction-investor/probe")
    machine.run(
        "cd /etc/systemd/system; sed -e 's#^ExecStart=.*#ExecStart=/opt/prediction-investor/probe#' "
        "-e 's#^Type=notify#Type=exec#' -e '/^WatchdogSec/d' -e 's#^SyslogIdentifier.*#SyslogIdentifier=probe#' "
        "prediction-investor.service >probe.service; systemctl daemon-reload; systemctl start probe"
    )
    until(lambda: machine.tried("test -e /var/lib/prediction-investor/result.own").returncode == 0, within=60)
    assert machine.run("journalctl -u probe -o cat --no-pager SYSLOG_IDENTIFIER=probe || true") == ""
    machine.run("systemctl stop probe")


def test_the_timer_copies_the_journal(machine: Machine) -> None:
    """The backup is made while the service runs, and is a whole journal."""
    assert machine.property("NextElapseUSecRealtime", "prediction-investor-backup.timer")
    machine.run("systemctl start prediction-investor-backup")
    copy = machine.run("ls /var/lib/prediction-investor-backups/*.db")
    assert machine.run(f"stat --format %U:%a {copy}") == "prediction-investor:600"
    verify = "/opt/prediction-investor/venv/bin/prediction-investor journal verify"
    machine.run(f"cd /tmp; JOURNAL_URL=sqlite:///{copy} {verify}")
    assert machine.tried(f"curl -fsS {READY}").returncode == 0
