"""Client order ids: prefix, boot id and number. They tell the bot's orders from those of others."""

import itertools
from collections.abc import Collection


class OrderNames:
    """Names of one run's orders. earlier: boot ids of runs whose orders are ours too."""

    def __init__(self, prefix: str, boot_id: str, earlier: Collection[str] = ()) -> None:
        self.prefix = prefix
        self._boot_id = boot_id
        # all mutable state: boot ids of our orders, and the newest number
        self._boot_ids = {boot_id, *earlier}
        self._number = itertools.count(1)

    def new(self) -> str:
        """Return the name of the next order."""
        return f"{self.prefix}{self._boot_id}-{next(self._number)}"

    def has_prefix(self, name: str) -> bool:
        """Return True for every order under the prefix, another bot's included."""
        return name.startswith(self.prefix)

    def is_ours(self, name: str) -> bool:
        """Return True for an order of this run or of an earlier one."""
        return self.has_prefix(name) and self._boot_of(name) in self._boot_ids

    def adopt(self, name: str) -> None:
        """Count the run that sent this order as an earlier one of ours."""
        self._boot_ids.add(self._boot_of(name))

    def _boot_of(self, name: str) -> str:
        return name.removeprefix(self.prefix).rpartition("-")[0]
