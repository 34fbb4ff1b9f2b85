"""Mode of a bot's trades: named by the trade, by the status, or unknown until one of them names it."""

from dataclasses import replace

import pytest

from ingest import trade_intake
from ingest.bot_payload import ReportedTrade, read_trades
from ingest.trade_intake import ANNOUNCE_AFTER, TradeModes
from journal.entries import Mode, Trade
from tests.support.bot import trade, wire

NOW = 1_700_000_100.0  # Unix seconds


def reported(*numbers: int, mode: Mode | None = None, boot: str | None = None) -> list[ReportedTrade]:
    """Return trades of a window, each with a mode if one is given."""
    found = read_trades(wire([trade(number, boot_id=boot) for number in numbers]), NOW).trades
    return [replace(each, own_mode=mode) for each in found]


def modes(trades: list[Trade]) -> dict[str, str]:
    """Return the mode of each trade."""
    return {each.trade_id: each.mode for each in trades}


def test_the_status_names_the_mode_of_trades_that_do_not() -> None:
    """A trade's own mode outweighs the status."""
    new = [*reported(1), *reported(2, mode="paper")]
    trades, gap = TradeModes().resolve(new, "demo", NOW)
    assert (modes(trades), gap) == ({"t1": "demo", "t2": "paper"}, None)


def test_trades_wait_until_their_mode_is_known() -> None:
    """They are written in their order once it is; those that name their own mode do not wait."""
    resolver = TradeModes()
    trades, gap = resolver.resolve([*reported(1), *reported(2, mode="live")], None, NOW)
    assert (modes(trades), gap, len(resolver)) == ({"t2": "live"}, None, 1)
    trades, gap = resolver.resolve(reported(3), "paper", NOW + 1)
    assert (modes(trades), gap, len(resolver)) == ({"t1": "paper", "t3": "paper"}, None, 0)


def test_waiting_trades_make_one_gap() -> None:
    """After a minute, once, from the first of them to now; the next wait is announced again."""
    resolver = TradeModes()
    resolver.resolve(reported(1), None, NOW)
    assert resolver.resolve([], None, NOW + ANNOUNCE_AFTER - 1)[1] is None
    gap = resolver.resolve([], None, NOW + ANNOUNCE_AFTER)[1]
    assert gap is not None
    assert (float(gap.start), float(gap.end)) == (1_700_000_001, NOW + ANNOUNCE_AFTER)
    assert resolver.resolve([], None, NOW + 2 * ANNOUNCE_AFTER)[1] is None
    resolver.resolve([], "live", NOW + 200)
    resolver.resolve(reported(2), None, NOW + 201)
    assert resolver.resolve([], None, NOW + 201 + ANNOUNCE_AFTER)[1] is not None


def test_trades_around_a_change_of_mode_are_a_gap() -> None:
    """The trades of the poll that shows the change may be of either mode; the next ones are of the new one."""
    resolver = TradeModes()
    resolver.resolve(reported(1), "paper", NOW)
    trades, gap = resolver.resolve([*reported(2, 3), *reported(4, mode="live")], "live", NOW + 3)
    assert modes(trades) == {"t4": "live"}
    assert gap is not None
    assert gap.why == "2 trades: the bot changed from paper to live and its trades name no mode"
    assert modes(resolver.resolve(reported(5), "live", NOW + 6)[0]) == {"t5": "live"}


def test_a_restarted_bot_has_its_new_mode() -> None:
    """A bot that was restarted in another mode names another boot_id with its trades."""
    resolver = TradeModes()
    resolver.resolve(reported(1, boot="b1"), "paper", NOW)
    trades, gap = resolver.resolve(reported(2, boot="b2"), "live", NOW + 3)
    assert (modes(trades), gap) == ({"t2": "live"}, None)


def test_the_mode_before_our_own_restart_counts() -> None:
    """A change of mode while we were away is a change."""
    assert TradeModes("paper").resolve(reported(1), "live", NOW)[1] is not None
    assert TradeModes("live").resolve(reported(1), "live", NOW)[1] is None


def test_waiting_trades_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are dropped into a gap."""
    monkeypatch.setattr(trade_intake, "MAX_WAITING", 2)
    resolver = TradeModes()
    gap = resolver.resolve(reported(1, 2, 3), None, NOW)[1]
    assert gap is not None
    assert (float(gap.start), float(gap.end), len(resolver)) == (1_700_000_001, 1_700_000_001, 2)
