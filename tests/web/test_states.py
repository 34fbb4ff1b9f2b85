"""The page in every state of bot, exchange, keys, clocks and server, before a service that answers from a script."""

import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.support.eventually import until
from tests.web import pictures, scenarios
from tests.web.chrome import Chrome
from tests.web.pictures import STATES, VIEWS, open_page, service_in, settle
from tests.web.scripted_service import ScriptedService
from tests.web.test_dashboard import violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LIVE = STATES[0]
LARGE = next(state for state in STATES if state.large)
ALERTS = "return [...document.querySelectorAll('.alert')].map(each => each.dataset.id)"
BOX = """
  const r = document.getElementById(arguments[0]).getBoundingClientRect();
  return [r.top, r.bottom, r.width, r.height];
"""
ROWS = """
  const rows = [...document.querySelectorAll('#view-trades .tbody .tr')];
  rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
  return rows.map(row => [row.textContent, row.children[4].textContent]);
"""
FIRST_LINK = """return document.querySelector('#trades .tr[aria-rowindex="2"] a')?.getAttribute('href') ?? ''"""
WIDEST = """
  const all = [...document.querySelectorAll('main .panel, main .table, main .chart svg')];
  return all.filter(each => each.clientWidth).map(each => each.getBoundingClientRect().width);
"""
NAMES = """
  const shown = [...document.querySelectorAll('main .tbody .td.market')].filter(each => each.offsetParent);
  return shown.map(each => each.clientWidth);
"""
# The page's clock goes so many seconds ahead; its timers keep their time.
LATER = """
  const now = performance.now.bind(performance);
  performance.now = () => now() + arguments[0] * 1000;
  document.dispatchEvent(new Event('visibilitychange'));
"""
MARKETS_OLD = """
  const rows = [...document.querySelectorAll('#view-markets .tbody .tr')].filter(row => row.querySelector('.td.old'));
  return rows.map(row => row.querySelector('b').textContent);
"""
SLOWLY = """
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.tr.new { animation-duration: 60s }');
  document.adoptedStyleSheets = [sheet];
"""
STYLES = "return [...document.querySelectorAll(arguments[0])].map(each => getComputedStyle(each)[arguments[1]])"
OLD = "return document.querySelector(arguments[0]).classList.contains('old')"


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    """A service with an ordinary account."""
    with service_in(LIVE) as running:
        yield running


@pytest.fixture(autouse=True)
def desk(chrome: Chrome) -> None:
    """Each test begins on a common screen."""
    chrome.metrics(1440, 900)
    chrome.theme("light")


def figure(chrome: Chrome, name: str) -> str:
    """Return the text of a figure."""
    return chrome.text(f'[data-name="{name}"] .number')


def test_the_first_screen_holds_the_core(chrome: Chrome, service: ScriptedService) -> None:
    """At 1440 x 900 mode, bot, connection, figures, trades, curve and positions are inside of the first screen."""
    open_page(chrome, service)
    ids = ("mode", "bot", "connection", "figures", "trades", "equity", "positions")
    for name in ids:
        box = chrome.run(BOX, name)
        assert 0 <= box[0] < box[1] <= 901, (name, box)
        assert min(box[2:]) > 14, (name, box)
    assert chrome.run("return document.querySelectorAll('#trades .tbody .tr').length") >= 15
    assert {name: figure(chrome, name) for name in ("cash", "unexplained")} == {
        "cash": "$10,000.00",
        "unexplained": "$0.00",
    }


@pytest.mark.parametrize(
    ("activity", "tone", "alerts"),
    [
        ("trading", "good", []),
        ("paused", "info", ["bot"]),
        ("halted", "bad", ["bot"]),
        ("refused", "bad", ["bot"]),
        ("stopped", "bad", ["bot"]),
        ("other", "warn", ["bot"]),
    ],
)
def test_the_bots_activity_is_in_header_alert_title_and_icon(
    chrome: Chrome, service: ScriptedService, activity: str, tone: str, alerts: list[str]
) -> None:
    """Each activity has its color in the header and its alert, and a bot that is down shows in title and icon."""
    open_page(chrome, service)
    service.report(activity=activity, reason="daily loss of $50 reached")
    until(lambda: "daily loss" in chrome.text("#bot"), 20, "the reason in the header")
    assert chrome.run("return document.getElementById('bot').dataset.tone") == tone
    until(lambda: chrome.run(ALERTS) == alerts, 20)
    down = activity in ("halted", "refused", "stopped", "other")
    assert ("▲ BOT" in chrome.run("return document.title")) == down
    assert (chrome.run("return document.querySelector('link[rel=icon]').dataset.tone") != "good") == down


