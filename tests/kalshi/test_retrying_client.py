"""Bad days of the exchange over HTTP: every nonsense has its error, reads are tried again, writes never."""

import asyncio
import gzip
import logging
import time
from typing import Any

import aiohttp
import pytest

from cache.circuit_breaker import CircuitBreaker
from kalshi import errors
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.rate_limits import RateLimits
from kalshi.transport import RetryingClient, Transport, refusal
from tests.support import payloads
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.kalshi import FakeKalshi, Reply

SKEW = Reply(401, {"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}})
PATH = "/portfolio/balance"


def calls_of(session: aiohttp.ClientSession, kalshi: FakeKalshi, **more: Any) -> RetryingClient:
    options: dict[str, Any] = {
        "attempt": 0.3,
        "total": 1.0,
        "jitter": lambda: 0.05,
        "breaker": CircuitBreaker(failures=100),
    } | more
    return RetryingClient(Transport(session, kalshi.url, largest=10_000), kalshi.signer, **options)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(raw=b"<html>Attention Required!</html>", headers={"Content-Type": "text/html"}), "BadAnswer", "no JSON"),
        (Reply(raw=b'{"balance_dollars": "1'), "BadAnswer", "no JSON"),
        (Reply(raw=b'{"balance_dollars": NaN}'), "BadAnswer", "NaN"),
        (Reply(raw=b'{"balance_dollars": -Infinity}'), "BadAnswer", "Infinity"),
        (Reply(raw=b"[" * 9000), "BadAnswer", "no JSON"),
        (Reply(raw=b'{"a":"\xff\xfe"}'), "BadAnswer", "no JSON"),
        (Reply(raw=b"x" * 10_001), "BadAnswer", "larger than 10000"),
        (Reply(raw=gzip.compress(b"0" * 1_000_000), headers={"Content-Encoding": "gzip"}), "BadAnswer", "larger than"),
        (Reply(raw=b"no gzip", headers={"Content-Encoding": "gzip"}), "Unreachable", ""),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), "BadAnswer", "redirect"),
        (Reply(json=payloads.BALANCE, cut=True), "Unreachable", ""),
        (Reply(json=payloads.BALANCE, drip=0.02), "Unreachable", "no answer within"),
        (Reply(json=payloads.BALANCE, wait=1.0), "Unreachable", "no answer within"),
        (Reply(500, raw=b"<h1>oops</h1>"), "ExchangeFault", "HTTP 500"),
        (Reply(503, {"code": "unavailable", "message": "come back"}), "ExchangeFault", "unavailable: come back"),
        (Reply(429, {"error": "too many requests"}), "RateLimited", "too many requests"),
        (SKEW, "ClockSkew", "header_timestamp_expired"),
        (Reply(401, {"error": {"code": "authentication_error", "details": "NOT_FOUND"}}), "NotAllowed", "NOT_FOUND"),
        (Reply(403, {}), "NotAllowed", "without a reason"),
        (Reply(400, {"msg": "Parameter validation failed for limit"}), "BadRequest", "Parameter validation"),
        (Reply(400, {"code": "bad", "message": "numbers", "details": "x"}), "BadRequest", "bad: numbers: x"),
        (Reply(404, {"error": {"code": "not_found", "message": "not found"}}), "NotFound", "not_found"),
        (Reply(409, {"error": {"code": "order_already_exists"}}), "Conflict", "order_already_exists"),
        (Reply(410, {"error": {"code": "deprecated_v1_order_endpoint"}}), "Refused", "deprecated_v1"),
        (Reply(418, raw=b""), "Refused", "418"),
    ],
    ids=[
        "html", "half json", "nan", "infinity", "deep nesting", "no utf-8", "too large", "gzip bomb", "broken gzip",
        "redirect", "closed socket", "slow drip", "too slow", "500 html", "503 flat", "429 string", "clock skew",
        "unknown key", "forbidden", "400 msg", "400 flat", "404 nested", "409", "410", "a new status",
    ],
)  # fmt: skip
async def test_each_bad_answer_has_its_error(
    session: aiohttp.ClientSession, kalshi: FakeKalshi, reply: Any, error: Any, words: Any
) -> None:
    """It has the place and the failure, and holds no secret."""
    kalshi.answer(f"GET {PATH}", reply)
    calls = calls_of(session, kalshi, attempt=0.45, total=0.95)
    with pytest.raises(errors.KalshiError, match=f"GET {PATH}") as caught:
        await calls.request("GET", PATH)
    assert type(caught.value).__name__ == error
    assert words in str(caught.value)
    assert caught.value.__cause__ is None
    assert kalshi.signer.key_id not in repr(caught.value) + str(caught.value)
    retried = len(kalshi.requested(PATH)) > 1
    assert retried == (caught.value.transient and error != "RateLimited")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(json=payloads.BALANCE, headers={"Content-Type": "text/html; charset=nonsense"}),
        Reply(raw=b"\xef\xbb\xbf" + Reply(json=payloads.BALANCE).body()),
        Reply(raw=gzip.compress(Reply(json=payloads.BALANCE).body()), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["content type lies", "byte order mark", "gzip"],
)
async def test_odd_but_good_answers_are_read(session: aiohttp.ClientSession, kalshi: FakeKalshi, reply: Any) -> None:
    """Readable limits are used."""
    kalshi.answer(f"GET {PATH}", reply)
    answer = await calls_of(session, kalshi).request("GET", PATH)
    assert answer["balance_dollars"] == "98.0186"


