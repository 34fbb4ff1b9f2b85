"""Tests of activity and reason: each fault of the exchange leads to its own word."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.activity import activity_of
from bot.reasons import reason_of
from ingest.bot_status import BotStatus, read_status
from kalshi.errors import CircuitOpen
from kalshi.transport import refusal
from tests.support.in_process_bot import InProcessBot
from tests.support.trading import D

ORDERS = "*/portfolio/events/orders"


@dataclass(frozen=True)
class Case:
    """A fault, the activity and reason that must follow, and the virtual seconds until then."""

    name: str
    activity: str
    reason: str | None
    fault: dict[str, Any] = field(default_factory=dict)
    seconds: int = 20


def refused(reason: str, word: str, activity: str = "refused") -> Case:
    """Every new order is refused for a reason."""
    return Case(
        f"refuse {reason}", activity, word, {"kind": "refuse", "reason": reason, "path": ORDERS, "method": "POST"}
    )


def read_refused(reason: str, word: str, activity: str = "refused") -> Case:
    """Every read of the account's fills is refused for a reason."""
    fault = {"kind": "refuse", "reason": reason, "path": "*/portfolio/fills*"}
    return Case(f"refuse {reason} on reads", activity, word, fault)


def fault(name: str, activity: str, word: str, kind: str, seconds: int = 20, **options: Any) -> Case:
    """A fault of another kind."""
    return Case(name, activity, word, {"kind": kind} | options, seconds)


CREATES: dict[str, Any] = {"path": ORDERS, "method": "POST"}
CANCELS: dict[str, Any] = {"path": ORDERS + "*", "method": "DELETE"}
READS: dict[str, Any] = {"path": "*/portfolio/*", "method": "GET"}
CASES = [
    Case("none", "trading", None),
    refused("no_cash", "no cash"), refused("price", "price"), refused("size", "size"),
    refused("market_inactive", "market closed"), refused("trading_paused", "exchange paused", "paused"),
    refused("exchange_paused", "exchange paused", "paused"), refused("key", "key"), refused("signature", "key"),
    refused("clock", "clock"), refused("scope", "scope"), refused("attestation", "attestation"),
    refused("subaccount", "scope"), refused("shard", "wrong shard"), refused("client_order_id", "client order id"),
    read_refused("key", "key"), read_refused("scope", "scope"), read_refused("clock", "clock"),
    fault("error 500 on orders", "paused", "exchange fault", "error", status=500, **CREATES),
    fault("error 500 on reads", "paused", "exchange fault", "error", status=500, **READS),
    fault("scope on cancels", "refused", "scope", "refuse", reason="scope", **CANCELS),
    fault("error 500 on cancels", "paused", "exchange fault", "error", status=500, **CANCELS),
    fault("error 503 on reads", "paused", "maintenance", "error", status=503, path="*/markets*"),
    fault("rate limit on orders", "refused", "rate limited", "rate_limit", **CREATES),
    fault("rate limit on reads", "refused", "rate limited", "rate_limit", **READS),
    fault("trading pause", "paused", "exchange paused", "trading_pause"),
    fault("exchange pause", "paused", "exchange paused", "exchange_pause"),
    fault("maintenance", "paused", "maintenance", "maintenance"),
    fault("a renamed field", "paused", "unreadable answer", "field", op="rename", field="yes_bid_dollars"),
    fault("orders that cannot be listed", "paused", "exchange fault", "error", status=500, path="*/portfolio/orders*"),
    fault("unreadable settlements", "paused", "unreadable answer", "field", op="rename", field="settlements"),
    fault("no read time", "paused", "unreadable answer", "field", 60, op="remove", field="as_of_time"),
    fault("a renamed list of orders", "paused", "unreadable answer", "field", op="rename", field="orders"),
    fault("a retyped count", "paused", "unreadable answer", "field", op="retype", field="fill_count", **CREATES),
    fault("position limit", "refused", "size", "error", status=400, code="position_limit_exceeded", **CREATES),
    fault("410 to creates", "refused", "HTTP 410", "error", status=410, **CREATES),
    Case("error 500 on the balance", "trading", None, {"kind": "error", "status": 500, "path": "*/balance*"}),
    Case("a renamed balance", "trading", None, {"kind": "field", "op": "rename", "field": "balance_dollars"}),
    Case("error 500 on amends", "trading", None, {"kind": "error", "status": 500, "path": "*/amend"}),
    Case("stale reads", "trading", "late account data", {"kind": "stale", "seconds": 300}, 150),
]  # fmt: skip
"""Faults of the simulated exchange that need no connection."""


