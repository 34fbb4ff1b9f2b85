"""Tests of risk limits and halts: limits hold for all orders and fills, halts stay, closing is allowed."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.exposure import Strike
from bot.halts import Halts
from bot.positions import Positions
from bot.risk import EventTerms, Risk, RiskRefusal
from bot.strategy_types import Execution, PlaceOrder, RestingOrder, Side
from tests.support.trading import D, execution, limits, loss_limits, order, quote, wish

NOW = 1_700_000_000.0


def risk(*fills: Execution, **more: object) -> Risk:
    """A risk whose positions come from these fills."""
    positions = Positions()
    for fill in fills:
        positions.trade(fill)
    return Risk(limits(**more), positions, Halts(loss_limits()))


def judge(judged: Risk, wanted: PlaceOrder, *resting: RestingOrder, **more: object) -> PlaceOrder | RiskRefusal:
    """Review an order against a fresh quote."""
    return judged.review(wanted, quote(**more), list(resting), NOW, 0.0)  # type: ignore[arg-type]


def size(verdict: PlaceOrder | RiskRefusal) -> Decimal:
    """The size that may be sent."""
    return verdict.quantity if isinstance(verdict, PlaceOrder) else D(0)


@pytest.mark.parametrize(
    ("wanted", "fills", "resting", "quantity"),
    [
        pytest.param(wish("BUY", "5", "0.40"), [], [], "5", id="fits"),
        pytest.param(wish("BUY", "25", "0.40"), [], [], "10", id="cut to the order size"),
        pytest.param(wish("BUY", "10", "0.40"), [("BUY", "45", "0.40")], [], "5", id="cut to the market's limit"),
        pytest.param(wish("SELL", "10", "0.90"), [("SELL", "10", "0.90")], [], "10", id="a short costs one less price"),
        pytest.param(wish("SELL", "10", "0.40"), [("BUY", "100", "0.40")], [], "10", id="closing above the limit"),
        pytest.param(wish("BUY", "10", "0.40"), [], [order("BUY", "45", "0.40")], "5", id="what rests counts"),
        pytest.param(
            wish("BUY", "10", "0.50"), [("BUY", "90", "0.50", "0", "KXB")], [], "10", id="total: room for ten"
        ),
        pytest.param(
            wish("BUY", "10", "0.50"), [("BUY", "94", "0.50", "0", "KXB")], [], "6", id="cut to the total limit"
        ),
        pytest.param(wish("BUY", "7.77", "0.40"), [], [], "7", id="whole contracts from one on"),
        pytest.param(wish("BUY", "0.77", "0.40"), [], [], "0.77", id="a fraction below one contract"),
        pytest.param(
            wish("BUY", "10", "0.40"), [("BUY", "48.5", "0.40")], [], "1", id="room for 1.5 contracts sends one"
        ),
        pytest.param(
            wish("BUY", "10", "0.40"), [("BUY", "49.5", "0.40")], [], "0.5", id="room for half a contract sends it"
        ),
        pytest.param(wish("SELL", "0.4", "0.40"), [("BUY", "0.4", "0.40")], [], "0.4", id="a rest can be closed"),
    ],
)
def test_an_order_is_cut_to_what_the_limits_leave(
    wanted: PlaceOrder, fills: list[tuple[Side, str, str]], resting: list[RestingOrder], quantity: str
) -> None:
    """It is made smaller until every limit holds, in whole contracts from one on; closing is never cut."""
    assert size(judge(risk(*(execution(*fill) for fill in fills)), wanted, *resting)) == D(quantity)


@pytest.mark.parametrize(
    ("wanted", "resting", "market", "reason"),
    [
        pytest.param(wish("BUY", "5", "0.40"), [], {"active": False}, "market closed", id="closed market"),
        pytest.param(wish("BUY", "5", "0.40"), [], {"read_at": -10.5}, "stale prices", id="stale prices"),
        pytest.param(wish("BUY", "5", "0.405"), [], {}, "price grid", id="off the grid"),
        pytest.param(wish("BUY", "5", "0.40"), [order("SELL", "1", "0.40")], {}, "own order", id="own order opposite"),
        pytest.param(wish("SELL", "5", "0.40"), [order("BUY", "1", "0.45")], {}, "own order", id="own bid above"),
        pytest.param(
            wish("BUY", "5", "0.40"), [order("BUY", "50", "0.40")], {}, "market exposure", id="no room in the market"
        ),
        pytest.param(
            wish("BUY", "5", "0.40"), [], {"close_time": NOW + 60}, "closing soon", id="close to the market's end"
        ),
    ],
)
def test_an_order_that_may_not_be_sent_has_a_reason(
    wanted: PlaceOrder, resting: list[RestingOrder], market: dict[str, object], reason: str
) -> None:
    """Each refusal is a short word."""
    verdict = judge(risk(stop_before=60.0), wanted, *resting, **market)
    assert isinstance(verdict, RiskRefusal)
    assert verdict.reason == reason


def test_prices_at_the_limit_of_their_age_are_still_used() -> None:
    """Ten seconds old with a limit of ten: fresh; an older one is stale."""
    assert size(judge(risk(), wish("BUY", "5", "0.40"), read_at=-10.0)) == 5


def test_an_order_that_takes_may_be_sent_shortly_before_the_close() -> None:
    """Only what rests is refused, so that a position can be closed."""
    judged = risk(execution("BUY", "8", "0.40"), stop_before=60.0)
    assert size(judge(judged, wish("SELL", "8", "0.50", rest=False), close_time=NOW + 5)) == 8


@pytest.mark.parametrize("state", ["paused", "losing"])
def test_a_paused_or_losing_bot_only_closes(state: str) -> None:
    """An order is cut to the contracts that are held the other way and not being closed already."""
    judged = risk(execution("BUY", "8", "0.40"))
    if state == "paused":
        judged.halts.paused = True
    else:
        judged.halts = Halts(loss_limits(lasting=10.0))
        judged.halts.observe(D(0), NOW, 0.0)
        judged.halts.observe(D(-31), NOW, 0.0)
        assert not judged.halts.halted
    refusal = judge(judged, wish("BUY", "5", "0.40"))
    assert isinstance(refusal, RiskRefusal)
    assert refusal.reason == ("paused" if state == "paused" else "loss limit")
    assert size(judge(judged, wish("SELL", "10", "0.50"), order("SELL", "3", "0.60"))) == 5


NESTED = {"KXA": Strike(D(50), None), "KXB": Strike(D(60), None), "KXC": Strike(D(70), None)}


@pytest.mark.parametrize(
    ("fills", "strikes", "exclusive", "quantity"),
    [
        pytest.param([("SELL", "30", "0.50", "0", "KXB")], NESTED, False, "10", id="a lower strike bought covers it"),
        pytest.param(
            [("BUY", "30", "0.50", "0", "KXB"), ("BUY", "20", "0.40", "0", "KXC")],
            NESTED,
            False,
            "0",
            id="all strikes lose together",
        ),
        pytest.param(
            [("BUY", "20", "0.40", "0", "KXB"), ("BUY", "25", "0.60", "0", "KXC")],
            {},
            False,
            "0",
            id="independent markets add up",
        ),
        pytest.param(
            [("SELL", "20", "0.60", "0", "KXB"), ("SELL", "20", "0.60", "0", "KXC")],
            {},
            True,
            "10",
            id="at most one outcome happens",
        ),
    ],
)
def test_an_event_s_worst_case_counts_its_outcomes_together(
    fills: list[tuple[Side, str, str, str, str]], strikes: dict[str, Strike], exclusive: bool, quantity: str
) -> None:
    """20 dollars of event exposure: nested strikes lose together or cover each other, exclusive ones cover."""
    judged = risk(
        *(execution(*fill) for fill in fills), event_exposure=D(20), market_exposure=D(100), total_exposure=D(100)
    )
    judged.events = dict.fromkeys(("KXA", "KXB", "KXC"), "EVENT")
    judged.terms = {"EVENT": EventTerms(exclusive, strikes)}
    verdict = judge(judged, wish("BUY", "10", "0.50"))
    assert size(verdict) == D(quantity)
    if isinstance(verdict, RiskRefusal):
        assert verdict.reason == "event exposure"


def test_positions_made_elsewhere_count_in_total_and_event() -> None:
    """45 dollars at risk in the account's own positions leave 5 of 50."""
    judged = risk(market_exposure=D(40), event_exposure=D(100))
    judged.elsewhere = {"KXZ": D(45)}
    assert size(judge(judged, wish("BUY", "10", "0.50"))) == 10
    judged.elsewhere = {"KXZ": D(48)}
    assert size(judge(judged, wish("BUY", "10", "0.50"))) == 4
    judged = risk(market_exposure=D(40), event_exposure=D(46), total_exposure=D(100))
    judged.elsewhere, judged.events = {"KXZ": D(45)}, {"KXZ": "E", "KXA": "E"}
    assert size(judge(judged, wish("BUY", "10", "0.50"))) == 2