@pytest.mark.parametrize(
    "first", [Reply(500), Reply(raw=b"<html>"), Reply(json={}, cut=True), Reply(json={}, wait=0.6), SKEW]
)
async def test_a_read_is_tried_again(session: aiohttp.ClientSession, kalshi: FakeKalshi, first: Any) -> None:
    """One failure does not reach the caller."""
    kalshi.answer(f"GET {PATH}", first, payloads.BALANCE)
    calls = calls_of(session, kalshi)
    assert (await calls.request("GET", PATH))["balance"] == 9801
    assert calls.counters.retries == 1


async def test_a_429_is_waited_out(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """A second at least, since the answer has no time; and our bucket is emptied."""
    kalshi.answer(f"GET {PATH}", Reply(429, {"error": "too many requests"}), payloads.BALANCE)
    calls = calls_of(session, kalshi, total=5.0)
    began = time.monotonic()
    await calls.request("GET", PATH)
    assert time.monotonic() - began > 1.0


async def test_a_wrong_clock_is_raised_after_one_more_try(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """A slow request happens once; a wrong clock stays wrong."""
    kalshi.answer(f"GET {PATH}", SKEW)
    with pytest.raises(errors.ClockSkew):
        await calls_of(session, kalshi).request("GET", PATH)
    assert len(kalshi.requested(PATH)) == 2


@pytest.mark.parametrize("reply", [Reply(500), Reply(raw=b"<html>"), Reply(json={}, cut=True), Reply(json={}, wait=1)])
async def test_a_write_is_sent_once(session: aiohttp.ClientSession, kalshi: FakeKalshi, reply: Any) -> None:
    """A write is not retried: after a lost answer it may have arrived."""
    kalshi.answer("POST /portfolio/events/orders", reply)
    with pytest.raises(errors.KalshiError):
        await calls_of(session, kalshi).request("POST", "/portfolio/events/orders", json={"ticker": "A"})
    assert len(kalshi.requested("/portfolio/events/orders")) == 1


async def test_a_write_carries_its_body_and_an_empty_answer_is_none(
    session: aiohttp.ClientSession, kalshi: FakeKalshi
) -> None:
    """Exact numbers as their text; 204 has nothing to read."""
    kalshi.answer("DELETE /portfolio/events/orders/o-1", Reply(204, raw=b""))
    calls = calls_of(session, kalshi)
    assert await calls.request("DELETE", "/portfolio/events/orders/o-1", {"market_ticker": "A B&c"}) is None
    assert kalshi.calls[-1].query == {"market_ticker": "A B&c"}
    kalshi.answer("POST /portfolio/events/orders", lambda call: Reply(201, call.body))
    assert await calls.request("POST", "/portfolio/events/orders", json={"count": "1.00"}) == {"count": "1.00"}


async def test_the_whole_time_is_bounded(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """However slow each try is."""
    kalshi.answer(f"GET {PATH}", Reply(json={}, wait=30))
    began = time.monotonic()
    with pytest.raises(errors.Unreachable):
        await calls_of(session, kalshi).request("GET", PATH)
    assert time.monotonic() - began < 10


async def test_the_breaker_opens_and_closes(
    session: aiohttp.ClientSession, kalshi: FakeKalshi, caplog: pytest.LogCaptureFixture
) -> None:
    """After failures in a row nothing is sent for a moment; then one call tries, and it goes on. One line each.

    What waits for the exchange is called once, when it answers again.
    """
    caplog.set_level(logging.INFO, "kalshi")
    kalshi.answer(f"GET {PATH}", Reply(500))
    clock = Clock()
    calls = calls_of(session, kalshi, breaker=CircuitBreaker(failures=3, grace=0.1, clock=clock), total=3.0)
    recoveries: list[str] = []
    calls.on_recovery += [lambda: recoveries.append("one"), lambda: recoveries.append("two")]
    with pytest.raises(errors.CircuitOpen, match="HTTP 500") as caught:
        await calls.request("GET", PATH)
    assert caught.value.retry_after
    sent = len(kalshi.requested(PATH))
    with pytest.raises(errors.CircuitOpen):
        await calls.request("GET", PATH)
    assert len(kalshi.requested(PATH)) == sent == calls.breaker.in_a_row == 3
    assert not recoveries
    clock.now += 0.12
    kalshi.answer(f"GET {PATH}", payloads.BALANCE)
    await calls.request("GET", PATH)
    await calls.request("GET", PATH)
    assert (calls.breaker.state, calls.breaker.in_a_row, recoveries) == ("closed", 0, ["one", "two"])
    lines = [record.message for record in caplog.records if "limits" not in record.message]
    assert [line.split(":")[0] for line in lines] == [
        "exchange circuit open for 0 s", "exchange circuit closed",
    ]  # fmt: skip


async def test_while_one_call_tries_the_others_do_not(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """A half-open breaker lets one call through; the others fail at once."""
    kalshi.answer(f"GET {PATH}", Reply(500))
    clock = Clock()
    calls = calls_of(session, kalshi, breaker=CircuitBreaker(failures=1, grace=0.05, clock=clock))
    with pytest.raises(errors.CircuitOpen):
        await calls.request("GET", PATH)
    clock.now += 0.06
    kalshi.answer(f"GET {PATH}", Reply(json=payloads.BALANCE, wait=0.1))
    sent = len(kalshi.requested(PATH))
    trial = asyncio.create_task(calls.request("GET", PATH))
    await eventually(lambda: len(kalshi.requested(PATH)) == sent + 1, every=0.001)
    with pytest.raises(errors.CircuitOpen):
        await calls.request("GET", PATH)
    assert (await trial)["balance"] == 9801


async def test_refusals_do_not_open_the_breaker(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """An exchange that refuses a request is up."""
    calls = calls_of(session, kalshi, breaker=CircuitBreaker(failures=1))
    for _ in range(3):
        with pytest.raises(errors.NotFound):
            await calls.request("GET", "/markets/NOPE")
    assert calls.breaker.state == "closed"


async def test_counters(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """By endpoint pattern and code, with the last error and the last success."""
    kalshi.answer("GET /markets/A", {"market": payloads.MARKET})
    calls = calls_of(session, kalshi, clock=lambda: 5.0)
    await calls.request("GET", "/markets/A")
    with pytest.raises(errors.NotFound):
        await calls.request("GET", "/markets/B")
    assert calls.counters.calls == {("/markets/{}", "ok"): 1, ("/markets/{}", "404"): 1}
    assert calls.counters.last_success == 5.0
    assert "GET /markets/B: HTTP 404" in calls.counters.last_error


async def test_limits_are_learnt_on_the_way(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Once, by the first account read; the tier sizes the buckets."""
    kalshi.answer("GET /account/limits", payloads.LIMITS)
    kalshi.answer("GET /account/endpoint_costs", payloads.COSTS)
    kalshi.answer(f"GET {PATH}", payloads.BALANCE)
    calls = calls_of(session, kalshi)
    for _ in range(2):
        await calls.request("GET", PATH)
    assert (calls.limits.tier, calls.limits.costs.of("GET", "/portfolio/orders/x")) == ("advanced", 2)
    assert len(kalshi.requested("/account/limits")) == 1


@pytest.mark.parametrize("reply", [Reply(500), {"usage_tier": 5}, Reply(raw=b"<html>")])
async def test_limits_that_cannot_be_learnt_are_assumed(
    session: aiohttp.ClientSession, kalshi: FakeKalshi, reply: Any
) -> None:
    """Basic, and the read goes on."""
    kalshi.answer("GET /account/limits", reply)
    kalshi.answer(f"GET {PATH}", payloads.BALANCE)
    calls = calls_of(session, kalshi)
    assert (await calls.request("GET", PATH))["balance"] == 9801
    assert calls.limits.tier == "basic"


async def test_a_spent_budget_is_busy_and_nothing_is_sent(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """Busy has the seconds after which a retry has room."""
    kalshi.answer("GET /markets", {"markets": []})
    limits = RateLimits()
    while limits.public.delay(10) == 0:
        limits.public.take(10)
    limits.public.take(2000)
    with pytest.raises(errors.Busy) as caught:
        await calls_of(session, kalshi, limits=limits).request("GET", "/markets", lane="public")
    assert (caught.value.retry_after or 0) > 1
    assert kalshi.calls == []
    await calls_of(session, kalshi, limits=limits).request("GET", "/markets", lane="own")


async def test_a_wrong_signature_is_refused_by_the_fake(session: aiohttp.ClientSession, kalshi: FakeKalshi) -> None:
    """The tests' exchange checks: another key does not pass, so that all other tests prove our signatures."""
    other = FakeKalshi()
    calls = RetryingClient(Transport(session, kalshi.url), Signer(kalshi.signer.key_id, other.key))
    with pytest.raises(errors.NotAllowed, match="INCORRECT_API_KEY_SIGNATURE"):
        await calls.request("GET", PATH)


async def test_a_name_that_does_not_resolve(session: aiohttp.ClientSession) -> None:
    """No socket at all."""
    with pytest.raises(errors.Unreachable, match="GET /markets"):
        await RetryingClient(Transport(session, "http://127.0.0.1:9"), total=0.3).request("GET", "/markets")


async def test_the_status_of_a_closed_exchange_is_read_from_a_503(
    session: aiohttp.ClientSession, kalshi: FakeKalshi
) -> None:
    """The status is read from a 503 too; another 503 is an error."""
    kalshi.answer("GET /exchange/status", Reply(503, {"exchange_active": False, "trading_active": False}))
    client = KalshiClient(calls_of(session, kalshi))
    assert (await client.status()).exchange_active is False
    kalshi.answer("GET /exchange/status", Reply(503, raw=b"gateway"))
    with pytest.raises(errors.ExchangeFault):
        await client.status()


def test_a_refusal_with_strange_members_is_still_a_refusal() -> None:
    """Numbers for texts, lists for objects: the HTTP status decides."""
    for raw in (b'{"error":5}', b'{"error":{"code":5,"message":[]}}', b"[1]", b'"no"', b'{"msg":null}'):
        error = refusal("GET /x", 404, raw)
        assert isinstance(error, errors.NotFound)
        assert str(error) == "GET /x: HTTP 404 without a reason"