async def word_after(case: Case) -> tuple[str, str | None]:
    """Return activity and reason of a bot on an exchange with this fault."""
    bot = InProcessBot()
    tickers = [bot.market(name) for name in ("KXRAINNYC", "KXBTC", "KXFED", "KXOSCAR")]
    bot = InProcessBot(tickers, exchange=bot.exchange, live={"cancel_limit": 0.2})
    await bot.check.begin()
    await bot.turns(1)
    if case.fault:
        bot.fault(**case.fault)
    for number in range(case.seconds):
        for ticker in tickers:  # quotes that move, so that orders are sent again and again
            cents = 40 + number % 5
            bot.quote(ticker, f"0.{cents}00", f"0.{cents + 10}00")
        await bot.turns(1)
    return activity_of(bot.runner, bot.state.halts, bot.engine)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_fault_of_the_exchange_has_its_word(case: Case) -> None:
    """Activity and reason of /status after the fault has lasted."""
    assert await word_after(case) == (case.activity, case.reason)


def halt_by_loss(bot: InProcessBot, name: str) -> None:
    """Lose 31 dollars of a daily limit of 30, or 41 of a drawdown limit of 40, for longer than a loss must last."""
    losses = bot.state.halts
    for profit, at in ((0, 0.0), (-31 if name == "daily loss" else 10, 1.0)):
        losses.observe(D(profit), bot.time(), at)
    if name == "drawdown":
        losses.observe(D(-31), bot.time() + 86_400, 2.0)


def set_state(bot: InProcessBot, name: str) -> None:
    """Bring the bot into a state that is not the exchange's fault."""
    now = bot.time()
    match name:
        case "daily loss" | "drawdown":
            halt_by_loss(bot, name)
        case "paused by a person":
            bot.state.halts.paused = True
        case "halted by a person":
            bot.runner.halt("person", "halted by POST /halt")
        case "second bot":
            bot.state.halts.halt("second_bot", "another bot sends orders", now)
        case "positions differ":
            bot.state.halts.halt("reconcile", "KXA: our fills say 1, the exchange 2", now)
        case "fault":
            bot.state.halts.halt("fault", "a bug", now)
        case "quiet":
            bot.exchange.advance(61.0)
        case "starting" | "stopping":
            bot.runner.stage = name


STATES = {
    "daily loss": "halted", "drawdown": "halted", "halted by a person": "halted", "second bot": "halted",
    "positions differ": "halted", "fault": "halted", "paused by a person": "paused", "starting": "paused",
    "quiet": "trading", "stopping": "stopped",
}  # fmt: skip
"""Reason -> activity, for what does not come from the exchange."""


async def word_of_state(name: str) -> tuple[str, str | None]:
    """Return activity and reason of a bot in this state."""
    bot = InProcessBot()
    bot = InProcessBot([bot.market()], exchange=bot.exchange, decide=lambda view: [])
    await bot.check.begin()
    await bot.turns(1)
    set_state(bot, name)
    return activity_of(bot.runner, bot.state.halts, bot.engine)


@pytest.mark.parametrize(("reason", "activity"), STATES.items())
async def test_each_state_of_the_bot_has_its_word(reason: str, activity: str) -> None:
    """The reason of /status is the state's own word."""
    assert await word_of_state(reason) == (activity, reason)


def word_of_service(name: str) -> str:
    """Return the status that a service shows for a bot that is dead, or whose loop is stuck."""
    status = BotStatus(0.0)
    status.note(read_status({"loop_age": D(1)}), "", 0, 1.0)
    for number in range(2):
        reading = None if name == "dead" else read_status({"loop_age": D(16)})
        status.note(reading, "it does not answer", 0, 2.0 + number)
    return status.status


@pytest.mark.parametrize(("name", "status"), [("dead", "offline"), ("stuck", "stalled")])
def test_a_service_shows_a_dead_and_a_stuck_bot(name: str, status: str) -> None:
    """No answer to two polls, or a loop that has not turned for 16 s."""
    assert word_of_service(name) == status


def answer(code: str, details: str = "") -> str:
    """Return the body of an error in its nested shape."""
    return json.dumps({"error": {"code": code, "message": code.replace("_", " "), "details": details}})


CREATE = "POST /portfolio/events/orders"
READ = "GET /portfolio/fills"


