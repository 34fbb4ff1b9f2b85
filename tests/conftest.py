"""Fixtures of every test: profiles of property tests, real neighbours, a journal's path and a scripted exchange."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.exchange import ScriptedExchange
from tests.support.neighbours import maria_server, mariadb, redis_server

__all__ = ["maria_server", "mariadb", "redis_server"]

settings.register_profile("ours", deadline=None, print_blob=True)
settings.register_profile(
    "long", deadline=None, print_blob=True, max_examples=100_000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("ours")


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """Collect garbage after each test file, so that a thing that it left open fails this file and not a later one."""
    yield
    gc.collect()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a journal that does not exist yet."""
    return tmp_path / "journal.db"


@pytest.fixture
def exchange() -> ScriptedExchange:
    """An exchange whose reads are complete up to an hour from now, so that no test waits for it unless it says so."""
    return ScriptedExchange(complete=time.time() + 3600)