def test_faults_and_recoveries_are_shown_within_seconds(chrome: Chrome, service: ScriptedService) -> None:
    """Each fault is one alert that ends with its cause; the times from fault and from recovery are printed."""
    open_page(chrome, service)
    port = service.server_port
    steps: tuple[tuple[str, Callable[[], object], Callable[[], object], list[str], float], ...] = (
        (
            "bot halted",
            lambda: service.report(activity="halted"),
            lambda: service.report(activity="trading"),
            ["bot"],
            2.0,
        ),
        ("bot dead", lambda: pictures.kill_bot(service), lambda: pictures.recover(service), ["bot"], 6.5),
        (
            "exchange down",
            lambda: service.part("kalshi", "degraded", "timed out"),
            lambda: service.part("kalshi", "ok"),
            ["exchange"],
            6.5,
        ),
        (
            "journal full",
            lambda: service.part("journal", "degraded", "disk full"),
            lambda: service.part("journal", "ok"),
            ["journal"],
            6.5,
        ),
        (
            "cache gone",
            lambda: service.part("cache", "degraded", "no Redis"),
            lambda: service.part("cache", "ok"),
            ["part-cache"],
            6.5,
        ),
    )
    assert port
    for name, fault, repair, expected, limit in steps:
        begun = time.monotonic()
        fault()
        until(lambda expected=expected: chrome.run(ALERTS) == expected, 15, name)  # type: ignore[misc]
        shown = time.monotonic() - begun
        begun = time.monotonic()
        repair()
        until(lambda: chrome.run(ALERTS) == [], 15, f"the end of {name}")
        ended = time.monotonic() - begun
        print(f"{name}: shown after {shown:.1f} s, gone {ended:.1f} s after its end")
        assert shown < limit + 4
        assert ended < limit + 4


def test_a_dead_server_makes_everything_old(chrome: Chrome, service: ScriptedService) -> None:
    """Cash, sums, tables, curve, title and icon look old within a second, and the alert names the one cause."""
    open_page(chrome, service)
    service.stop()
    until(lambda: chrome.run(OLD, '[data-name="cash"]'), 20)
    for selector in (
        '[data-name="value"]',
        '[data-name="realized"]',
        '[data-name="unexplained"]',
        "#trades",
        "#equity",
        "#positions",
    ):
        until(lambda selector=selector: chrome.run(OLD, selector), 2, selector)  # type: ignore[misc]
    until(lambda: chrome.run(ALERTS) == ["server"], 8)
    assert chrome.run("return document.title").startswith("▲ OFFLINE")
    stroke = chrome.run("return getComputedStyle(document.querySelector('#equity .line')).stroke")
    area = float(chrome.run("return getComputedStyle(document.querySelector('#equity .area')).opacity"))
    assert stroke != chrome.run("return getComputedStyle(document.querySelector('#link-overview')).color")
    assert area < 0.2


def test_a_server_that_hangs_is_not_called_live(chrome: Chrome, service: ScriptedService) -> None:
    """A server that accepts and answers nothing is shown as such within a few seconds, and back after."""
    open_page(chrome, service)
    service.frozen.set()
    until(lambda: "does not answer" in chrome.text("#connection"), 20)
    assert chrome.run(OLD, '[data-name="cash"]')
    service.frozen.clear()
    until(lambda: "complete up to" in chrome.text("#connection"), 20)
    until(lambda: not chrome.run(OLD, '[data-name="cash"]'), 20)


