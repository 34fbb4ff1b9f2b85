"""Tests of activity and reason over real connections: broken servers, proxies and networks have their words too."""

from dataclasses import dataclass

import pytest

from bot.activity import activity_of
from simulator.clock import VirtualClock
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import ExchangeOptions
from tests.support.faulty_front import (
    Answer,
    coded,
    cut_short,
    front_client,
    listening,
    reset,
    silent,
    text,
    trickle,
)
from tests.support.in_process_bot import InProcessBot

CLOUDFLARE = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>"
MAINTENANCE = '{"error":{"code":"exchange_unavailable","message":"scheduled maintenance","details":"back at 05:00"}}'


@dataclass(frozen=True)
class Case:
    """An answer or another address, and the activity and reason that must follow. creates: to new orders alone."""

    name: str
    activity: str
    reason: str
    answer: Answer | None = None
    address: str = "http://{host}"
    creates: bool = False


UNREACHABLE = ("paused", "exchange unreachable")
CASES = [
    Case("connection refused", *UNREACHABLE, address="http://127.0.0.1:9"),
    Case("unknown host", *UNREACHABLE, address="http://exchange.invalid"),
    Case("no TLS", *UNREACHABLE, address="https://{host}"),
    Case("reset", *UNREACHABLE, reset), Case("silence", *UNREACHABLE, silent), Case("trickle", *UNREACHABLE, trickle),
    Case("cut short", *UNREACHABLE, cut_short),
    Case("reset of creates", *UNREACHABLE, reset, creates=True),
    Case("empty body", "paused", "unreadable answer", text(200, "")),
    Case("empty body to creates", "paused", "unreadable answer", text(201, ""), creates=True),
    Case("HTML 200", "paused", "unreadable answer", text(200, "<html>Sign in to the hotel's network")),
    Case("redirect", "paused", "unreadable answer", text(302, "", Location="http://127.0.0.1:9/")),
    Case("HTML 502", "paused", "exchange fault", text(502, "<html>502 Bad Gateway")),
    Case("HTML 502 to creates", "paused", "exchange fault", text(502, "<html>502 Bad Gateway"), creates=True),
    Case("JSON 500", "paused", "exchange fault", coded(500, "internal_server_error")),
    Case("504", "paused", "exchange fault", text(504, "")),
    Case("503 with maintenance", "paused", "maintenance", text(503, MAINTENANCE)),
    Case("503 to creates", "paused", "maintenance", text(503, MAINTENANCE), creates=True),
    Case("401 with a code", "refused", "key", coded(401, "authentication_error", "NOT_FOUND")),
    Case("401 to creates", "refused", "key", coded(401, "authentication_error", "NOT_FOUND"), creates=True),
    Case("401 expired", "refused", "clock", coded(401, "header_timestamp_expired")),
    Case("403 of Cloudflare", "refused", "blocked", text(403, CLOUDFLARE)),
    Case("403 of Cloudflare to creates", "refused", "blocked", text(403, CLOUDFLARE), creates=True),
    Case("403 scope", "refused", "scope", coded(403, "forbidden", "API key lacks the scope read")),
    Case("403 attestation to creates", "refused", "attestation", coded(403, "location_attestation"), creates=True),
    Case("404 everywhere", "refused", "HTTP 404", text(404, "<html>nginx")),
    Case("409 to creates", "refused", "client order id", coded(409, "conflict"), creates=True),
    Case("418", "refused", "HTTP 418", text(418, "I'm a teapot")),
    Case("429", "refused", "rate limited", text(429, '{"error":"too many requests"}', **{"Retry-After": "7"})),
    Case("429 to creates", "refused", "rate limited", text(429, '{"error":"too many requests"}'), creates=True),
    Case("451 to creates", "refused", "attestation", text(451, ""), creates=True),
]  # fmt: skip


async def word_after(case: Case) -> tuple[str, str | None]:
    """Return activity and reason of a bot for which the exchange has answered so for twenty virtual seconds."""
    exchange = InProcessExchange(ExchangeOptions(quiet=True, tier="prestige"), VirtualClock(1_800_000_000.0))
    direct = InProcessBot(exchange=exchange)
    tickers = [direct.market(name) for name in ("KXRAINNYC", "KXBTC", "KXFED", "KXOSCAR")]
    async with listening(exchange) as front, front_client(front, 5.0 if case.creates else 0.4) as (client, transport):
        bot = InProcessBot(tickers, exchange=exchange, client=client, live={"cancel_limit": 0.2})
        await direct.check.begin()
        front.answer, front.creates_only = case.answer, case.creates
        transport.base_url = case.address.format(host=front.host)
        for number in range(20):
            for place, ticker in enumerate(tickers):  # quotes that move, so that orders are sent again and again
                cents = 40 + (number + place) % 5
                direct.quote(ticker, f"0.{cents}00", f"0.{cents + 10}00")
            await bot.turns(1)
        return activity_of(bot.runner, bot.state.halts, bot.engine)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_answer_of_an_exchange_has_its_word(case: Case) -> None:
    """Activity and reason of /status after it has lasted, behind the client's retries and its circuit breaker."""
    assert await word_after(case) == (case.activity, case.reason)
