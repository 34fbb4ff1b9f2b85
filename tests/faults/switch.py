"""A network switch as a process: carries packets between hosts over links that lose and delay them, each way by itself.

Arguments: one `device=address` for each host. Each line on stdin is a JSON command, answered by a line `done`:
{"from": device, "to": device, "loss": 0 to 1, "delay": seconds} or {"route": address, "to": device}.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import random
import socket
import struct
import sys
from dataclasses import dataclass

CREATE_DEVICE = 0x400454CA  # TUNSETIFF
PLAIN_PACKETS = 0x1001  # IFF_TUN | IFF_NO_PI
LONGEST = 65536
AT_ONCE = 64  # packets of one host before the others have their turn


@dataclass(frozen=True, slots=True)
class Link:
    """One way between two hosts. loss: probability; delay: seconds."""

    loss: float = 0.0
    delay: float = 0.0


class Switch:
    """Devices by name, addresses, and the links that are not perfect."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._devices = {device: open_device(device) for device in addresses}
        self._routes = {socket.inet_aton(address): device for device, address in addresses.items()}
        self._links: dict[tuple[str, str], Link] = {}
        self._loop = asyncio.get_running_loop()
        for device, file in self._devices.items():
            self._loop.add_reader(file, self._carry, device, file)

    def command(self, line: bytes) -> None:
        """Change a link or a route."""
        wish = json.loads(line)
        if "route" in wish:
            self._routes[socket.inet_aton(wish["route"])] = wish["to"]
        else:
            self._links[wish["from"], wish["to"]] = Link(wish["loss"], wish["delay"])

    def _carry(self, source: str, file: int) -> None:
        for _ in range(AT_ONCE):
            try:
                packet = os.read(file, LONGEST)
            except OSError:  # none is waiting, or the device is down
                return
            target = self._routes.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if target is not None:
                self._forward(self._links.get((source, target), Link()), target, packet)

    def _forward(self, link: Link, target: str, packet: bytes) -> None:
        if link.loss and random.random() < link.loss:
            return
        if link.delay:
            self._loop.call_later(link.delay, self._deliver, target, packet)
        else:
            self._deliver(target, packet)

    def _deliver(self, target: str, packet: bytes) -> None:
        # its queue is full, or the host is being removed: a network loses packets
        with contextlib.suppress(OSError):
            os.write(self._devices[target], packet)


def open_device(name: str) -> int:
    """Return the file of a new network device, through which its packets are read and written."""
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, CREATE_DEVICE, struct.pack("16sH", name.encode(), PLAIN_PACKETS))
    return file


async def serve(addresses: dict[str, str]) -> None:
    """Run until stdin ends."""
    switch, commands = Switch(addresses), asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        switch.command(line)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(dict(word.split("=") for word in sys.argv[1:])))