def test_without_keys_cash_is_unknown_and_the_rest_is_complete(chrome: Chrome) -> None:
    """Without keys cash is a dash with the reason, the mode is unknown, and the exchange is not named as source."""
    with service_in(LIVE) as service:
        service.parts["kalshi"]["keys"] = False
        service.status["mode"] = None
        for entry in service.entries:
            entry.pop("mode", None)
        service.entries[:] = [entry for entry in service.entries if "trade_id" not in entry][:0]
        chrome.open(f"{service.base}dashboard")
        until(lambda: "complete up to" in chrome.text("#connection") or "Live" in chrome.text("#connection"), 10)
        until(lambda: chrome.run(ALERTS) == ["keys"], 8)
        assert (figure(chrome, "cash"), chrome.text("#mode")) == ("–", "MODE UNKNOWN")
        assert "hidden without keys" in chrome.text('[data-name="cash"] .age')
        assert "come from the exchange" not in chrome.text("#alerts")


def test_without_any_mark_values_are_dashes(chrome: Chrome) -> None:
    """Positions without a price have no value, no unrealized and no net profit, and the page counts them."""
    with service_in(LIVE) as service:
        service.markets, service.positions = {}, []
        service.entries[:] = [
            {
                "seq": 1,
                "timestamp": time.time() - 60,
                "positions": [{"ticker": "A", "quantity": 5, "cost": 2}],
                "mode": "demo",
                "source": "journal",
            }
        ]
        open_page(chrome, service)
        until(lambda: chrome.text('[data-name="value"] .age') == "1 without a price", 20)
        assert [figure(chrome, name) for name in ("value", "unrealized", "net")] == ["–", "–", "–"]


def test_a_mark_of_an_own_trade_grows_old(chrome: Chrome) -> None:
    """With bot and exchange away the value of positions rests on own trades, has their age, and looks old."""
    with service_in(LIVE) as service:
        service.markets, service.positions = {}, []
        pictures.kill_bot(service)
        service.part("kalshi", "degraded", "timed out")
        open_page(chrome, service)
        until(lambda: chrome.run(OLD, '[data-name="value"]'), 8)
        assert "own trade" in chrome.text('[data-name="value"] .age')
        assert "old" in chrome.text('[data-name="value"] .age')
        assert chrome.run("return [...document.querySelectorAll('#positions .td.old')].length") > 0


@pytest.mark.parametrize("skew", [40.0, -600.0])
def test_ages_and_the_curve_follow_the_servers_clock(chrome: Chrome, service: ScriptedService, skew: float) -> None:
    """With the browser 40 s behind or ten minutes ahead fresh numbers are fresh, and the curve stays in its panel."""
    service.skew = skew
    for entry in service.entries:
        entry["timestamp"] += skew
    service.status["since"] = service.now() - 60
    open_page(chrome, service)
    until(lambda: chrome.text('[data-name="cash"] .age').endswith(("now", " s ago")), 20)
    age = re.search(r"for (\d+) s", chrome.text("#bot"))  # 60 s and what opening the page took
    assert age is not None
    assert 59 <= int(age[1]) < 90
    box, points = chrome.run("""
      const box = document.querySelector('#equity .chart').getBoundingClientRect();
      const path = document.querySelector('#equity .line').getAttribute('d');
      return [[box.width, box.height], [...path.matchAll(/[MH](-?[\\d.]+)/g)].map(each => Number(each[1]))];
    """)
    assert points == sorted(points)
    assert min(points) >= 0
    assert max(points) <= box[0]


def test_a_filter_is_in_the_address_and_survives_a_reload(chrome: Chrome, service: ScriptedService) -> None:
    """Filter, range and sort order of the trades stand in the URL; a reload shows the same rows."""
    open_page(chrome, service, "trades?ticker=KXBTCD-26NOV2717-T88000&sort=price")
    until(lambda: chrome.run(ROWS), 20)
    until(lambda: all("$88,000 or above" in text for text, _ in chrome.run(ROWS)), 20, "the titles of the rows")
    shown = chrome.run(ROWS)
    prices = [float(price.strip() or "0") for _, price in shown]
    assert prices == sorted(prices)
    chrome.driver.refresh()
    until(lambda: "complete up to" in chrome.text("#connection"), 10)
    until(lambda: chrome.run(ROWS) == shown, 5, "the same rows")
    chrome.run("document.querySelector('#view-trades .sort').click()")
    until(lambda: "sort=time" in chrome.run("return location.hash"), 20)
    assert chrome.run("return document.querySelector('#view-trades [aria-sort=ascending]').textContent") == "Time"


