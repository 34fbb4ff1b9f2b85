"""trades/live: the source that answers, its age, and the order of trades."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from cache.decimal_json import dumps, loads
from cache.memory import MemoryCache
from ingest.latest_trades import LatestTrades, SourceTimes
from journal.entries import Entry

NOW = 1000.0


def sources(polled: float, batch: float) -> SourceTimes:
    """Polled every 3 s, the fallback every 10 s."""
    return SourceTimes(polled, batch, 3.0, 10.0)


@pytest.mark.parametrize(
    ("polled", "cached", "batch", "answer"),
    [
        (995.0, 999.0, 999.0, ("bot_live", 995.0, False)),
        (994.0, 991.0, 999.0, ("redis_cache", 991.0, False)),
        (994.0, 990.0, 999.0, ("kalshi_api", 999.0, False)),
        (994.0, 990.0, 990.0, ("journal", 994.0, True)),
        (0.0, 0.0, 0.0, ("journal", 0.0, True)),
    ],
)
def test_choice(polled: float, cached: float, batch: float, answer: tuple[str, float, bool]) -> None:
    """The bot, the cache, the exchange, the journal: the first that is young enough."""
    assert sources(polled, batch).choose(NOW, "redis_cache", cached) == answer


async def nothing() -> None:
    """Read nothing from the exchange."""


def entry(seq: int, at: int, kind: str = "trade") -> Entry:
    """One place in the journal."""
    return Entry(seq, kind, Decimal(at), "T", "bot_live", str(seq))  # type: ignore[arg-type]


def test_newest_first_by_time_and_bounded() -> None:
    """A backfilled trade stands at its own time; a gap moves the cursor and is not listed."""
    live = LatestTrades(0, lambda: sources(0.0, 0.0), nothing, MemoryCache(), lambda: NOW)
    live.publish([entry(1, 10), entry(2, 30), entry(3, 20), entry(4, 40, "gap")])
    assert live.newest(2) == ["2", "3"]
    assert live.position == 4
    live.publish([entry(seq, seq) for seq in range(5, 2000)])
    assert len(live.newest(5000)) == 1000


def test_after_a_restart_the_cursor_waits_for_the_trades() -> None:
    """The cursor is the journal's beginning until the trades are loaded, so that a stream from it brings them."""
    live = LatestTrades(0, lambda: sources(0.0, 0.0), nothing, MemoryCache(), lambda: NOW)
    live.publish([entry(1, 10), entry(2, 20)])
    live.restart()
    live.publish([entry(4, 40)])
    assert (live.newest(9), live.position) == ([], 0)
    live.load(3, [entry(2, 20), entry(3, 30, "gap")])
    assert (live.newest(9), live.position) == (["4", "2"], 4)
    live.restart()
    live.load(0, [])
    assert (live.newest(9), live.position) == ([], 0)


async def test_the_chain_of_fallbacks() -> None:
    """Without the bot the exchange is read once, the cache answers for a while, and then it is read again."""
    now, batch, requested = [NOW], [0.0], [0]

    async def read_exchange() -> None:
        await asyncio.sleep(0)
        requested[0] += 1
        batch[0] = now[0]

    def known() -> SourceTimes:
        return sources(0.0, batch[0])

    live = LatestTrades(0, known, read_exchange, MemoryCache(clock=lambda: now[0]), lambda: now[0])
    seen = []
    for step in (0.0, 1.0, 8.0, 1.0):
        now[0] += step
        seen.append((await live.answer(5))[0].source)
    assert seen == ["kalshi_api", "memory_cache", "memory_cache", "kalshi_api"]
    assert requested == [2]


@pytest.mark.parametrize("foreign", [b"nonsense", b"9999999999", b"inf", b"nan", b"-1"])
async def test_nothing_helps(foreign: bytes) -> None:
    """Without a reading the journal's tail answers, marked stale; other bytes in the cache are ignored."""
    cache = MemoryCache()
    await cache.set("live:swept", foreign, 10)
    trades = LatestTrades(0, lambda: sources(7.0, 0.0), nothing, cache, lambda: NOW)
    trades.publish([entry(1, 10)])
    answer, _ = await trades.answer(5)
    assert (answer.source, answer.as_of, answer.stale, answer.value) == ("journal", 7.0, True, ["1"])


def body(seq: int, **values: object) -> str:
    """Return the body of a trade or a correction."""
    return dumps({"ticker": "T", "quantity": 1, "price": "0.5", "seq": seq} | values)


def test_corrections_are_applied_to_the_trades() -> None:
    """The values of the last correction stand at the trade's place; a voided one is dropped, others stay."""
    live = LatestTrades(0, lambda: sources(0.0, 0.0), nothing, MemoryCache(), lambda: NOW)
    live.publish([replace(entry(seq, seq), body=body(seq)) for seq in (1, 2, 3)])
    live.publish([
        replace(entry(4, 1, "correction"), body=body(4, corrects=1, quantity=0)),
        replace(entry(5, 2, "correction"), body=body(5, corrects=2, ticker="U", price="0.4", fee="0.01", color="red")),
        replace(entry(6, 9, "correction"), body=body(6, corrects=99)),
    ])  # fmt: skip
    assert [loads(text) for text in live.newest(9)] == [
        {"ticker": "T", "quantity": 1, "price": "0.5", "seq": 3},
        {"ticker": "U", "quantity": 1, "price": "0.4", "seq": 2, "fee": "0.01"},
    ]
    assert live.position == 6


def test_as_many_as_are_wanted_are_listed() -> None:
    """None for none."""
    live = LatestTrades(0, lambda: sources(0.0, 0.0), nothing, MemoryCache(), lambda: NOW)
    live.publish([entry(1, 1), entry(2, 2)])
    assert [live.newest(limit) for limit in (0, 1, 2, 9)] == [[], ["2"], ["2", "1"], ["2", "1"]]


async def test_a_live_answer_reads_nothing_else() -> None:
    """Neither cache nor exchange; the age of the last poll decides."""

    async def read_exchange() -> None:
        raise AssertionError

    polled = [995.0]
    live = LatestTrades(7, lambda: sources(polled[0], 0.0), read_exchange, MemoryCache(), lambda: NOW)
    answer, position = await live.answer(5)
    assert (answer.source, answer.as_of, answer.stale, position) == ("bot_live", 995.0, False, 7)
    assert live.polled() == (995.0, False)
    polled[0] = 994.0
    assert live.polled() == (994.0, True)


async def test_a_reading_of_this_worker_is_stored_for_the_others() -> None:
    """As its time, for as long as it counts; one that is young enough causes no other."""
    cache = MemoryCache()

    async def read_exchange() -> None:
        raise AssertionError

    live = LatestTrades(0, lambda: sources(0.0, 995.5), read_exchange, cache, lambda: NOW)
    answer, _ = await live.answer(5)
    assert (answer.source, answer.as_of, answer.stale) == ("kalshi_api", 995.5, False)
    assert await cache.get("live:swept") == b"995.5"
    again, _ = await live.answer(5)
    assert (again.source, again.as_of) == ("memory_cache", 995.5)
