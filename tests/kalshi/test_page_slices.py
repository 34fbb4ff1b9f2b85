"""Slices of pages: any limit is served from a few cached pages, and `next` leads through all rows once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cache.base import Answer
from kalshi.portfolio import Portfolio, read_page_cursor, slice_page


def page(rows: int, size: int, after: str) -> dict[str, Any]:
    """Return a page of an exchange that has so many rows; its cursor is a row's number."""
    start = int(after or 0)
    end = min(rows, start + size)
    return {"fills": list(range(start, end)), "next": str(end) if end < rows else None}


@given(st.integers(0, 2500), st.lists(st.integers(1, 1000), min_size=1, max_size=5))
def test_next_leads_through_all_rows_once(rows: int, limits: list[int]) -> None:
    """With any limits of a client, also changing ones, it gets each row once and in order."""
    seen: list[int] = []
    cursor, turn = None, 0
    while turn == 0 or cursor is not None:
        limit = limits[turn % len(limits)]
        place = read_page_cursor(cursor, limit)
        found = slice_page(page(rows, place.size, place.after), "fills", place, limit)
        assert len(found["fills"]) == found["count"] <= limit
        seen += found["fills"]
        cursor, turn = found["next"], turn + 1
        assert found["count"] or cursor is None
    assert seen == list(range(rows))


@given(st.text(max_size=30), st.integers(1, 1000))
def test_any_cursor_is_a_place(cursor: str, limit: int) -> None:
    """No text raises; a cursor of the exchange passes through."""
    place = read_page_cursor(cursor, limit)
    assert place.size in (100, 1000)
    assert 0 <= place.start < 1000


async def test_different_limits_make_one_key() -> None:
    """A client that tries every limit fills neither our memory nor a shared Redis, and each limit is right."""
    keys: set[str] = set()
    whole = Answer({"fills": list(range(100)), "next": "c"}, "kalshi_api", 1.0)

    class RecordingCache:
        """A cache that records the keys of its calls."""

        async def get(self, key: str, *arguments: object) -> Answer:
            """Return the same page."""
            keys.add(key)
            return whole

    class Calls:
        """Calls with keys."""

        signer, request = "a key", None

    class Client:
        """An exchange client that is never called."""

        account, calls, subaccount = "a", Calls(), 0

    portfolio: Any = Portfolio(Client(), RecordingCache())  # type: ignore[arg-type]
    for limit in range(1, 101):
        answer = await portfolio.fills(limit)
        assert (answer.value["count"], answer.value["fills"][-1]) == (limit, limit - 1)
        assert await portfolio.fills(limit) is answer
    assert len(keys) == 1
