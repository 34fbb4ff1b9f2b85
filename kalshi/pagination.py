"""Pages of a cursor, walked to the end: no row twice, and a bounded number of pages."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kalshi.errors import BadAnswer

Row = TypeVar("Row")
MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the cursor of the next page, None on the last."""

    rows: list[Row]
    next: str | None


async def walk(
    turn: Callable[[str | None], Awaitable[Page[Row]]],
    identity: Callable[[Row], str],
    what: str,
    seen: set[str] | None = None,
    most: int = MOST_PAGES,
    final: bool = False,
) -> AsyncIterator[Row]:
    """Yield each row once, page after page, from turn(cursor), which begins with None.

    The exchange answers an unknown cursor with its first page and no error. So a repeated cursor, a page without a new
    row and too many pages are errors: to stop there would pass for the whole.
    seen: ids that were yielded already; it grows. final: rows never change, so two with one id that differ are an
    error. Raises BadAnswer, and the errors of turn.
    """
    found = set() if seen is None else seen
    met: dict[str, Row] = {}  # rows of this walk, also known ones: a known row may come again, a repeated page may not
    cursor: str | None = None
    for _ in range(most):
        page = await turn(cursor)
        before = len(met)
        for row in page.rows:
            name = identity(row)
            if met.setdefault(name, row) != row and final:
                raise BadAnswer(f"{what}: two rows of {name[:60]} that differ")
            if name not in found:
                found.add(name)
                yield row
        if page.next is None:
            return
        if len(met) == before or page.next == cursor:
            raise BadAnswer(f"{what}: the walk goes in circles at cursor {page.next[:40]!r}")
        cursor = page.next
    raise BadAnswer(f"{what}: no end after {most} pages")
