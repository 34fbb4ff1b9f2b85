"""Tests of the live venue in virtual time: expiry, renewal, order groups, other bots, restarts."""

from typing import Any

import pytest

from bot.account_fills import AccountFills
from bot.errors import AnotherBotRunning, OrderRejected, OrderUncertain
from bot.strategy_types import OrderOrigin
from tests.support.in_process_bot import InProcessBot
from tests.support.trading import D, wish


async def started(**more: Any) -> tuple[InProcessBot, str]:
    """A bot whose account was read, and a market at 45 to 55 cents."""
    bot = InProcessBot(**more)
    ticker = bot.market()
    await bot.check.begin()
    return bot, ticker


async def refreshed(bot: InProcessBot, count: int, seconds: float = 1.0) -> None:
    """Let time pass and refresh the venue."""
    for _ in range(count):
        bot.exchange.advance(seconds)
        await bot.venue.refresh({})


async def test_a_resting_order_expires_unless_it_is_renewed() -> None:
    """Sent with an expiry of 30 s; a bot that runs moves it, a dead one does not."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.46", ticker))
    await refreshed(bot, 100)
    assert len(bot.resting()) == 1
    assert [order.quantity for order in bot.venue.resting()] == [5]
    bot.exchange.advance(31)
    assert bot.resting() == []


async def test_an_order_that_expired_is_no_longer_counted() -> None:
    """The next read of the orders finds it closed."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.46", ticker))
    bot.exchange.advance(40)
    await refreshed(bot, 6)
    assert bot.venue.resting() == []


async def test_a_renewed_order_keeps_its_place_and_its_fills() -> None:
    """A part that filled before the renewal stays filled, and the order is not made larger."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "2.00", "price": "0.5000"})
    await refreshed(bot, 60)
    [order] = bot.resting()
    assert (order["remaining_count_fp"], order["fill_count_fp"]) == ("3.00", "2.00")
    assert [order.quantity for order in bot.venue.resting()] == [3]
    assert bot.state.positions.position(ticker) == 2


@pytest.mark.parametrize("kind", ["error", "refuse", "trading_pause"])
async def test_an_order_that_cannot_be_renewed_expires(kind: str) -> None:
    """The venue goes on, and knows in the end that the order is gone."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.46", ticker))
    known: dict[str, dict[str, Any]] = {
        "refuse": {"reason": "scope", "path": "*/amend"}, "error": {"status": 500, "path": "*/amend"},
    }  # fmt: skip
    bot.fault(kind, **known.get(kind, {}))
    await refreshed(bot, 45)
    assert bot.resting() == []
    assert bot.venue.resting() == []


async def test_an_order_that_the_exchange_has_lost_is_dropped_after_its_expiry() -> None:
    """Accepted, then 404 by its id and in no list: it counts until it would have expired, and not for ever."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.46", ticker))
    [lost] = bot.venue.tracker.open()
    assert bot.exchange.request("DELETE", f"/portfolio/events/orders/{lost.order_id}").status == 200
    bot.fault("error", status=404, code="not_found", path=f"*/{lost.order_id}*")
    await refreshed(bot, 29)
    assert [order.quantity for order in bot.venue.resting()] == [5], "reads trail: it may rest"
    await refreshed(bot, 15)
    assert bot.venue.resting() == []
    await bot.venue.cancel_all()


async def test_an_order_that_was_dropped_is_taken_up_when_it_shows_again() -> None:
    """An adopted order without an expiry: the list shows it again after a read that had lost it."""
    first, ticker = await started(live={"lifetime": 10_000.0})
    await first.venue.place(wish("BUY", "5", "0.46", ticker))
    bot = InProcessBot(exchange=first.exchange, boot_id="second", live={"earlier_boot_ids": ("boot",)})
    await refreshed(bot, 6)
    [order] = bot.venue.tracker.open()
    order.expires = None
    bot.venue.tracker.forget(order.client_order_id)
    await refreshed(bot, 6)
    assert [each.quantity for each in bot.venue.resting()] == [5]


async def test_a_late_fill_of_an_order_that_was_dropped_is_ours() -> None:
    """The order cannot be read any more; its fill still names it."""
    bot, ticker = await started(live={"lifetime": 10_000.0})
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    [order] = bot.venue.tracker.open()
    bot.venue.tracker.forget(order.client_order_id)
    bot.fault("error", status=404, code="not_found", path=f"*/portfolio/orders/{order.order_id}")
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "5.00", "price": "0.5000"})
    await refreshed(bot, 1)
    assert bot.state.positions.position(ticker) == 5


async def test_an_order_that_takes_has_no_expiry() -> None:
    """The exchange refuses an expiry on it."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.60", ticker, rest=False))
    assert bot.state.positions.position(ticker) == 5


