"""The register of our orders: fills and answers may come in any order, and nothing is counted twice or forgotten."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.venues.order_tracker import OrderTracker, TrackedOrder
from tests.support.trading import D, wish


def register(quantity: str = "10") -> OrderTracker:
    """One order sent, no answer yet."""
    own = OrderTracker()
    own.record("c", wish("BUY", quantity, "0.40"), 0.0)
    return own


def possible(own: OrderTracker) -> Decimal:
    """What may still fill."""
    return sum((order.quantity for order in own.resting()), D(0))


def test_an_order_counts_before_its_answer() -> None:
    """OrderUncertain, it freezes the market and counts whole."""
    own = register()
    assert possible(own) == 10
    assert own.frozen("KXA")
    own.update("c", "o", D(0), True)
    assert not own.frozen("KXA")
    assert [order.order_id for order in own.resting()] == ["o"]


def test_a_refusal_leaves_nothing() -> None:
    """It never existed."""
    own = register()
    own.forget("c")
    assert own.resting() == []


def test_fills_told_of_but_not_seen_still_count() -> None:
    """An order that took is done only when its fills have been seen; until then its market is frozen."""
    own = register()
    own.update("c", "o", D(4), False)
    assert possible(own) == 4
    assert own.frozen("KXA")
    own.fill("o", None, D(3))
    assert possible(own) == 1
    own.fill("o", None, D(1))
    assert own.resting() == []
    assert not own.frozen("KXA")


def test_a_fill_before_the_answer_is_ours_by_client_id() -> None:
    """A push may overtake the answer to the order that it fills."""
    own = register()
    own.fill("o", "c", D(10))
    assert own.owns("o")
    assert own.resting() == []
    own.update("c", "o", D(10), False)
    assert own.resting() == []


def test_an_old_read_does_not_raise_the_dead() -> None:
    """Cancelled with 6 filled, a later read that says resting changes nothing."""
    own = register()
    own.update("c", "o", D(0), True)
    own.close("c", D(6))
    own.update("c", "o", D(0), True)
    assert possible(own) == 6
    own.fill("o", None, D(6))
    assert own.resting() == []


def test_a_late_fill_of_a_dead_order_is_still_ours() -> None:
    """Whose an order was is remembered after it is done."""
    own = register()
    own.update("c", "o", D(0), True)
    own.close("c", D(0))
    assert own.resting() == []
    assert own.owns("o")
    own.fill("o", None, D(1))


def test_one_that_was_given_up_is_taken_up_again() -> None:
    """Found resting later, with part of it filled: what is left counts."""
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
def test_any_order_of_news_ends_the_same(steps: list[str]) -> None:
    """Ten asked, five filled in two parts, the rest cancelled: whatever comes first, nothing is left at the end."""
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