def test_the_export_is_what_the_filter_means(chrome: Chrome, service: ScriptedService) -> None:
    """The export of a search over titles holds every entry of its markets, in order, from the server's CSV."""
    open_page(chrome, service, "trades?ticker=bitcoin")
    until(lambda: re.match(r"[\d,]+ of", chrome.text("#view-trades .filters .minor")), 20)
    chrome.run("""
      window.files = [];
      const create = URL.createObjectURL;
      URL.createObjectURL = blob => { blob.text().then(text => window.files.push(text)); return create(blob); };
      [...document.querySelectorAll('#view-trades button')].find(each => each.textContent === 'Export CSV').click();
    """)
    [text] = until(lambda: chrome.run("return window.files"), 10)
    lines = text.strip().split("\r\n")
    expected = [entry["seq"] for entry in service.entries if str(entry.get("ticker", "")).startswith("KXBTCD")]
    assert [int(line.split(",")[0]) for line in lines[1:]] == expected
    assert chrome.text("#view-trades .filters .minor").startswith(f"{len(expected)} of")
    assert f"Exported {len(expected)} entries" in chrome.text("#announcer")


def test_the_markets_search_reads_all_pages(chrome: Chrome, service: ScriptedService) -> None:
    """A search finds a market beyond the first page, and the count names how many were searched."""
    for number in range(450):
        service.markets[f"KXMORE-26DEC-{number}"] = {
            **next(iter(service.markets.values())),
            "ticker": f"KXMORE-26DEC-{number}",
            "event_ticker": "KXMORE-26DEC",
            "yes_title": f"Number {number}",
            "title": "More?",
        }
    open_page(chrome, service, "markets")
    until(lambda: "200 of 200" in chrome.text("#view-markets .filters"), 8)
    chrome.run("location.hash = '#/markets?q=number 449'")
    until(lambda: "1 of 465" in chrome.text("#view-markets .filters"), 8)
    chrome.run("document.querySelector('#view-markets .tbody a').click()")
    until(lambda: "Number 449" in chrome.text("#view-markets h2"), 20)
    until(lambda: "0.30 / 0.32" in chrome.text("#view-markets .facts"), 8)


def test_a_market_that_was_read_long_ago_looks_old(chrome: Chrome) -> None:
    """The first page and a hundred more markets are read again each minute; the others look old after it."""
    with service_in(LIVE) as service:
        like = next(iter(service.markets.values()))
        service.markets.clear()
        for number in range(450):
            name = f"KXMORE-26DEC-{number:03}"
            service.markets[name] = {**like, "ticker": name, "yes_title": f"Number {number}"}
        open_page(chrome, service, "markets?q=number&sort=market")
        until(lambda: "450 of 450" in chrome.text("#view-markets .filters"), 20)
        assert not chrome.run("return document.querySelector('#view-markets .td.old')")
        chrome.run(LATER, 55)
        until(lambda: service.requests.count("markets/") == 5, 20, "the first page and a hundred more are read again")
        chrome.run(LATER, 15)
        settle(chrome)
        assert chrome.run(MARKETS_OLD) == []
        chrome.run("document.querySelector('#view-markets .scroller').scrollTop = 1e6")
        until(lambda: "Number 449" in chrome.run(MARKETS_OLD), 20, "rows that were not")


def test_odd_addresses_show_the_view(chrome: Chrome, service: ScriptedService) -> None:
    """Unknown choices mean the first one, blank searches all; times beyond the calendar bound nothing."""
    open_page(chrome, service, "positions?show=constructor&ticker=%20")
    until(lambda: "14 of 15" in chrome.text("#view-positions .filters"), 20)
    assert chrome.run("return document.querySelector('#view-positions [aria-pressed=true]').textContent") == "open"
    chrome.run("location.hash = '#/trades?ticker=%20%20&from=99999999999999&to=-1&sort=-constructor'")
    until(lambda: chrome.text("#view-trades .filters .minor").endswith(f"{len(service.entries)} entries"), 20)
    assert chrome.errors() == []