@pytest.mark.parametrize(
    ("profits", "names"),
    [
        pytest.param(["0", "-29.99"], [], id="below both"),
        pytest.param(["0", "-30"], ["daily_loss"], id="a day's loss"),
        pytest.param(["25", "-5"], ["daily_loss"], id="a day's loss counts from the first profit of the day"),
        pytest.param(["0", "35", "-5"], ["drawdown"], id="below the best"),
        pytest.param(["0", "-100"], ["daily_loss", "drawdown"], id="both"),
    ],
)
def test_a_loss_at_its_limit_halts(profits: list[str], names: list[str]) -> None:
    """The limit itself halts, and the halt has the amount of the loss."""
    halts = Halts(loss_limits())
    for profit in profits:
        halts.observe(D(profit), NOW, 0.0)
    assert sorted(halts.halts) == names
    assert halts.halted == bool(names)


def test_a_loss_on_marks_halts_only_if_it_lasts() -> None:
    """Nine seconds of a bad mark halt nothing, and a good one in between starts again; ten seconds halt."""
    halts = Halts(loss_limits(lasting=10.0))
    halts.observe(D(0), NOW, 0.0, D(0))
    for at in (1.0, 10.0):
        assert halts.observe(D(-35), NOW, at, D(0)) == []
    assert halts.observe(D(-1), NOW, 10.5, D(0)) == []
    assert not halts.losing
    assert halts.observe(D(-35), NOW, 11.0, D(0)) == []
    assert halts.observe(D(-35), NOW, 20.9, D(0)) == []
    assert [halt.name for halt in halts.observe(D(-35), NOW, 21.0, D(0))] == ["daily_loss"]


