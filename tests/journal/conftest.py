"""An open, empty journal of each kind, and more handles on the same one, as other workers would have."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from journal.base import Journal
from journal.dsn import open_journal

Another = Callable[[], Awaitable[Journal]]


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The JOURNAL_URL of a journal that does not exist yet."""
    if request.param == "mysql":
        fresh: str = request.getfixturevalue("mariadb")
        return fresh
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def make(url: str) -> Callable[[], Journal]:
    """Return a function that makes handles, not yet open, on one and the same journal."""
    return lambda: open_journal(url, limit=5)


@pytest.fixture
async def another(make: Callable[[], Journal]) -> AsyncIterator[Another]:
    """Opens one more handle on the journal of this test; all are closed at its end."""
    async with AsyncExitStack() as stack:

        async def opened() -> Journal:
            journal = make()
            stack.push_async_callback(journal.close)
            await journal.open()
            return journal

        yield opened


@pytest.fixture
async def journal(another: Another) -> Journal:
    """An open, empty journal."""
    return await another()