async def test_too_many_matches_cancel_the_whole_group_until_it_is_reset() -> None:
    """A limit of 6 contracts in 15 s: the exchange cancels all, refuses more, and the venue resets the group."""
    bot, ticker = await started(live={"group_limit": 6})
    for price in ("0.46", "0.47", "0.50"):
        await bot.venue.place(wish("BUY", "8", price, ticker))
    assert len(bot.resting()) == 3
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "8.00", "price": "0.5000"})
    assert bot.resting() == []
    with pytest.raises(OrderRejected) as caught:
        await bot.venue.place(wish("BUY", "1", "0.46", ticker))
    assert caught.value.reason == "order group"
    bot.exchange.advance(20)
    await bot.venue.place(wish("BUY", "1", "0.46", ticker))
    assert len(bot.resting()) == 1
    groups = bot.exchange.request("GET", "/portfolio/order_groups").body["order_groups"]
    assert len(groups) == 1
    assert list(bot.state.order_groups.values()) == [groups[0]["id"]]


async def test_a_group_that_the_exchange_has_deleted_is_created_again() -> None:
    """A stored group id that is unknown costs nothing; one that is deleted while trading costs one refusal."""
    bot, ticker = await started(live={"group_limit": 100})
    bot.state.order_groups["0"] = "of-last-year"
    await bot.venue.place(wish("BUY", "1", "0.46", ticker))
    group = bot.state.order_groups["0"]
    assert group != "of-last-year"
    assert bot.exchange.request("DELETE", f"/portfolio/order_groups/{group}").status == 200
    with pytest.raises(OrderRejected):
        await bot.venue.place(wish("BUY", "1", "0.46", ticker))
    bot.exchange.advance(61)
    await bot.venue.place(wish("BUY", "1", "0.46", ticker))
    assert bot.state.order_groups["0"] != group


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_stored_group_gets_the_limit_of_this_run(failures: int) -> None:
    """A lower BOT_GROUP_LIMIT holds after a restart, at the second try if the first one fails."""
    first, ticker = await started(live={"group_limit": 200})
    await first.venue.place(wish("BUY", "1", "0.46", ticker))
    bot = InProcessBot(
        exchange=first.exchange, boot_id="second", live={"group_limit": 6}, stored=first.state.dump()
    )  # fmt: skip
    if failures:
        bot.fault("error", status=500, path="*/limit", times=failures)
    for _ in range(failures + 1):
        await bot.venue.place(wish("BUY", "1", "0.45", ticker))
        bot.exchange.advance(61)
    [group] = bot.exchange.request("GET", "/portfolio/order_groups").body["order_groups"]
    assert group["contracts_limit_fp"] == "6.00"


async def test_orders_go_without_a_group_where_none_is_offered() -> None:
    """404 on creation means an exchange without groups; any other failure is tried again later."""
    for status, groups in ((404, 0), (500, 1)):
        bot, ticker = await started(live={"group_limit": 100})
        bot.fault("error", status=status, path="*/order_groups/create", times=1)
        await bot.venue.place(wish("BUY", "1", "0.46", ticker))
        assert len(bot.resting()) == 1
        await refreshed(bot, 61)
        await bot.venue.place(wish("BUY", "1", "0.45", ticker))
        assert len(bot.state.order_groups) == groups


