"""The context of a request: the prefix of every URL, which deploy/ and web/ use too, its path, and the services."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from starlette.types import Scope

if TYPE_CHECKING:
    from cache.stale_cache import StaleCache
    from ingest.journal_ledgers import JournalLedgers
    from ingest.reconciliation import AccountAudit
    from ingest.supervisor import Supervisor
    from journal.base import Journal
    from kalshi.client import KalshiClient
    from kalshi.markets import Markets
    from kalshi.portfolio import Portfolio
    from routes.access import Access
    from routes.application import Durations
    from streams.hub import Hub
    from streams.sse import EventStream

PREFIX: Final = "/api/python"
STREAM_PATHS: Final = tuple(f"{PREFIX}/sse/{name}" for name in ("trading", "trades", "portfolio", "status"))
PROBES: Final = (f"{PREFIX}/health/live", f"{PREFIX}/health/ready")


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one worker process that handlers use, from the lifespan's start to its end."""

    version: str
    portfolio: Portfolio
    markets: Markets
    journal: Journal
    hub: Hub
    supervisor: Supervisor
    ledgers: JournalLedgers
    audit: AccountAudit
    cache: StaleCache
    client: KalshiClient
    durations: Durations
    streams: Mapping[str, EventStream]  # by name: trading, trades, portfolio, status
    access: Access
    warnings: tuple[str, ...] = ()  # what a deployer must change, such as a public address without access control
    started: float = field(default_factory=time.monotonic)  # monotonic seconds, so that no clock step shows

    def uptime(self) -> float:
        """Return the seconds since the start."""
        return round(time.monotonic() - self.started, 3)


def get_services(scope: Scope) -> Services:
    """Return the services of the worker that serves this request."""
    return cast(Services, scope["state"]["services"])


def mount_path(scope: Scope) -> str:
    """Return the path before the prefix, which a proxy or an outer application adds; mostly empty."""
    found: str = scope.get("app_root_path", scope.get("root_path", ""))
    return found


def path_in_app(scope: Scope) -> str:
    """Return the path as the table of URLs has it, prefix included."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path
