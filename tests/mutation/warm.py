"""A pytest run that has imported and collected its tests once, and forks for each fault that lies in a function."""

import gc
import os
import resource
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

import pytest

from tests.mutation.session import LOADED, Session, start_session

FUNCTION: Final = 1  # CO_OPTIMIZED: the code of a function, not of a module or a class
LIFE: Final = 7200.0  # seconds of the processor's time

Place = tuple[str, int]  # the qualified name of a function and its first line


@dataclass(frozen=True, slots=True)
class WarmTrial:
    """A fault and the tests that may see it. file: the absolute path of the module; before, after: its text."""

    file: str
    before: str
    after: str
    tests: list[str]
    limit: float  # seconds of the processor's time


class WarmSession:
    """The process that has everything imported. It ends with close()."""

    def __init__(self, tree: Path, test_files: list[str]) -> None:
        self._connection, theirs = Pipe()
        self._session = start_session(tree, test_files, [ForkingLoop(theirs)], LIFE)
        theirs.close()

    def run(self, trial: WarmTrial) -> int:
        """Return pytest's exit code: 0 all passed, 1 one failed, -1 a limit ended it."""
        self._connection.send(trial)
        return int(self._connection.recv())

    def close(self) -> None:
        """End the process."""
        self._connection.send(None)
        self._session.wait()
        self._connection.close()


class ForkingLoop:
    """A pytest plugin that replaces the loop over the tests: it runs the requested ones in a fork for each fault."""

    def __init__(self, requests: Connection) -> None:
        self._requests = requests

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer each trial with an exit code until None comes."""
        items = {item.nodeid: item for item in session.items}
        functions = _functions()
        gc.collect()
        gc.freeze()
        while (trial := self._requests.recv()) is not None:
            self._requests.send(_fork(session, trial, [items[name] for name in trial.tests], functions))
        return True


def _fork(
    session: pytest.Session, trial: WarmTrial, items: list[pytest.Item], functions: dict[str, list[FunctionType]]
) -> int:
    process = os.fork()
    if process:
        return Session(process, time.monotonic() + LOADED * trial.limit).wait()
    code = 3
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(trial.limit), int(trial.limit)))
        changed = changed_code(trial.before, trial.after)
        for function in functions.get(trial.file, []):
            new = changed.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
            if new is not None:
                function.__code__ = new
        code = 0
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                code = 1
                break
    except BaseException:  # noqa: BLE001  it is printed, and the process ends
        traceback.print_exc()
    finally:
        os._exit(code)


def _functions() -> dict[str, list[FunctionType]]:
    """Return every function by the file that it stands in."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for function in gc.get_objects():
        if isinstance(function, FunctionType):
            found[function.__code__.co_filename].append(function)
    return found


def changed_code(before: str, after: str) -> dict[Place, CodeType]:
    """Return the new code of each function of a module by its place in the old text."""
    old, new = (list(_function_codes(compile(text, "module", "exec", dont_inherit=True))) for text in (before, after))
    by_name: dict[str, list[CodeType]] = defaultdict(list)
    for code in reversed(new):
        by_name[code.co_qualname].append(code)
    # Functions of one name, as a property and its setter, stand in the same order in both texts.
    return {
        (code.co_qualname, code.co_firstlineno): by_name[code.co_qualname].pop()
        for code in old
        if by_name[code.co_qualname]
    }


def _function_codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & FUNCTION:
                yield constant
            yield from _function_codes(constant)


def is_in_function(before: str, after: str) -> bool:
    """Return True if two texts of a module differ in functions alone; all else has run when it was imported."""
    one, other = (_outside_functions(compile(text, "module", "exec", dont_inherit=True)) for text in (before, after))
    return one == other


def _outside_functions(code: CodeType) -> tuple[object, ...]:
    """Return what the code of a module or a class does besides defining its functions."""
    inner = (
        constant if not isinstance(constant, CodeType)
        else None if constant.co_flags & FUNCTION
        else _outside_functions(constant)
        for constant in code.co_consts
    )  # fmt: skip
    return code.co_code, code.co_names, *((type(constant), constant) for constant in inner)