async def test_a_bot_finds_foreign_orders_under_its_prefix() -> None:
    """At the start it refuses to trade unless it adopts them; while trading it names them."""
    first, ticker = await started()
    await first.venue.place(wish("BUY", "5", "0.46", ticker))
    second = InProcessBot(exchange=first.exchange, boot_id="second")
    with pytest.raises(AnotherBotRunning, match="pi-bot-boot-1"):
        await second.venue.ensure_alone()
    await second.venue.refresh({})
    assert "another bot sends orders under pi-bot-" in second.venue.second_bot()
    assert second.venue.resting() == []
    await second.venue.cancel_all()
    assert len(first.resting()) == 1, "they are not ours to cancel"
    await second.venue.ensure_alone(adopt=True)
    await second.venue.cancel_all()
    assert first.resting() == []


async def test_an_order_that_cannot_be_cancelled_keeps_no_other_from_being_cancelled() -> None:
    """The exchange refuses every operation in one market: the orders of the others are gone after cancel_all."""
    bot, ticker = await started(live={"cancel_limit": 1.0})
    others = [bot.market(name) for name in ("KXBTC", "KXFED")]
    for each in (ticker, *others):
        await bot.venue.place(wish("BUY", "5", "0.46", each))
    [closed, *_] = bot.venue.tracker.open()
    path = f"*/portfolio/events/orders/{closed.order_id}"
    bot.fault("error", status=400, code="MARKET_INACTIVE", message="market is not active", path=path)
    with pytest.raises(OrderUncertain, match="1 of our orders may still rest") as caught:
        await bot.venue.cancel_all()
    assert caught.value.reason == "market closed"
    assert [order["ticker"] for order in bot.resting()] == [ticker]


async def test_a_fill_that_is_read_after_the_payout_of_its_market_is_paid_too() -> None:
    """The settlement is read first: the fill leaves a profit and no position."""
    bot, ticker = await started()
    await bot.venue.place(wish("BUY", "5", "0.50", ticker))
    bot.exchange.advance(1)
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "5.00", "price": "0.5000"})
    bot.exchange.admin("POST", "/settle", {"ticker": ticker, "result": "yes"})
    await bot.venue.fills.read_settlements()
    await refreshed(bot, 12)
    assert bot.state.trade_log.seq == 1
    assert bot.state.positions.position(ticker) == 0
    assert bot.state.account.positions == {}
    assert bot.state.profit()["realized"] == D("2.50")
    assert await bot.check.differences() == ""


async def test_a_second_bot_whose_orders_never_rest_is_found_by_its_fills() -> None:
    """The same prefix and another run: its fill moves the account, not our books, and the next turn halts."""
    bot, ticker = await started()
    await refreshed(bot, 2)
    second = InProcessBot(exchange=bot.exchange, boot_id="second")
    await second.check.begin()
    await second.venue.place(wish("BUY", "5", "0.60", ticker, rest=False))
    await bot.turns(1)
    assert "pi-bot-second-1" in bot.venue.second_bot()
    assert list(bot.state.halts.halts) == ["second_bot"]
    assert bot.state.positions.position(ticker) == 0
    assert bot.state.account.positions == {ticker: 5}
    assert await bot.check.differences() == ""
    await refreshed(bot, 6)
    assert bot.venue.second_bot() == "", "after POST /clear it trades again"


async def test_fills_of_an_unknown_earlier_run_are_ours() -> None:
    """The state file is a backup from before that run: what it traded is counted, and not taken for a second bot's."""
    first, ticker = await started()
    stored = first.state.dump()
    later = InProcessBot(exchange=first.exchange, boot_id="later", stored=stored)
    await later.venue.place(wish("BUY", "5", "0.60", ticker, rest=False))
    first.exchange.advance(20)
    bot = InProcessBot(exchange=first.exchange, boot_id="now", stored=stored)
    assert await bot.check.differences() == ""
    await bot.turns(3)
    assert bot.state.positions.position(ticker) == 5
    assert bot.venue.second_bot() == ""


async def test_the_next_run_adopts_the_orders_of_the_last() -> None:
    """Its boot id is stored."""
    first, ticker = await started()
    await first.venue.place(wish("BUY", "5", "0.46", ticker))
    second = InProcessBot(exchange=first.exchange, boot_id="second", live={"earlier_boot_ids": ("boot",)})
    await second.venue.ensure_alone()
    await second.venue.cancel_all()
    assert first.resting() == []


