"""Streams leave no reference cycles: nothing of theirs waits for the garbage collector."""

import gc
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import streams
from tests.support.pages import EPOCH
from tests.support.wire import Serve, has

PACKAGE = Path(streams.__file__).parent
OURS = ("streams.", "journal.", "cache.")


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """Keep what the collector finds, from now on."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def is_ours(found: object) -> bool:
    """Return True for an instance, function, frame or coroutine of this project's packages."""
    code = getattr(found, "f_code", None) or getattr(found, "cr_code", None) or getattr(found, "ag_code", None)
    if isinstance(code, types.CodeType):
        return Path(code.co_filename).parent == PACKAGE
    module = found.__module__ if isinstance(found, types.FunctionType | types.MethodType) else type(found).__module__
    return str(module).startswith(OURS)


async def test_closed_streams_leave_no_cycles(serve: Serve, garbage: list[object]) -> None:
    """Live, replaying, refused and unread: after 200 streams gc.collect() finds no object of this project."""
    server = await serve(kept=20)
    for number in range(200):
        wire = await server.open("trading", cursor=(None, f"{EPOCH}-3", "nonsense", f"{EPOCH}-20")[number % 4])
        if number % 2:
            await wire.until(has(20)) if number % 4 == 1 else await wire.read()
            server.publish()
            await wire.read()
        wire.close()
    await server.empty()
    gc.collect()
    assert [type(found) for found in garbage if is_ours(found)] == []