@pytest.mark.parametrize("word", ["staging", "constructor", "__proto__"])
def test_a_mode_that_no_table_has_is_shown_as_it_is(chrome: Chrome, service: ScriptedService, word: str) -> None:
    """The page goes on with a mode it does not know: its word in the header, none of the other mode's trades."""
    open_page(chrome, service)
    service.report(mode=word)
    until(lambda: chrome.text("#mode .word") == word.upper(), 20)
    until(lambda: chrome.text("#trades .minor") == "0 in all", 20)
    assert chrome.errors() == []


def test_positions_are_priced_by_quotes_once_the_account_is_unknown(chrome: Chrome, service: ScriptedService) -> None:
    """After keys are taken away the marks of the account grow old, and quotes replace them without a reload."""
    open_page(chrome, service)
    until(lambda: not chrome.run(OLD, '[data-name="value"]') and figure(chrome, "value") != "–", 20)
    before = figure(chrome, "value")
    service.parts["kalshi"]["keys"] = False
    for market in service.markets.values():
        market.update(yes_bid=0.9, yes_ask=0.92)
    until(lambda: chrome.run(ALERTS) == ["keys"], 20)
    chrome.run(LATER, 15)
    settle(chrome)
    chrome.run(LATER, 10)
    until(lambda: figure(chrome, "value") != before, 20, "values by quotes")
    until(lambda: not chrome.run(OLD, '[data-name="value"]'), 20)


def test_a_table_that_was_empty_shows_every_row_that_it_has_room_for(chrome: Chrome, service: ScriptedService) -> None:
    """The first rows of a table change its height: as many are drawn as fit then, also after a reload."""
    for _ in range(3):
        open_page(chrome, service)
        until(lambda: chrome.text("#positions .minor") == "14", 20)
        until(lambda: chrome.run("return document.querySelectorAll('#positions .tbody .tr').length") == 14, 5)


@pytest.mark.parametrize(("motion", "animations"), [("no-preference", 1), ("reduce", 0)])
def test_nothing_moves_where_the_system_asks_for_it(
    chrome: Chrome, service: ScriptedService, motion: str, animations: int
) -> None:
    """A new row is animated, and not where reduced motion is preferred."""
    features = [{"name": "prefers-reduced-motion", "value": motion}]
    chrome.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    open_page(chrome, service)
    chrome.run(SLOWLY)
    service.add("trade", scenarios.trade("KXCPIYOY-26DEC11-T29", service.now(), random.Random(1)))
    until(lambda: chrome.run("return document.querySelectorAll('#trades .tr.new').length") == 1, 20)
    assert chrome.run("return document.getAnimations().length") == animations


def test_colors_of_the_system_leave_one_view_and_one_button_chosen(chrome: Chrome, service: ScriptedService) -> None:
    """With forced colors the current view and the pressed button differ from the others, and a halt from all."""
    features = [{"name": "forced-colors", "value": "active"}]
    chrome.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    open_page(chrome, service)
    service.report(activity="halted")
    until(lambda: chrome.run(ALERTS) == ["bot"], 20)
    parts = (".views a", "borderBottomColor"), ("#equity button", "backgroundColor"), (".pill", "backgroundColor")
    for selector, style in parts:
        colors = chrome.run(STYLES, selector, style)
        assert len(set(colors)) == 2, (selector, colors)
        assert min(colors.count(color) for color in set(colors)) == 1, (selector, colors)
    chrome.theme("light")


