"""Real stream clients: each gets every entry once and in order after any fault, or an event announces the loss."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clients.catalogue import Client, clients
from tests.clients.scenario import Outcome, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.asyncio(loop_scope="module")]
CLIENTS = list(clients())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcome() -> AsyncIterator[Outcome]:
    """Drive every installed client at once: ten cuts, kill -9, a deploy, another journal."""
    yield await run([client for client in CLIENTS if not client.missing()])


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_a_client_gets_every_entry_once_in_order(client: Client, outcome: Outcome) -> None:
    """Cut before the first trade and ten times after it, through kill -9 and a deploy; then it receives a reset."""
    if missing := client.missing():
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    received = outcome.received[client.name]
    assert not received.exited, received.log
    assert outcome.before_reset[client.name] == outcome.before, received.log
    assert {"reason": "epoch"}.items() <= received.named("reset")[0].items()
    assert received.ids[-2:] == outcome.after