@pytest.mark.parametrize(
    ("where", "status", "body", "word"),
    [
        (CREATE, 400, answer("available_balance_too_low"), "no cash"),
        (CREATE, 400, '{"code":"insufficient_balance","message":"x","details":"exchange_index 2"}', "wrong shard"),
        (CREATE, 400, answer("invalid_order", "post only cross"), "post only"),
        (CREATE, 400, answer("invalid_order", "order group was triggered; reset it first"), "order group"),
        (CREATE, 404, answer("not_found", "order group not found"), "order group"),
        (CREATE, 404, answer("not_found"), "unknown market"), (READ, 404, answer("not_found"), "HTTP 404"),
        (READ, 404, "<html>", "HTTP 404"), (CREATE, 402, "", "no cash"), (CREATE, 451, "", "attestation"),
        (READ, 401, "<html>", "key"), (READ, 401, answer("authentication_error", "account price count"), "key"),
        (CREATE, 403, "", "blocked"), (CREATE, 403, "<!DOCTYPE html><title>Just a moment...", "blocked"),
        (CREATE, 403, answer("forbidden"), "scope"), (READ, 403, answer("account_restricted"), "scope"),
        (CREATE, 403, answer("forbidden", "your region may not trade this"), "attestation"),
        (CREATE, 403, answer("forbidden", "trading is paused"), "exchange paused"),
        (CREATE, 409, answer("conflict"), "client order id"), (READ, 418, "", "HTTP 418"),
        (CREATE, 422, answer("unprocessable", "count must be positive"), "size"), (CREATE, 413, "", "HTTP 413"),
        (READ, 429, '{"error":"too many requests"}', "rate limited"), (READ, 429, "<html>", "rate limited"),
        (CREATE, 400, '{"msg":"Parameter validation failed for count"}', "size"),
        (CREATE, 400, answer("invalid_order", "the account may not trade"), "other"),
        (CREATE, 400, answer("new_code", "a text of next year"), "other"),
        (CREATE, 400, answer("market_determined"), "market closed"),
        (CREATE, 400, answer("market_already_closed"), "market closed"),
        (CREATE, 409, answer("market_paused"), "market closed"),
        (CREATE, 400, answer("market_not_open"), "market closed"),
        (CREATE, 400, answer("exchange_not_active"), "exchange paused"),
        (CREATE, 400, answer("trading_inactive"), "exchange paused"),
        (CREATE, 400, answer("insufficient_collateral"), "no cash"),
        (CREATE, 403, answer("geo_restricted"), "attestation"),
        (CREATE, 401, answer("header_timestamp_in_future"), "clock"),
        (CREATE, 400, answer("timestamp_expired"), "clock"),
        (CREATE, 400, answer("rate_limit_exceeded"), "rate limited"),
        (CREATE, 400, answer("invalid_ticker"), "unknown market"),
        (CREATE, 404, answer("market_not_found", "market not found on this exchange index"), "wrong shard"),
        (READ, 500, "", "exchange fault"), (READ, 502, "<html>Bad Gateway", "exchange fault"),
        (READ, 504, "", "exchange fault"), (READ, 522, "<html>", "exchange fault"), (READ, 503, "", "maintenance"),
        (READ, 500, answer("maintenance"), "maintenance"),
    ],
    ids=lambda value: str(value)[:70],
)  # fmt: skip
def test_an_answer_of_the_exchange_has_its_word(where: str, status: int, body: str, word: str) -> None:
    """By code, message and details in each of the four bodies, else by the status; the same behind a circuit."""
    error = refusal(where, status, body.encode())
    assert reason_of(error) == word
    if status >= 500:
        assert reason_of(CircuitOpen(str(error), 1.0)) == word


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        ("GET /markets: cannot connect to exchange:443 (Connection refused)", "exchange unreachable"),
        ("GET /markets: TLS to exchange failed (self signed)", "exchange unreachable"),
        ("GET /markets: HTTP 200, but no JSON (x): b'<html>'", "unreadable answer"),
        ("GET /markets: HTTP 302, a redirect; the base URL is not that of the API", "unreadable answer"),
        ("GET /markets: field 'yes_bid_dollars' is missing", "unreadable answer"),
    ],
)
def test_an_open_circuit_has_the_word_of_the_failure_that_opened_it(failure: str, word: str) -> None:
    """The circuit has no reason of its own."""
    assert reason_of(CircuitOpen(failure, 1.0)) == word
