"""Cursor walks end, yield each row once, and raise when they cannot read everything."""

from typing import Any

import pytest

from kalshi.client import Page, walk
from kalshi.errors import BadAnswer


def turns(pages: dict[str | None, Any]) -> Any:
    """A turn function over pages by cursor; an unknown cursor gives the first page, as the exchange does."""

    async def turn(cursor: str | None) -> Any:
        rows, after = pages.get(cursor, pages[None])
        return Page(list(rows), after)

    return turn


async def found(pages: dict[str | None, Any], **more: Any) -> list[str]:
    return [row async for row in walk(turns(pages), lambda row: row, "GET /x", **more)]


async def test_all_pages_in_order() -> None:
    """The last page has no cursor."""
    assert await found({None: ("ab", "1"), "1": ("cd", "2"), "2": ("", None)}) == ["a", "b", "c", "d"]


async def test_rows_that_moved_to_the_next_page_are_yielded_once() -> None:
    """New rows push old ones to the next page during the walk."""
    assert await found({None: ("ab", "1"), "1": ("bc", None)}) == ["a", "b", "c"]


async def test_known_rows_are_left_out() -> None:
    """Also across two walks; a page that holds only known rows is accepted then."""
    seen = {"a", "b"}
    assert await found({None: ("ab", "1"), "1": ("c", None)}, seen=seen) == ["c"]
    assert seen == {"a", "b", "c"}


@pytest.mark.parametrize(
    "pages",
    [
        {None: ("ab", "1"), "1": ("cd", "1")},
        {None: ("ab", "lost")},
        {None: ("ab", "1"), "1": ("", "2"), "2": ("cd", None)},
    ],
    ids=["the same cursor again", "an unknown cursor restarts at page one", "an empty page with a cursor"],
)
async def test_circles_are_errors(pages: Any) -> None:
    """Ending quietly would pass for the whole."""
    with pytest.raises(BadAnswer, match="circles"):
        await found(pages)


async def test_rows_that_never_change_and_differ_are_an_error() -> None:
    """Two different fills with one id cannot both be right. Rows that may change, such as orders, may differ."""

    async def turn(cursor: str | None) -> Any:
        return Page([{"id": "a", "price": 1}, {"id": "a", "price": 2}], None)

    assert len([row async for row in walk(turn, lambda row: row["id"], "GET /x")]) == 1
    with pytest.raises(BadAnswer, match="GET /x: two rows of a that differ"):
        [row async for row in walk(turn, lambda row: row["id"], "GET /x", final=True)]


async def test_a_walk_without_end_is_an_error() -> None:
    """However new its rows are."""

    async def turn(cursor: str | None) -> Any:
        number = int(cursor or 0) + 1
        return Page([str(number)], str(number))

    with pytest.raises(BadAnswer, match="no end after 5 pages"):
        [row async for row in walk(turn, lambda row: row, "GET /x", most=5)]
