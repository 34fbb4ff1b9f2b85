"""Hosts with addresses of their own on this machine: network namespaces, joined by a switch whose links can be cut."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.apache import wanted
from tests.support.neighbours import missing
from tests.support.server import ROOT

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
DEVICE = Path("/dev/net/tun")
LIBRARY = ctypes.CDLL(None, use_errno=True)


class Network:
    """Namespaces by the names of their hosts. shared: an address that each of some hosts has; the switch decides."""

    def __init__(self, hosts: Sequence[str], shared: dict[str, Sequence[str]]) -> None:
        # two runs at a time use names and addresses of their own
        self._prefix, self._net = f"pi{os.getpid()}", f"10.{os.getpid() % 128 + 100}.{os.getpid() // 128 % 256}"
        self._numbers = {host: number for number, host in enumerate(hosts, 1)}
        self._shared = {name: (number, owners) for number, (name, owners) in enumerate(shared.items(), 100)}
        self._switch: subprocess.Popen[str] | None = None

    def address(self, name: str) -> str:
        """Return the address of a host, or a shared one."""
        number = self._numbers[name] if name in self._numbers else self._shared[name][0]
        return f"{self._net}.{number}"

    def start(self) -> None:
        """Make the hosts and join them."""
        wanted("ip", "iproute2")
        wanted("iptables", "iptables")
        if os.getuid() != 0 or not DEVICE.exists():
            missing("root and /dev/net/tun", "hosts of one's own are made by root, on a kernel with that device")
        devices = {self._device(host): self.address(host) for host in self._numbers}
        command = [sys.executable, "-m", "tests.faults.switch", *(f"{name}={at}" for name, at in devices.items())]
        self._switch = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._await("ready")
        for host in self._numbers:
            self._make(host)
        for name, (_, owners) in self._shared.items():
            for owner in owners:
                ip("-n", self._namespace(owner), "address", "add", f"{self.address(name)}/32", "dev", "lo")
            self.route(name, owners[0])

    def stop(self) -> None:
        """Remove the hosts; what still runs in them goes on without a network."""
        if self._switch is not None:
            self._switch.communicate()
        for host in self._numbers:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "delete", self._namespace(host))

    def command(self, host: str, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` on a host; its process becomes theirs."""
        return ["ip", "netns", "exec", self._namespace(host), *words]

    @contextlib.contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Enter a host: sockets that this thread makes meanwhile are that host's, wherever they are used later."""
        with open("/proc/thread-self/ns/net") as here, Path("/run/netns", self._namespace(host)).open() as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(here.fileno())

    def link(self, source: str, target: str, loss: float = 0.0, delay: float = 0.0) -> None:
        """Set one way between two hosts. loss: probability; delay: seconds."""
        self._command({"from": self._device(source), "to": self._device(target), "loss": loss, "delay": delay})

    def heal(self) -> None:
        """Make every link perfect."""
        for source in self._numbers:
            for target in self._numbers:
                self.link(source, target)

    def route(self, name: str, owner: str) -> None:
        """Give a shared address to one of its hosts."""
        self._command({"route": self.address(name), "to": self._device(owner)})

    def forward(self, source: str, target: str, port: int) -> None:
        """Make a port on the loopback address of one host lead to the same of another."""
        rules = {
            source: [f"OUTPUT --destination 127.0.0.1 -p tcp --dport {port} -j DNAT --to {self.address(target)}:{port}",
                     f"POSTROUTING --source 127.0.0.1 --destination {self.address(target)} -j MASQUERADE"],
            target: [f"PREROUTING -p tcp --dport {port} -j DNAT --to 127.0.0.1:{port}"],
        }  # fmt: skip
        for host, lines in rules.items():
            for line in lines:
                command = self.command(host, ["iptables", "-t", "nat", "-A", *line.split()])
                subprocess.run(command, check=True, capture_output=True)

    def _make(self, host: str) -> None:
        name, device = self._namespace(host), self._device(host)
        ip("netns", "add", name)
        ip("link", "set", device, "netns", name)
        ip("-n", name, "address", "add", f"{self.address(host)}/24", "dev", device)
        for interface in ("lo", device):
            ip("-n", name, "link", "set", interface, "up")
        # for `forward`: packets to and from the loopback address may leave and enter the host
        words = ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"]
        subprocess.run(self.command(host, words), check=True)

    def _namespace(self, host: str) -> str:
        return f"{self._prefix}-{host}"

    def _device(self, host: str) -> str:
        return f"{self._prefix}t{self._numbers[host]}"

    def _command(self, wish: dict[str, object]) -> None:
        assert self._switch is not None
        assert self._switch.stdin is not None
        self._switch.stdin.write(json.dumps(wish) + "\n")
        self._switch.stdin.flush()
        self._await("done")

    def _await(self, word: str) -> None:
        assert self._switch is not None
        assert self._switch.stdout is not None
        line = self._switch.stdout.readline().strip()
        assert line == word, f"the switch says {line!r}"


def ip(*words: str) -> None:
    """Run iproute2's program."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def enter(namespace: int) -> None:
    """Move this thread into the network namespace of an open file."""
    if LIBRARY.setns(namespace, NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")
