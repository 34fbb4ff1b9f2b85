"""The time for which a loss on marks must last."""

from bot.halts import LastingLoss


def test_a_second_of_pulled_quotes_triggers_no_loss_limit() -> None:
    """A loss on marks acts only after it was seen at every valuation for ten seconds."""
    loss = LastingLoss()
    assert not any(loss.check(now, on_marks=True, realized=False) for now in (0.0, 1.0, 9.9))
    assert not loss.check(10.5, on_marks=False, realized=False)
    assert not loss.check(11.0, on_marks=True, realized=False)
    assert not loss.check(20.9, on_marks=True, realized=False)
    assert loss.check(21.0, on_marks=True, realized=False)


def test_a_realized_loss_acts_at_once() -> None:
    """A realized loss needs no mark."""
    assert LastingLoss().check(0.0, on_marks=True, realized=True)