def test_a_realized_loss_halts_at_once() -> None:
    """A loss on closed positions needs no mark to confirm it."""
    halts = Halts(loss_limits(lasting=10.0))
    halts.observe(D(0), NOW, 0.0, D(0))
    assert [halt.name for halt in halts.observe(D(-31), NOW, 1.0, D(-31))] == ["daily_loss"]


def test_a_halt_stays_until_cleared_and_losses_then_count_anew() -> None:
    """Neither profit nor the next day removes it; clear does, and the same loss does not halt again."""
    judged = risk()
    halts = judged.halts
    halts.observe(D(0), NOW, 0.0)
    halts.observe(D(-31), NOW, 1.0)
    halts.observe(D(1000), NOW + 90_000, 2.0)
    assert halts.halted
    refusal = judge(judged, wish("BUY", "1", "0.40"))
    assert isinstance(refusal, RiskRefusal)
    assert refusal.reason == "halted"
    halts.observe(D(-31), NOW + 90_001, 3.0)
    assert halts.clear(D(-31)) == ["daily_loss", "drawdown"]
    assert halts.observe(D(-31), NOW + 90_002, 4.0) == []
    assert size(judge(judged, wish("BUY", "1", "0.40"))) == 1


def test_a_new_day_forgives_the_day_s_loss_but_not_the_drawdown() -> None:
    """The day's first profit moves at midnight UTC, the best profit does not, and a clock set back changes nothing."""
    halts = Halts(loss_limits())
    for profit, later in ((0, 0), (-29, 0), (-29, 86_400), (-39, 86_401), (-39, -86_400)):
        halts.observe(D(profit), NOW + later, 0.0)
    assert not halts.halted
    halts.observe(D(-40), NOW + 86_402, 0.0)
    assert list(halts.halts) == ["drawdown"]


