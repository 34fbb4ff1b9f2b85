"""Times from faults to the page showing them, and from recovery likewise: `python -m tests.web.fault_times`.

Simulator, bot and server run as real processes, the page in a real Chromium. The output is a table in Markdown.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.fast_bot import FastBot
from tests.web.stage import Stage

TOKEN = "the-token-of-the-fault-times"
LIMIT = 120.0  # seconds for a sign
CURRENT = """
  const text = selector => document.querySelector(selector).textContent;
  return text('#connection').includes('complete up to') && text('[data-name="cash"] .number') !== '–'
    && !document.querySelector('.alert, .figure.old');
"""
OLD = "return document.querySelector('[data-name=\"{0}\"]').classList.contains('old')"
ALERT = "return [...document.querySelectorAll('.alert')].some(each => each.dataset.id === '{0}')"
GAP = "return document.body.textContent.includes('may be missing')"


@dataclass(frozen=True)
class Fault:
    """A fault of the running stage, the sign of it on the page, and its end."""

    name: str
    begin: Callable[[Stage], object]
    sign: str
    end: Callable[[Stage], object]
    shows: str


def command(stage: Stage, path: str) -> None:
    """Send a command to the bot."""
    url = f"http://127.0.0.1:{stage.bot_port}/{path}"
    request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {TOKEN}"})
    urllib.request.urlopen(request, timeout=5).close()


def send(stage: Stage, name: str, number: signal.Signals) -> None:
    """Send a signal to a process of the stage."""
    stage.processes[name].send_signal(number)


def break_exchange(stage: Stage, path: str) -> None:
    """Let the exchange answer 500 under paths of a pattern."""
    stage.fault(kind="error", status=500, path=path)


FAULTS = (
    Fault("server killed", lambda s: s.kill("server"), OLD.format("cash"), lambda s: s.server(), "every figure old"),
    Fault(
        "server hangs (SIGSTOP)",
        lambda s: send(s, "server", signal.SIGSTOP),
        OLD.format("cash"),
        lambda s: send(s, "server", signal.SIGCONT),
        "every figure old",
    ),
    Fault("bot killed", lambda s: s.kill("bot"), ALERT.format("bot"), lambda s: s.bot(), "alert, header, title"),
    Fault(
        "bot hangs (SIGSTOP)",
        lambda s: send(s, "bot", signal.SIGSTOP),
        ALERT.format("bot"),
        lambda s: send(s, "bot", signal.SIGCONT),
        "alert, header, title",
    ),
    Fault(
        "bot halted (POST /halt)",
        lambda s: command(s, "halt"),
        ALERT.format("bot"),
        lambda s: command(s, "clear"),
        "alert, header, title",
    ),
    Fault(
        "exchange answers 500",
        lambda s: break_exchange(s, "*"),
        OLD.format("cash"),
        lambda s: s.clear_faults(),
        "cash and marks old, alert",
    ),
    Fault(
        "exchange hangs (SIGSTOP)",
        lambda s: send(s, "simulator", signal.SIGSTOP),
        OLD.format("cash"),
        lambda s: send(s, "simulator", signal.SIGCONT),
        "cash and marks old, alert",
    ),
    Fault(
        "prices of markets fail",
        lambda s: break_exchange(s, "*/markets*"),
        OLD.format("value"),
        lambda s: s.clear_faults(),
        "value and unrealized old",
    ),
)


def seconds_until(chrome: Chrome, sign: str, what: str) -> float:
    """Return the seconds until a script returns true."""
    begun = time.monotonic()
    until(lambda: chrome.run(sign), LIMIT, what, every=0.02)
    return time.monotonic() - begun


def measure(chrome: Chrome, stage: Stage, fault: Fault) -> tuple[float, float]:
    """Return the seconds to the sign of a fault, and from its end to a page without alert and old figure."""
    until(lambda: chrome.run(CURRENT), LIMIT, f"a current page before: {fault.name}")
    fault.begin(stage)
    shown = seconds_until(chrome, fault.sign, fault.name)
    fault.end(stage)
    return shown, seconds_until(chrome, CURRENT, f"the end of: {fault.name}")


@contextmanager
def demo_stage() -> Iterator[Stage]:
    """Simulator, bot and server, the bot polled every half second."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), {"MARKS_TTL": "5"})
        stage.simulator()
        stage.account["BOT_TOKEN"] = TOKEN
        try:
            stage.bot()
            stage.server()
            yield stage
        finally:
            for name in list(stage.processes):
                stage.kill(name)


def gap_time(chrome: Chrome) -> float:
    """Return the seconds from a burst beyond the window of a paper bot to the gap on the page."""
    with tempfile.TemporaryDirectory() as folder, FastBot() as bot, Stage(Path(folder), bot.settings) as stage:
        stage.kill("bot")
        bot.trade(5)
        chrome.open(stage.base + "dashboard#/trades")
        until(lambda: "complete up to" in chrome.text("#connection"), 30)
        until(lambda: int(stage.read("health")["journal"]["seq"]) >= 5, 30)
        bot.trade(1000)
        return seconds_until(chrome, GAP, "the gap")


def main(names: list[str]) -> None:
    """Print the table of the named faults, of all when none is named."""
    chosen = [fault for fault in FAULTS if not names or any(name in fault.name for name in names)]
    print("| fault | the page shows | after | gone after its end |\n|---|---|---|---|", flush=True)
    with Chrome() as chrome:
        chrome.metrics(1440, 900)
        with demo_stage() as stage:
            chrome.open(stage.base + "dashboard")
            for fault in chosen:
                shown, ended = measure(chrome, stage, fault)
                print(f"| {fault.name} | {fault.shows} | {shown:.1f} s | {ended:.1f} s |", flush=True)
        if not names or "gap" in names:
            print(f"| gap (a burst beyond the bot's window) | its row, notice | {gap_time(chrome):.1f} s | stays |")


if __name__ == "__main__":
    main(sys.argv[1:])
