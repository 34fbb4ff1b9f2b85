"""Pictures of every view of the page in every state, width and theme: `python -m tests.web.pictures FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.eventually import until
from tests.web import scenarios
from tests.web.chrome import Chrome
from tests.web.scripted_service import ScriptedService

VIEWS = ("overview", "trades", "positions?show=all", "orders", "performance", "money", "markets", "service")
WIDTHS = {390: 844, 768: 1024, 1440: 900, 1920: 1080}
THEMES = ("light", "dark")


@dataclass(frozen=True)
class State:
    """A state of the service, and text that the page shows once it has noticed."""

    name: str
    change: Callable[[ScriptedService], None]
    shows: str
    large: bool = False


def halt(service: ScriptedService) -> None:
    service.report(activity="halted", reason="daily loss of $50 reached")


def kill_bot(service: ScriptedService) -> None:
    service.part("bot", "degraded", "cannot connect to 127.0.0.1:9000")
    service.part("poller", "degraded", "cannot connect to 127.0.0.1:9000")
    service.report(status="offline", activity=None, reason="cannot connect to 127.0.0.1:9000")


def break_exchange(service: ScriptedService) -> None:
    service.part("kalshi", "degraded", "GET /portfolio/balance: timed out")


def hide_keys(service: ScriptedService) -> None:
    service.parts["kalshi"]["keys"] = False
    service.report(mode=None)


def recover(service: ScriptedService) -> None:
    kill_bot(service)
    for part in ("bot", "poller"):
        service.part(part, "ok")
    service.report(status="online", activity="trading", reason=None)


STATES = (
    State("live", lambda service: None, "complete up to"),
    State("halted", halt, "The bot is halted"),
    State("bot-dead", kill_bot, "The bot cannot be reached"),
    State("exchange-down", break_exchange, "The exchange cannot be read"),
    State("no-keys", hide_keys, "No keys for the exchange"),
    State("server-dead", ScriptedService.stop, "The server cannot be reached"),
    State("recovered", recover, "complete up to"),
    State("large", lambda service: None, "complete up to", large=True),
)


@contextmanager
def service_in(state: State) -> Iterator[ScriptedService]:
    """Run a service with the account of a state, before anything has changed."""
    markets = scenarios.large_markets() if state.large else scenarios.ordinary_markets()
    with ScriptedService(scenarios.large() if state.large else scenarios.ordinary(), markets) as service:
        service.positions = scenarios.positions_of(markets)
        service.reconciliation = scenarios.RECONCILIATION
        service.orders = [
            {
                "order_id": f"o{at}",
                "ticker": each["ticker"],
                "side": "BUY",
                "outcome": "yes",
                "status": "resting",
                "price": 0.31,
                "quantity": 9_999.5 if state.large else 4,
                "filled": 1,
                "remaining": 3,
                "fees": 0.01,
                "created": service.now() - at * 60,
                "expires": None,
            }
            for at, each in enumerate(markets)
        ]
        yield service


def open_page(chrome: Chrome, service: ScriptedService, view: str = "overview") -> None:
    """Open a view and wait until the journal was read and the account is shown."""
    chrome.open("about:blank")
    chrome.open(f"{service.base}dashboard#/{view}")
    until(lambda: "complete up to" in chrome.text("#connection"), 60, "the page is live")
    until(lambda: chrome.text('[data-name="cash"] .age') not in ("", "not known yet"), 10, "cash is shown")


def settle(chrome: Chrome) -> None:
    """Wait until two frames were drawn after everything that was requested."""
    chrome.driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60)))"
    )


def walk(
    chrome: Chrome,
    visit: Callable[[str], None],
    states: tuple[State, ...] = STATES,
    widths: tuple[int, ...] = tuple(WIDTHS),
) -> None:
    """Call visit with a name for every view, state, width and theme, while the browser shows it."""
    for state in states:
        with service_in(state) as service:
            chrome.metrics(1440, 900)
            open_page(chrome, service)
            for view in VIEWS:  # each reads what it shows before the state changes
                chrome.run(f"location.hash = '#/{view}'")
                settle(chrome)
            state.change(service)
            until(lambda text=state.shows: text in chrome.text("body"), 20, state.shows)  # type: ignore[misc]
            for width in widths:
                chrome.metrics(width, WIDTHS.get(width, 900))
                for theme in THEMES:
                    chrome.theme(theme)
                    for view in VIEWS:
                        chrome.run(f"location.hash = '#/{view}'")
                        settle(chrome)
                        visit(f"{state.name}-{view.split('?')[0]}-{width}-{theme}")
    chrome.theme("light")


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    with Chrome() as chrome:
        walk(chrome, lambda name: print(chrome.picture(name, folder=folder), flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
