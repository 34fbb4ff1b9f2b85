"""Fills of the account counted once: the marks behind which nothing is new, payouts, and what is stored of them."""

from decimal import Decimal

import pytest

from bot.account_fills import AccountFills
from tests.support.trading import D


def test_a_fill_is_counted_once() -> None:
    """By its id, wherever it is read; the newest time only rises."""
    account = AccountFills()
    assert account.mark("a", D(1000))
    assert not account.mark("a", D(1000))
    assert account.mark("b", D(900))
    assert account.newest == 1000
    assert [account.is_counted(name, D(1000)) for name in ("a", "b", "c")] == [True, True, False]


def test_fills_are_read_again_from_two_minutes_before_the_last_full_read() -> None:
    """A fill older than four minutes counts as counted, one of exactly that age does not; marks only rise."""
    account = AccountFills()
    assert (account.since, account.complete, account.low_water) == (0.0, 0, 0)
    account.read_until(D(100))
    assert (account.since, account.low_water) == (0.0, 0)
    account.read_until(D(1000))
    assert (account.since, account.complete, account.newest, account.low_water) == (880.0, 1000, 1000, 760)
    assert (account.is_counted("x", D("759.999")), account.is_counted("x", D(760))) == (True, False)
    account.read_until(D(500))
    assert (account.complete, account.newest, account.low_water) == (1000, 1000, 760)


def test_ids_behind_the_mark_are_dropped() -> None:
    """Those at the mark stay; payouts stay for a day behind it."""
    account = AccountFills()
    for name, at in (("old", 759), ("edge", 760)):
        account.mark(name, D(at))
    account.settle("KXOLD", D(100_000))
    account.settle("KXEDGE", D(100_001))
    account.read_until(D(1000))
    stored = account.dump()
    assert (list(stored["seen"]), list(stored["paid"])) == (["edge"], ["KXOLD", "KXEDGE"])
    account.read_until(D(100_001 + 86_400 + 240))
    assert list(account.dump()["paid"]) == ["KXEDGE"]
    assert list(account.dump()["seen"]) == []


def test_opening_positions_hold_the_past() -> None:
    """Flat markets are left out; older fills are part of them, and a second opening moves no mark back."""
    account = AccountFills()
    account.open_with({"KXA": D(5), "KXB": D(0)}, D(1000))
    assert account.positions == {"KXA": 5}
    assert (account.newest, account.complete, account.low_water) == (1000, 1000, 760)
    account.open_with({"KXC": D(-1)}, D(900))
    assert (account.positions, account.newest, account.complete) == ({"KXC": -1}, 1000, 1000)


def test_positions_are_the_sum_of_fills() -> None:
    """+ is YES, - is NO; a flat market has none."""
    account = AccountFills()
    account.trade("KXA", "BUY", D(5))
    account.trade("KXA", "SELL", D("7.5"))
    account.trade("KXB", "BUY", D(1))
    assert account.positions == {"KXA": D("-2.5"), "KXB": D(1)}
    account.trade("KXA", "BUY", D("2.5"))
    assert account.positions == {"KXB": D(1)}
    assert repr(account) == "AccountFills(markets=1, newest=0, low_water=0)"


def test_a_payout_is_counted_once_and_ends_its_position() -> None:
    """Nor is one of the time before the mark counted; a market without a position may pay out too."""
    account = AccountFills()
    account.open_with({"KXA": D(5)}, D(1000))
    assert not account.settle("KXA", D("759.9"))
    assert account.positions == {"KXA": 5}
    assert account.settle("KXA", D(760))
    assert account.positions == {}
    assert not account.settle("KXA", D(2000))
    assert account.settle("KXB", D(1500))


def test_differences_are_named_by_ticker() -> None:
    """Ours, then the exchange's; a market that paid out is not compared."""
    account = AccountFills()
    for ticker in ("KXC", "KXA", "KXE", "KXPAID"):
        account.trade(ticker, "BUY", D(1))
    account.settle("KXPAID", D(5))
    theirs = {"KXA": D(2), "KXB": D(-3), "KXE": D(1), "KXPAID": D(1)}
    found = account.differences(theirs)
    assert list(found.items()) == [("KXA", (D(1), D(2))), ("KXB", (D(0), D(-3))), ("KXC", (D(1), D(0)))]


def test_a_stored_state_is_the_same_state() -> None:
    """Every mark, id, payout and position is read back."""
    account = AccountFills()
    account.open_with({"KXA": D("5.5")}, D(1000))
    account.mark("a", D("1100.25"))
    account.settle("KXP", D(1050))
    stored = account.dump()
    assert stored == {
        "watermark": "1100.25", "complete": "1000", "low_water": "760", "positions": {"KXA": "5.5"},
        "seen": {"a": "1100.25"}, "paid": {"KXP": "1050"},
    }  # fmt: skip
    again = AccountFills.load(stored)
    assert again.dump() == stored
    assert (again.newest, again.complete, again.low_water) == (Decimal("1100.25"), 1000, 760)


def test_a_state_of_an_older_version_has_its_marks_worked_out() -> None:
    """Without `complete` the newest fill is that time; without `low_water` it lies four minutes before."""
    stored = {"watermark": "1000", "positions": {}, "seen": {}, "paid": {}}
    again = AccountFills.load(stored)
    assert (again.complete, again.low_water) == (1000, 760)
    assert AccountFills.load(stored | {"watermark": "100"}).low_water == 0


@pytest.mark.parametrize("name", ["watermark", "positions", "seen", "paid"])
def test_a_damaged_state_is_refused(name: str) -> None:
    """A part that is missing or of another type."""
    stored = AccountFills().dump()
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        AccountFills.load({key: value for key, value in stored.items() if key != name})
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        AccountFills.load(stored | {name: "soon"})