def test_a_click_meets_the_row_that_was_pressed(chrome: Chrome, service: ScriptedService) -> None:
    """Trades that arrive between press and release move the rows only after the click."""
    open_page(chrome, service)
    newest = service.add("trade", {**scenarios.trade("KXCPIYOY-26DEC11-T29", service.now(), random.Random(1))})
    until(lambda: newest["ticker"] in chrome.run(FIRST_LINK), 20, "the newest trade is the first row")
    link = chrome.driver.find_element("css selector", '#trades .tr[aria-rowindex="2"] a')
    pointer = ActionChains(chrome.driver)
    pointer.click_and_hold(link).perform()
    for number in range(3):
        service.add("trade", scenarios.trade("KXBTCD-26NOV2717-T92000", service.now(), random.Random(number)))
    until(lambda: f"complete up to #{len(service.entries)}" in chrome.text("#connection"), 20)
    assert newest["ticker"] in chrome.run(FIRST_LINK)
    pointer.release().perform()
    until(lambda: newest["ticker"] in chrome.run("return location.hash"), 20, "the market that was pressed")


def test_keys_move_through_the_rows_of_a_list(chrome: Chrome, service: ScriptedService) -> None:
    """Enter goes into a list, the arrows from row to row, Enter opens the market, Escape leaves."""
    open_page(chrome, service, "markets")
    until(lambda: chrome.run("return document.querySelectorAll('#view-markets .tbody a').length") >= 15, 20)
    chrome.run("document.querySelector('#view-markets .scroller').focus()")
    keys = ActionChains(chrome.driver)
    place = "return document.activeElement.closest('.tr')?.ariaRowIndex ?? document.activeElement.className"
    for key, expected in (
        (Keys.ENTER, "2"),
        (Keys.ARROW_DOWN, "3"),
        (Keys.ARROW_DOWN, "4"),
        (Keys.ARROW_UP, "3"),
        (Keys.ESCAPE, "scroller"),
        (Keys.ENTER, "2"),
    ):
        keys.send_keys(key).perform()
        assert chrome.run(place) == expected
    href = chrome.run("return document.activeElement.getAttribute('href')")
    keys.send_keys(Keys.ENTER).perform()
    until(lambda: chrome.run("return location.hash") == href, 10)


def test_a_hidden_tab_shows_its_state_in_title_and_icon(chrome: Chrome, service: ScriptedService) -> None:
    """No frame is drawn in a hidden tab; trades, a halt and a dead server still reach its title."""
    open_page(chrome, service)
    driver = chrome.driver
    tab = driver.current_window_handle
    driver.switch_to.new_window("tab")
    other = driver.current_window_handle

    def hidden_title() -> str:
        found = driver.execute_cdp_cmd("Target.getTargets", {})["targetInfos"]
        return str(next(each["title"] for each in found if "dashboard" in each["url"]))

    try:
        service.add("trade", scenarios.trade("KXCPIYOY-26DEC11-T29", service.now(), random.Random(1)))
        until(lambda: hidden_title().startswith("(1) "), 20, "the count of unseen trades")
        service.report(activity="halted", reason="daily loss")
        until(lambda: "▲ BOT HALTED" in hidden_title(), 20, "the halt")
        service.stop()
        until(lambda: "▲ OFFLINE" in hidden_title(), 20, "the server that is gone")
    finally:
        driver.switch_to.window(other)
        driver.close()
        driver.switch_to.window(tab)
    until(lambda: not chrome.run("return document.title").startswith("("), 20, "seen")


def test_keys_reach_every_view_and_the_sheet(chrome: Chrome, service: ScriptedService) -> None:
    """Digits choose views, / the search, t the theme, ? the sheet; typing in a field does none of it."""
    open_page(chrome, service)
    body = chrome.driver.find_element("tag name", "body")
    for number, view in enumerate(VIEWS, 1):
        body.send_keys(str(number))
        until(lambda view=view: chrome.run("return location.hash").startswith(f"#/{view.split('?')[0]}"), 3)  # type: ignore[misc]
    body.send_keys("2/")
    until(lambda: chrome.run("return document.activeElement.type") == "search", 20)
    chrome.driver.switch_to.active_element.send_keys("7?t")
    assert chrome.run("return location.hash").startswith("#/trades")
    chrome.run("document.activeElement.blur()")
    body.send_keys("t?")
    until(lambda: chrome.run("return document.getElementById('keys').open"), 15)
    assert chrome.run("return document.documentElement.dataset.theme") == "dark"
    chrome.run(
        "document.querySelector('#keys button').click(); document.getElementById('theme').click();"
        "localStorage.removeItem('theme')"
    )


