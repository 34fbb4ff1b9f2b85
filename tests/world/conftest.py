"""One container engine for all tests of a run."""

from collections.abc import Iterator

import pytest

from tests.world.engine import Engine, running_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running container engine."""
    with running_engine() as started:
        yield started
