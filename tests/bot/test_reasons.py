"""Tests of activity and reason: each fault of the exchange leads to its own word."""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.activity import activity_of
from bot.reasons import reason_of
from kalshi.transport import refusal
from tests.support.in_process_bot import InProcessBot

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
    fault("error 503 on reads", "paused", "maintenance", "error", status=503, path="*/markets*"),
    fault("rate limit on orders", "refused", "rate limited", "rate_limit", **CREATES),
    fault("rate limit on reads", "refused", "rate limited", "rate_limit", **READS),
    fault("trading pause", "paused", "exchange paused", "trading_pause"),
    fault("exchange pause", "paused", "exchange paused", "exchange_pause"),
    fault("maintenance", "paused", "maintenance", "maintenance"),
    fault("a renamed field", "paused", "unreadable answer", "field", op="rename", field="yes_bid_dollars"),
    Case("stale reads", "trading", "late account data", {"kind": "stale", "seconds": 300}, 150),
]  # fmt: skip
"""Faults of the simulated exchange that need no connection."""


async def word_after(case: Case) -> tuple[str, str | None]:
    """Return activity and reason of a bot on an exchange with this fault."""
    bot = InProcessBot()
    tickers = [bot.market(name) for name in ("KXRAINNYC", "KXBTC", "KXFED", "KXOSCAR")]
    bot = InProcessBot(tickers, exchange=bot.exchange)
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


def answer(code: str, details: str = "") -> str:
    """Return the body of an error in its nested shape."""
    return json.dumps({"error": {"code": code, "message": code.replace("_", " "), "details": details}})


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (400, answer("available_balance_too_low"), "no cash"),
        (400, '{"code":"insufficient_balance","message":"x","details":"exchange_index 2"}', "wrong shard"),
        (400, answer("invalid_order", "post only cross"), "post only"),
        (400, answer("invalid_order", "order group was triggered; reset it first"), "order group"),
        (404, answer("not_found", "order group not found"), "order group"),
        (404, answer("not_found"), "unknown market"),
        (401, "<html>", "key"), (403, "", "scope"), (429, '{"error":"too many requests"}', "rate limited"),
        (403, answer("forbidden", "your region may not trade this"), "attestation"),
        (400, '{"msg":"Parameter validation failed for count"}', "size"),
        (400, answer("new_code", "a text of next year"), "other"),
        (500, "", "exchange fault"), (503, "", "maintenance"),
    ],
    ids=lambda value: str(value)[:70],
)  # fmt: skip
def test_an_answer_of_the_exchange_has_its_word(status: int, body: str, word: str) -> None:
    """By code, message and details in each of the four bodies, else by the status."""
    assert reason_of(refusal("POST /portfolio/events/orders", status, body.encode())) == word


def main() -> int:
    """Print the table of faults and words; return 1 if fewer than 95 % are as expected."""
    right = 0
    for case in CASES:
        found = asyncio.run(word_after(case))
        expected = (case.activity, case.reason)
        right += found == expected
        print(f"{case.name:28} {found[0]:8} {found[1] or '-':20} {'as expected' if found == expected else expected}")
    print(f"{right} of {len(CASES)} as expected")
    return 0 if right >= 0.95 * len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
