"""An open, empty journal of each kind, and more handles on the same one, as other workers would have."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from journal.sql import SqlJournal
from journal.sqlite import SqliteJournal

Another = Callable[[], Awaitable[SqlJournal]]


@pytest.fixture(params=["sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SqlJournal]:
    """Makes handles, not yet open, on one and the same journal."""
    return lambda: SqliteJournal(tmp_path / "journal.db", limit=5)


@pytest.fixture
async def another(make: Callable[[], SqlJournal]) -> AsyncIterator[Another]:
    """Opens one more handle on the journal of this test; all are closed at its end."""
    async with AsyncExitStack() as stack:

        async def opened() -> SqlJournal:
            journal = make()
            stack.push_async_callback(journal.close)
            await journal.open()
            return journal

        yield opened


@pytest.fixture
async def journal(another: Another) -> SqlJournal:
    """An open, empty journal."""
    return await another()