def test_a_restart_keeps_halts_and_baselines() -> None:
    """dump and load: the same halts, and the same distance to the next one."""
    halts = Halts(loss_limits())
    halts.observe(D(20), NOW, 0.0)
    halts.paused = True
    again = Halts(loss_limits())
    again.load(halts.dump())
    again.observe(D("-10"), NOW, 0.0)
    assert again.paused
    assert list(again.halts) == ["daily_loss"]
    third = Halts(loss_limits())
    third.load(again.dump())
    assert third.halts == again.halts


@pytest.mark.parametrize(
    "spoiled",
    [
        {"best_profit": "NaN"}, {"best_profit": "1E+99"}, {"day_profit": "-Infinity"}, {"day_profit": None},
        {"paused": "no"}, {"paused": 1}, {"day": "yesterday"}, {"halts": [{"name": "person"}]},
        {"halts": [{"name": "weather", "why": "", "since": 0}]},
        {"halts": [{"name": "person", "why": "", "since": "x"}]},
        {"halts": [{"name": "person", "why": "", "since": "NaN"}]},
    ],
    ids=lambda spoiled: str(spoiled)[1:60],
)  # fmt: skip
def test_damaged_halts_and_baselines_are_refused(spoiled: dict[str, object]) -> None:
    """A value that is not finite, out of bounds or of another type is an error."""
    halts = Halts(loss_limits())
    with pytest.raises((KeyError, TypeError, ValueError)):
        halts.load(halts.dump() | spoiled)


ASKED = st.tuples(
    st.sampled_from(["KXA", "KXB", "KXC"]), st.sampled_from(["BUY", "SELL"]), st.integers(1, 30), st.integers(1, 99),
    st.integers(0, 100), st.booleans(),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(ASKED, max_size=25))
def test_no_sequence_of_orders_passes_a_limit(flow: list[tuple[str, Side, int, int, int, bool]]) -> None:
    """For any orders, fills and resting rests, every limit holds at every moment."""
    positions = Positions()
    judged = Risk(limits(event_exposure=D(30)), positions, Halts(loss_limits()))
    judged.events = {"KXA": "E", "KXB": "E"}
    resting: list[RestingOrder] = []
    for number, (ticker, side, count, cents, percent, rests) in enumerate(flow):
        price = Decimal(cents) / 100
        verdict = judged.review(wish(side, str(count), str(price), ticker), quote(), resting, NOW, 0.0)
        if not isinstance(verdict, PlaceOrder):
            continue
        assert 0 < verdict.quantity <= 10
        filled = (verdict.quantity * percent / 100).quantize(D("0.01"))
        if filled:
            positions.trade(Execution(str(number), "o", ticker, side, filled, price, D(0), D(number), True))
        if rests and verdict.quantity > filled:
            resting.append(RestingOrder(str(number), "", ticker, side, price, verdict.quantity - filled))
        exposure = judged.exposure(resting)
        assert max(exposure.values(), default=D(0)) <= 20
        assert sum(exposure.values()) <= 50
        assert all(position.cost <= 20 for position in positions.by_ticker.values())