def test_copied_amounts_are_whole(chrome: Chrome) -> None:
    """An amount that is shown compact is copied with every digit."""
    with service_in(LARGE) as service:
        open_page(chrome, service)
        until(lambda: figure(chrome, "value").endswith("M"), 20)
        copied = chrome.run("""
          const number = document.querySelector('[data-name="value"] .number');
          getSelection().selectAllChildren(number);
          const data = new DataTransfer();
          number.dispatchEvent(new ClipboardEvent('copy', {clipboardData: data, bubbles: true, cancelable: true}));
          return data.getData('text/plain');
        """)
        assert re.fullmatch(r"\$[\d,]+\.\d{2,8}", copied)
        assert len(copied) > len(figure(chrome, "value"))


@pytest.mark.parametrize(
    ("theme", "width", "states"),
    [("light", 1440, (0, 1, 5)), ("dark", 1440, (0, 1, 5)), ("light", 390, (0,))],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing_in_any_view(
    chrome: Chrome, axe: str, theme: str, width: int, states: tuple[int, ...]
) -> None:
    """axe-core finds nothing in any view, live, with a halted bot, and with a dead server; on a phone live."""
    chrome.theme(theme)
    chrome.driver.set_script_timeout(120)  # it computes for seconds
    chrome.metrics(width, pictures.WIDTHS[width])
    for state in (STATES[at] for at in states):
        with service_in(state) as service:
            open_page(chrome, service)
            state.change(service)
            until(lambda state=state: state.shows in chrome.text("body"), 10)  # type: ignore[misc]
            for view in VIEWS:
                chrome.run(f"location.hash = '#/{view}'")
                settle(chrome)
                assert violations(chrome, axe) == "", (state.name, view)


SPILLS = (Path(__file__).parent / "spills.js").read_text()


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_no_text_leaves_its_cell_and_no_two_markets_read_alike(
    chrome: Chrome, state: pictures.State, tmp_path: Path
) -> None:
    """In every view, width and theme: nothing is wider than its place, and different markets have different names."""
    wrong: list[str] = []

    def visit(name: str) -> None:
        found = chrome.run(SPILLS)
        if found:
            chrome.picture(name, folder=tmp_path)
            wrong.append(f"{name}: {found}")

    widths = (360, 390, 768, 1440, 1920, 2560)
    pictures.walk(chrome, visit, (state,), widths)
    assert wrong == [], f"see {tmp_path}"
    assert chrome.errors() == []


def test_tables_and_curve_fit_on_paper(chrome: Chrome, service: ScriptedService) -> None:
    """Before it is printed the page is laid out for a sheet, in light colors, with names of markets; then as before."""
    open_page(chrome, service)
    chrome.run("document.documentElement.dataset.theme = 'dark'")
    for view in VIEWS:
        chrome.run(f"location.hash = '#/{view}'")
        settle(chrome)
        before = chrome.run(WIDEST)
        chrome.run("dispatchEvent(new Event('beforeprint'))")
        assert chrome.run("return document.documentElement.dataset.theme") == "light"
        assert max(chrome.run(WIDEST), default=0) <= 718, view
        assert min(chrome.run(NAMES), default=200) >= 190, view
        assert chrome.run(SPILLS) == "", view
        chrome.run("dispatchEvent(new Event('afterprint'))")
        assert chrome.run("return document.documentElement.dataset.theme") == "dark"
        assert chrome.run(WIDEST) == before, view


def test_the_accounts_of_the_scenarios_are_as_described() -> None:
    """The large account has 40 markets, amounts from a hundredth of a cent to ten million dollars, and long titles."""
    markets, entries = scenarios.large_markets(), scenarios.large()
    assert len({each["ticker"] for each in markets}) == 40
    assert min(entry["price"] for entry in entries) == 0.0001
    assert max(entry["price"] * entry["quantity"] for entry in entries) > 9e6
    assert min(len(each["title"]) for each in markets) > 100