async def test_orders_of_others_on_the_account_are_counted_and_warned_about_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By their client ids; they are not touched."""
    bot, ticker = await started()
    other = {
        "ticker": ticker, "side": "bid", "count": "1.00", "price": "0.4000", "client_order_id": "other-bot-1",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    }  # fmt: skip
    assert bot.exchange.request("POST", "/portfolio/events/orders", body=other).status == 201
    await refreshed(bot, 20)
    assert bot.venue.other_orders() == ["other-bot-1"]
    assert caplog.text.count("this bot did not send") == 1
    assert bot.venue.second_bot() == ""
    await bot.venue.cancel_all()
    assert len(bot.resting()) == 1


async def test_the_first_start_takes_hand_made_fills_as_opening_positions() -> None:
    """Three fills by hand 130 s old: no trade, no difference, and their cost counts as risked elsewhere."""
    bot = InProcessBot()
    ticker = bot.market()
    for _ in range(3):
        body = {"ticker": ticker, "side": "bid", "count": "10.00", "price": "0.5000"}
        assert bot.exchange.admin("POST", "/fill", body).status < 300
    bot.exchange.advance(130)
    await bot.check.begin()
    assert await bot.check.differences() == ""
    await refreshed(bot, 40)
    assert bot.state.trade_log.seq == 0
    assert bot.state.account.positions == {ticker: 30}
    assert bot.state.risk.elsewhere == {ticker: D(15)}


async def test_fifty_restarts_while_trading_keep_the_books_of_the_exchange() -> None:
    """Each run trades, is stored, and is followed by the next after 20 s; every fill is reported once."""
    bot, ticker = await started()
    trades = 0
    for number in range(50):
        await bot.venue.place(wish("BUY" if number % 2 else "SELL", "3", "0.50", ticker))
        side = "ask" if number % 2 else "bid"
        bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": side, "count": "2.00", "price": "0.5000"})
        if number % 3:
            await refreshed(bot, 2)
        stored = bot.state.dump()
        trades += bot.state.trade_log.seq
        bot.exchange.advance(20)
        bot = InProcessBot(exchange=bot.exchange, boot_id=f"run{number}", stored=stored)
        await bot.venue.cancel_all()
        assert await bot.check.differences() == ""
    trades += bot.state.trade_log.seq
    ledger = bot.exchange.admin("GET", "/ledger").body
    position = next(D(row["position_fp"]) for row in ledger["positions"] if row["ticker"] == ticker)
    assert bot.state.positions.position(ticker) == position
    assert trades == len(ledger["fills"]) == 50


async def test_an_uncertain_order_is_resolved_and_its_trade_knows_its_decision() -> None:
    """The answer is lost after the order was taken: it is found, not sent again, and its origin is kept."""
    bot, ticker = await started()
    origin = OrderOrigin("maker", D("0.5"), bot.time())
    bot.fault("error", status=500, path="*/portfolio/events/orders", method="POST", times=1)
    with pytest.raises(OrderUncertain):
        await bot.venue.place(wish("BUY", "5", "0.50", ticker), origin)
    await refreshed(bot, 6)
    assert bot.venue.resting() == [], "it never existed"
    await bot.venue.place(wish("BUY", "5", "0.50", ticker), origin)
    bot.exchange.admin("POST", "/take", {"ticker": ticker, "side": "ask", "count": "5.00", "price": "0.5000"})
    await refreshed(bot, 1)
    [trade] = bot.state.trade_log.last(1).trades
    assert (trade["strategy"], trade["mid"]) == ("maker", D("0.5"))
    assert trade["decided_at"] <= trade["sent_at"] <= trade["acknowledged_at"]


def test_the_low_water_mark_never_falls() -> None:
    """Neither an older read nor a stored state lowers it."""
    account = AccountFills()
    account.read_until(D(5000))
    mark = account.low_water
    account.read_until(D(1000))
    account.open_with({}, D(2000))
    assert account.low_water == mark == AccountFills.load(account.dump()).low_water