@pytest.mark.parametrize(
    ("wanted", "resting", "sent"),
    [
        (wish("SELL", "5", "0.40"), order("BUY", "1", "0.40"), False),
        (wish("SELL", "5", "0.40"), order("BUY", "1", "0.39"), True),
        (wish("BUY", "5", "0.40"), order("SELL", "1", "0.39"), False),
        (wish("BUY", "5", "0.40"), order("SELL", "1", "0.41"), True),
        (wish("BUY", "5", "0.40"), order("BUY", "1", "0.30"), True),
        (wish("BUY", "5", "0.40"), order("SELL", "1", "0.40", ticker="KXB"), True),
    ],
)
def test_an_order_trades_with_none_of_ours(wanted: PlaceOrder, resting: RestingOrder, sent: bool) -> None:
    """Equal prices of opposite sides meet; orders of one side or of other markets do not."""
    verdict = judge(risk(), wanted, resting)
    assert isinstance(verdict, PlaceOrder) is sent
    if isinstance(verdict, RiskRefusal):
        assert (verdict.reason, verdict.detail) == ("own order", "it would trade with our own order")


@pytest.mark.parametrize(("close_time", "sent"), [(NOW + 60, False), (NOW + 60.5, True), (None, True)])
def test_nothing_rests_shortly_before_the_close(close_time: float | None, sent: bool) -> None:
    """The limit itself is too short; a market without an end has none."""
    judged = risk(stop_before=60.0)
    assert isinstance(judge(judged, wish("BUY", "5", "0.40"), close_time=close_time), PlaceOrder) is sent
    assert judged.closes_soon(quote(close_time=close_time), NOW) is not sent


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"active": False}, "the market does not take orders"),
        ({"read_at": -10.5}, "prices are older than 10.0 s"),
        ({"close_time": NOW}, "the market closes within 60.0 s"),
    ],
)
def test_a_refusal_contains_its_limit(changes: dict[str, object], detail: str) -> None:
    """A person reads it in the log and in the answers of the bot."""
    verdict = judge(risk(stop_before=60.0, stale_after=10.0), wish("BUY", "5", "0.40"), **changes)
    assert isinstance(verdict, RiskRefusal)
    assert verdict.detail == detail


def test_a_halted_bot_names_its_halts() -> None:
    """In the order of their names."""
    judged = risk()
    judged.halts.halt("person", "a test", NOW)
    judged.halts.halt("fault", "a test", NOW)
    verdict = judge(judged, wish("BUY", "5", "0.40"))
    assert isinstance(verdict, RiskRefusal)
    assert (verdict.reason, verdict.detail) == ("halted", "halted: fault, person")


def test_orders_that_close_already_are_taken_off() -> None:
    """Only those of the same side in the same market; nothing is left to close when they hold the whole position."""
    judged = risk(execution("BUY", "8", "0.40"))
    judged.halts.paused = True
    ask = wish("SELL", "10", "0.50")
    others = order("SELL", "3", "0.60", ticker="KXB"), order("BUY", "3", "0.30")
    assert size(judge(judged, ask, *others)) == 8
    assert size(judge(judged, ask, order("SELL", "7", "0.60"))) == 1
    verdict = judge(judged, ask, order("SELL", "8", "0.60"))
    assert isinstance(verdict, RiskRefusal)
    assert (verdict.reason, verdict.detail) == ("paused", "paused: only orders that close a position are sent")
    judged = risk(execution("SELL", "8", "0.40"))
    judged.halts.paused = True
    assert size(judge(judged, wish("BUY", "10", "0.30"))) == 8
    assert size(judge(judged, wish("SELL", "10", "0.30"))) == 0


