"""Parts of the demo that fail: a process that ends or ignores signals, a fault not set, a closed terminal."""

import asyncio
import os
import pty
import signal
import sys
import time
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from commands import demo
from commands.demo_faults import HELP, DemoFaults, keys
from commands.demo_process import DemoProcess
from commands.ports import free_port
from tests.support.eventually import eventually
from tests.support.simulator import running_simulator


def children() -> list[str]:
    """The command lines of the processes that this one started and that run."""
    mine = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in mine]


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("part", ["simulator", "server"])
async def test_a_part_that_does_not_come_up_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    """Exit status 1 at once, with the last words of each part, and none of them is left."""
    if part == "simulator":
        (tmp_path / "keys").touch()  # where a folder must be
    else:
        (tmp_path / "journal.db").mkdir()  # where a file must be
    async with asyncio.timeout(90):
        assert await demo.run(free_port(), tmp_path) == 1
    output = capsys.readouterr().out
    assert "the demo did not come up: " in output
    assert f"--- {part}\n" in output
    assert ("keys" if part == "simulator" else "cannot start: ") in output.partition(f"--- {part}\n")[2]
    assert not [words for words in children() if str(tmp_path) in words]


async def test_a_child_that_does_not_listen_is_made_to_end(tmp_path: Path) -> None:
    """SIGTERM is ignored, so SIGKILL follows; one that was never started has nothing to end."""
    (tmp_path / "deaf.py").write_text(DEAF)
    child = DemoProcess("deaf", [str(tmp_path / "deaf.py")], {}, tmp_path)
    await child.stop()
    await child.start()
    assert await child.first_line() == "up\n"
    child.signal(signal.SIGSTOP)
    async with asyncio.timeout(3):
        await child.stop(patience=0.2)
    assert not child.is_running
    child.signal(signal.SIGTERM)  # to nobody


async def test_a_part_that_ends_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each end names the part, its exit status and its log; a part that was started again counts anew."""
    (tmp_path / "lasting.py").write_text('import time\nprint("up", flush=True)\ntime.sleep(60)')
    child = DemoProcess("lasting", [str(tmp_path / "lasting.py")], {}, tmp_path)
    reporting = asyncio.create_task(demo.report_ends([child], time.monotonic(), every=0.02))
    lines: list[str] = []

    async def is_reported(times: int) -> bool:
        lines.extend(capsys.readouterr().out.splitlines())
        return len(lines) == times

    for times in (1, 2):
        await child.start()
        assert await child.first_line() == "up\n"
        await asyncio.sleep(0.1)  # the report sees it run
        child.signal(signal.SIGKILL)
        await eventually(partial(is_reported, times), within=30)
    reporting.cancel()
    assert all(f"the lasting ended (exit status -9): {tmp_path}/lasting.log" in line for line in lines)


async def test_h_shows_the_keys_again(tmp_path: Path) -> None:
    """The list of keys scrolls away with the trades; h and ? print it, another key prints nothing."""
    async with aiohttp.ClientSession() as session:
        faults = DemoFaults(DemoProcess("bot", [], {}, tmp_path), session, "http://127.0.0.1:9", "token")
        assert [await faults.press(key) for key in ("h", "?", "x")] == [HELP, HELP, ""]


async def test_a_fault_that_cannot_be_switched_can_be_tried_again(tmp_path: Path) -> None:
    """The simulator does not answer: one line reports it, and the state of the switch stays."""
    with running_simulator(tmp_path / "keys") as simulator:
        async with aiohttp.ClientSession() as session:
            faults = DemoFaults(DemoProcess("bot", [], {}, tmp_path), session, simulator.control_url, simulator.token)
            assert await faults.press("x") == ""
            assert await faults.press("f") == "", "the bot does not run"
            faults.control = f"http://127.0.0.1:{free_port()}"
            assert (
                await faults.press("e") == "the simulator did not take the fault (ClientConnectorError); press e again"
            )
            faults.control = simulator.control_url
            assert not (await faults.press("e")).startswith("ended")
            faults.control = f"http://127.0.0.1:{free_port()}"
            assert (
                await faults.press("e") == "the simulator did not take the fault (ClientConnectorError); press e again"
            )
            assert len(simulator.control("GET", "/faults")["faults"]) == 1
            faults.control = simulator.control_url
            assert (await faults.press("e")).startswith("ended")
            assert simulator.control("GET", "/faults")["faults"] == []


async def test_keys_end_when_the_terminal_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its window is closed: no error, no loop that reads nothing for ever."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        pressed = keys()
        first = asyncio.ensure_future(anext(pressed))
        await asyncio.sleep(0.05)
        os.write(master, b"e")
        assert await asyncio.wait_for(first, 2) == "e"
        os.close(master)
        async with asyncio.timeout(2):
            assert [key async for key in pressed] == []
