"""Verifies the journal little by little while it is used, so that damage is known before a reader comes upon it."""

import asyncio
from typing import Final

from cluster.component_health import ComponentHealth
from journal.base import Journal
from journal.errors import JournalError

PAGE: Final = 1000  # entries
INTERVAL: Final = 2.0  # seconds between two pages


class JournalCheck:
    """Read the marks and the next page of entries again and again, and report what is missing, changed or unreadable.

    Damage stays in health, with its place, until the same page is whole again.
    """

    def __init__(self, journal: Journal, health: ComponentHealth, interval: float = INTERVAL) -> None:
        self._journal = journal
        self._interval = interval
        self._after = 0
        self.health = health

    async def run(self) -> None:
        """Verify a page after each interval."""
        while True:
            await self.verify_page()
            await asyncio.sleep(self._interval)

    async def verify_page(self) -> None:
        """Verify the marks and the next page; after the last page begin at the first."""
        try:
            await self._journal.marks()
            last = await self._journal.verify(self._after, PAGE)
        except JournalError as error:
            self.health.fail(str(error))
            return
        self.health.counters["verified"] += last - self._after
        self._after = last if last - self._after == PAGE else 0
        self.health.succeed()
