"""Verifies the journal little by little while it is used, so that damage is known before a reader comes upon it."""

import asyncio
from typing import Final

from cluster.component_health import ComponentHealth
from journal.base import Journal
from journal.errors import JournalError

PAGE: Final = 1000  # entries
INTERVAL: Final = 2.0  # seconds between two pages until all are verified once
SLOWER: Final = 5  # times that interval from then on


class JournalCheck:
    """Read the marks and the next page of entries again and again, and report what is missing, changed or unreadable.

    Damage stays in health, with its place, until the same page is whole again.
    """

    def __init__(self, journal: Journal, health: ComponentHealth, interval: float = INTERVAL) -> None:
        self._journal = journal
        self._interval = interval
        self._after = 0
        self._complete = False  # every page was verified once
        self.health = health

    async def run(self) -> None:
        """Verify a page after each interval."""
        while True:
            await self.verify_page()
            await asyncio.sleep(self._interval * (SLOWER if self._complete else 1))

    async def verify_page(self) -> None:
        """Verify the marks and the next page; after the last page begin at the first."""
        try:
            await self._journal.marks()
            last = await self._journal.verify(self._after, PAGE)
        except JournalError as error:
            self.health.fail(str(error))
            return
        self.health.counters["verified"] += last - self._after
        at_end = last - self._after < PAGE
        self._after = 0 if at_end else last
        self._complete = self._complete or at_end
        self.health.succeed()
