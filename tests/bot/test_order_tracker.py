"""Tests of the order tracker: fills and answers may arrive in any order, and each is counted once."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.venues.order_tracker import OrderTracker, TrackedOrder
from tests.support.trading import D, wish


def register(quantity: str = "10") -> OrderTracker:
    """A tracker with one order without an answer."""
    own = OrderTracker()
    own.record("c", wish("BUY", quantity, "0.40"), 0.0)
    return own


def possible(own: OrderTracker) -> Decimal:
    """Return the contracts that may still fill."""
    return sum((order.quantity for order in own.resting()), D(0))


def test_an_order_counts_before_its_answer() -> None:
    """An uncertain order counts as a whole and freezes its market."""
    own = register()
    assert possible(own) == 10
    assert own.frozen("KXA")
    own.update("c", "o", D(0), True)
    assert not own.frozen("KXA")
    assert [order.order_id for order in own.resting()] == ["o"]


def test_a_refusal_leaves_nothing() -> None:
    """A refused order is removed."""
    own = register()
    own.forget("c")
    assert own.resting() == []


def test_reported_fills_that_were_not_seen_still_count() -> None:
    """A closed order is done once its reported fills were seen; until then its market is frozen."""
    own = register()
    own.update("c", "o", D(4), False)
    assert possible(own) == 4
    assert own.frozen("KXA")
    own.fill("o", None, D(3))
    assert possible(own) == 1
    own.fill("o", None, D(1))
    assert own.resting() == []
    assert not own.frozen("KXA")


def test_a_fill_before_the_answer_is_recognised_by_its_client_id() -> None:
    """The socket may report a fill before the order's answer arrives."""
    own = register()
    own.fill("o", "c", D(10))
    assert own.owns("o")
    assert own.resting() == []
    own.update("c", "o", D(10), False)
    assert own.resting() == []


def test_an_old_read_does_not_reopen_a_closed_order() -> None:
    """An order cancelled with 6 filled stays closed after an old read with status resting."""
    own = register()
    own.update("c", "o", D(0), True)
    own.close("c", D(6))
    own.update("c", "o", D(0), True)
    assert possible(own) == 6
    own.fill("o", None, D(6))
    assert own.resting() == []


def test_a_late_fill_of_a_dead_order_is_still_ours() -> None:
    """A finished order is still known as ours."""
    own = register()
    own.update("c", "o", D(0), True)
    own.close("c", D(0))
    assert own.resting() == []
    assert own.owns("o")
    own.fill("o", None, D(1))


def test_an_order_that_was_removed_too_early_is_adopted() -> None:
    """An order found resting with part of it filled counts with the rest."""
    own = OrderTracker()
    own.adopt(TrackedOrder("c", "KXA", "SELL", D("0.6"), D(10), 0.0, "o", reported=D(4), uncertain=False, adopted=True))
    assert possible(own) == 6
    own.fill("o", None, D(4))
    assert possible(own) == 6, "whether these are the four told of is not known"
    own.close("c", D(10))
    assert own.resting() == []
    assert own.is_done("o")


STEPS = st.permutations(["answer", "fill 3", "fill 2", "read", "cancel"])


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_reports_in_any_order_end_the_same(steps: list[str]) -> None:
    """Ten ordered, five filled in two parts, the rest cancelled: in any order nothing is left."""
    own = register()
    for step in steps:
        assert possible(own) >= 0
        match step.split():
            case ["answer"]:
                own.update("c", "o", D(0), True)
            case ["read"]:
                own.update("c", "o", D(5), False)
            case ["cancel"]:
                own.close("c", D(5))
            case ["fill", part]:
                own.fill("o", "c", D(part))
    assert own.resting() == []