def test_exposures_of_markets_and_events() -> None:
    """By ticker without those that risk nothing; by event with positions made elsewhere, once each."""
    judged = risk(execution("BUY", "10", "0.40"), execution("SELL", "10", "0.70", "0", "KXB"))
    judged.elsewhere = {"KXB": D(2), "KXZ": D(5)}
    judged.events = {"KXA": "E", "KXB": "E"}
    resting = [order("BUY", "10", "0.10", ticker="KXC"), order("SELL", "10", "0.50")]
    assert judged.exposure(resting) == {"KXA": D(4), "KXB": D(3), "KXC": D(1)}
    assert judged.event_exposures(resting) == {"E": D(9), "KXC": D(1), "KXZ": D(5)}
    judged.positions.trade(execution("SELL", "20", "0.40", at="5"))
    assert judged.exposure([]) == {"KXA": D(6), "KXB": D(3)}
    assert judged.event_exposures([]) == {"E": D(11), "KXZ": D(5)}
    judged.terms = {"E": EventTerms(exclusive=True)}
    assert judged.event_exposures([]) == {"E": D(2), "KXZ": D(5)}
    judged.positions.trade(execution("BUY", "10", "0.40", at="6"))
    assert judged.exposure([]) == {"KXB": D(3)}


@pytest.mark.parametrize(
    ("more", "elsewhere", "reason"),
    [
        ({"market_exposure": D(0)}, {}, "market exposure"),
        ({"event_exposure": D(0)}, {}, "event exposure"),
        ({"total_exposure": D(0)}, {}, "total exposure"),
        ({"total_exposure": D(5)}, {"KXZ": D(5)}, "total exposure"),
    ],
)
def test_the_limit_that_refuses_is_named(more: dict[str, object], elsewhere: dict[str, Decimal], reason: str) -> None:
    """Not even a hundredth of a contract keeps it."""
    judged = risk(**more)
    judged.elsewhere = elsewhere
    verdict = judge(judged, wish("BUY", "5", "0.40"))
    assert isinstance(verdict, RiskRefusal)
    assert (verdict.reason, verdict.detail) == (reason, f"{reason}: the order would pass the limit")


def test_an_order_that_risks_no_more_passes_a_limit_that_was_lowered() -> None:
    """An order within an event that is over its limit passes if the event loses no more with it."""
    judged = risk(execution("BUY", "40", "0.50", "0", "KXB"), event_exposure=D(10), market_exposure=D(100))
    judged.events = dict.fromkeys(("KXA", "KXB"), "E")
    judged.terms = {"E": EventTerms(exclusive=False, strikes={"KXA": Strike(D(60), None), "KXB": Strike(D(50), None)})}
    assert size(judge(judged, wish("SELL", "10", "0.50"))) == 10
    assert size(judge(judged, wish("BUY", "10", "0.50"))) == 0


def test_an_order_keeps_everything_but_its_size() -> None:
    """Ticker, side, price, rest and reason are those that were wanted."""
    wanted = wish("SELL", "25", "0.40", rest=False)
    verdict = judge(risk(), wanted)
    assert verdict == PlaceOrder(wanted.ticker, "SELL", wanted.price, D(10), False, wanted.why)


def test_a_halt_is_in_force_once() -> None:
    """The first one of a name stays, with its time; another name is another halt."""
    halts = Halts(loss_limits())
    assert not halts.halted
    assert halts.halt("person", "first", 1.0)
    assert not halts.halt("person", "second", 2.0)
    assert halts.halt("fault", "third", 3.0)
    assert [(halt.name, halt.why, halt.since) for halt in halts.halts.values()] == [
        ("person", "first", 1.0), ("fault", "third", 3.0),
    ]  # fmt: skip
    assert halts.clear(D(0)) == ["fault", "person"]
    assert not halts.halted


