"""Order and completeness over a real socket, however the reader reads."""

import asyncio
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.sse import StreamLimits
from streams.subscriber import EAGER_TASKS
from tests.support.wire import served

Step = tuple[Literal["publish", "turn", "read", "status"], int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "turn", "read", "status"]), st.sampled_from([1, 2, 400])),
    min_size=30, max_size=80,
)  # fmt: skip


@pytest.mark.parametrize("eager", [False, True] if EAGER_TASKS else [False], ids=["queue", "eager"][: 1 + EAGER_TASKS])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_each_entry_arrives_once_in_order(eager: bool, steps: list[Step]) -> None:
    """A reader with a small socket that reads and pauses at random gets each entry and status once, in order."""
    asyncio.run(_read_in_bursts(eager, steps))


async def _read_in_bursts(eager: bool, steps: list[Step]) -> None:
    limits = StreamLimits(eager=eager, queue_events=10_000, queue_bytes=1 << 28)
    async with asyncio.timeout(30), served(limits) as server:
        wire = await server.open("trading", buffer=4096)
        await wire.read()
        for action, count in steps:
            if action == "publish":
                server.publish(count)
            elif action == "status":
                server.hub.status(f'{{"n":{server.hub.status_number + 1}}}')
            elif action == "turn":
                await asyncio.sleep(0.002 if count > 2 else 0)
            elif server.hub.position > (wire.seqs or [0])[-1]:  # else nothing would come
                await wire.read()
        server.publish()
        await wire.until(lambda one: one.seqs[-1:] == [server.hub.position], within=20)
        assert wire.seqs == list(range(1, server.hub.position + 1))
        assert wire.named("bot_status") == [f'{{"n":{number}}}' for number in range(1, server.hub.status_number + 1)]
