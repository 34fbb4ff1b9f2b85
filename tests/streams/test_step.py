"""Coroutines run by hand: done at once, finished later, cancelled."""

import asyncio

import pytest

from streams.step import begin


async def test_what_never_waits_is_done_at_once() -> None:
    """No task, no turn of the loop."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    assert begin(work()) is None
    assert done == [1]


async def test_the_rest_is_finished_by_who_awaits_it() -> None:
    """Through several waits, by a future, a sleep and a bare turn of the loop."""
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[str] = []

    async def work() -> None:
        await gate
        seen.append("gate")
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        seen.append("end")

    rest = begin(work())
    assert rest is not None
    gate.set_result(None)
    await rest
    assert seen == ["gate", "end"]


async def test_whoever_awaits_it_may_be_thrown_away() -> None:
    """As when a loop is closed over it: the work inside cleans up, and nothing is left half open."""
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[str] = []

    async def work() -> None:
        try:
            await gate
        finally:
            seen.append("clean")

    async def waits() -> None:
        rest = begin(work())
        assert rest is not None
        await rest

    outer = waits()
    outer.send(None)
    outer.close()
    assert seen == ["clean"]


async def test_an_error_comes_through() -> None:
    """At the first step, and later."""

    async def at_once() -> None:
        raise OSError("now")

    async def later() -> None:
        await asyncio.sleep(0)
        raise OSError("later")

    with pytest.raises(OSError, match="now"):
        begin(at_once())
    rest = begin(later())
    assert rest is not None
    with pytest.raises(OSError, match="later"):
        await rest


async def test_a_cancellation_reaches_the_coroutine() -> None:
    """A limit around the rest ends the work inside, which cleans up."""
    cleaned: list[int] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.append(1)

    rest = begin(work())
    assert rest is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rest
    assert cleaned == [1]


async def test_closing_gives_up_the_rest() -> None:
    """Cleanup runs, nothing else."""
    cleaned: list[int] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(1)

    rest = begin(work())
    assert rest is not None
    rest.close()
    assert cleaned == [1]