def test_a_loss_has_its_amount_in_words() -> None:
    """To the cent, beside the limit; both limits act where both are passed."""
    halts = Halts(loss_limits())
    halts.observe(D(0), NOW, 0.0)
    new = halts.observe(D("-100.456"), NOW + 1, 0.0)
    assert [(halt.name, halt.since) for halt in new] == [("daily_loss", NOW + 1), ("drawdown", NOW + 1)]
    assert new[0].why == f"lost 100.46 dollars, the limit is {loss_limits().daily_loss}"
    assert halts.observe(D("-100.456"), NOW + 2, 0.0) == []


def test_clearing_ends_a_loss_that_has_not_lasted() -> None:
    """Orders that open are sent again, and the same loss halts nothing later."""
    halts = Halts(loss_limits(lasting=10.0))
    halts.observe(D(0), NOW, 0.0, D(0))
    halts.observe(D(-35), NOW, 1.0, D(0))
    assert halts.losing
    assert halts.clear(D(-35)) == []
    assert not halts.losing
    assert halts.observe(D(-35), NOW, 99.0, D(0)) == []


def test_a_realized_loss_needs_both_profits_beyond_the_limit() -> None:
    """A loss that marks make good halts nothing, and realized losses are measured from the same start."""
    halts = Halts(loss_limits(lasting=10.0))
    halts.observe(D(10), NOW, 0.0, D(10))
    assert halts.observe(D(0), NOW, 1.0, D(-50)) == []
    assert not halts.losing
    assert halts.observe(D(-20), NOW, 2.0, D("-19.99")) == []
    assert halts.losing
    assert [halt.name for halt in halts.observe(D(-20), NOW, 3.0, D(-20))] == ["daily_loss"]


def test_halts_that_are_loaded_stay_beside_those_in_force() -> None:
    """A halt of the same name in force wins; a state without a best profit has none yet."""
    halts = Halts(loss_limits())
    assert halts.dump() == {"paused": False, "halts": [], "day": "", "day_profit": "0", "best_profit": None}
    halts.load(halts.dump())
    halts.halt("person", "now", 5.0)
    halts.load_halts([{"name": "person", "why": "before", "since": 1}, {"name": "fault", "why": "before", "since": 2}])
    assert halts.dump_halts() == [
        {"name": "person", "why": "now", "since": 5.0}, {"name": "fault", "why": "before", "since": 2.0},
    ]  # fmt: skip
    halts.observe(D(7), NOW, 0.0)
    assert halts.dump() | {"halts": []} == {
        "paused": False, "halts": [], "day": "2023-11-14", "day_profit": "7", "best_profit": "7",
    }  # fmt: skip


def test_exposure_follows_position_cost_and_orders() -> None:
    """Each of the three alone changes it, though it is worked out once for equal ones."""
    judged = risk(execution("BUY", "10", "0.40"))
    assert judged.exposure([]) == judged.exposure([]) == {"KXA": D(4)}
    assert judged.exposure([order("BUY", "10", "0.50")]) == {"KXA": D(9)}
    assert judged.exposure([order("BUY", "10", "0.60")]) == {"KXA": D(10)}
    judged.positions.trade(execution("SELL", "10", "0.40", name="g", at="1"))
    judged.positions.trade(execution("BUY", "10", "0.70", name="h", at="2"))
    assert judged.exposure([order("BUY", "10", "0.60")]) == {"KXA": D(13)}
    judged.positions.trade(execution("BUY", "10", "0", name="i", at="3"))
    assert judged.exposure([]) == {"KXA": D(7)}


def test_the_last_limit_that_was_passed_is_named() -> None:
    """The size is made smaller step by step; the smallest one that was tried passes this limit."""
    judged = risk(market_exposure=D(2), total_exposure=D(0))
    verdict = judge(judged, wish("BUY", "10", "0.40"))
    assert isinstance(verdict, RiskRefusal)
    assert verdict.reason == "total exposure"
    verdict = judge(judged, wish("BUY", "0.01", "0.40"))
    assert isinstance(verdict, RiskRefusal)
    assert verdict.reason == "total exposure"
