"""Tests chosen for a mutant: those that ran its line when nothing was changed, the nearest and cheapest first."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.mutation.contexts import ContextRecorder
from tests.mutation.mutant import Mutant
from tests.mutation.python_operators import module_lines
from tests.mutation.session import start_session

COLLECT_LIMIT = 3600.0  # seconds
BUDGET = 30.0  # seconds that the chosen tests of one mutant took when nothing was changed, by default


class Selection:
    """The lines that each test runs, kept in a file. A test file is run again when it or a file it ran has changed.

    State: per test file its fingerprint and its tests.
    """

    def __init__(self, tree: Path, cache: Path, budget: float = BUDGET) -> None:
        self._tree = tree
        self._budget = budget
        self._cache = cache
        self._files: dict[str, dict[str, object]] = json.loads(cache.read_text()) if cache.exists() else {}
        self._seconds: dict[str, float] = {}
        self._by_line: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._outside: dict[str, int] = defaultdict(int)  # lines that ran outside of every test, as bits

    def collect(self, test_files: Iterable[str]) -> list[str]:
        """Run every test file whose record is missing or old; index the lines. Return the tests that did not pass."""
        wanted = list(test_files)
        stale = [file for file in wanted if not self._is_current(file)]
        for folder in dict.fromkeys(os.path.dirname(file) for file in stale):
            self._record([file for file in stale if os.path.dirname(file) == folder])
        for file in wanted:
            self._index(file)
        failed: list[str] = []
        for file in wanted:
            failed += self._files.get(file, {}).get("failed", [])  # type: ignore[arg-type]
        return failed

    def chosen(self, mutant: Mutant) -> list[str]:
        """Return the tests for one mutant, `budget` seconds of them. A line that runs at import: by its file."""
        lines = self._by_line[mutant.file]
        names = set(lines.get(mutant.line, ()))
        package = f"tests/{mutant.file.split('/')[0]}/"
        if not names or mutant.line in set(module_lines((self._tree / mutant.file).read_text())):
            # A class made of fields alone has no line that runs later, so the whole package's tests are added.
            names = set().union(*lines.values(), (name for name in self._seconds if name.startswith(package)))
        ordered = sorted(names, key=lambda name: (not name.startswith(package), self._seconds[name]))
        chosen: list[str] = []
        spent = 0.0
        for name in ordered:
            spent += self._seconds[name]
            if spent > self._budget and chosen:
                break
            chosen.append(name)
        return chosen

    def runs_outside(self, mutant: Mutant) -> bool:
        """Return True if the line runs when modules are imported or tests are collected."""
        return bool(self._outside[mutant.file] >> mutant.line & 1)

    def seconds(self, names: Iterable[str]) -> float:
        """Return the seconds that the tests took when nothing was changed."""
        return sum(self._seconds[name] for name in names)

    def _record(self, stale: list[str]) -> None:
        output = self._tree.parent / "contexts.json"
        output.unlink(missing_ok=True)
        recorder = ContextRecorder(self._tree, output)
        code = start_session(self._tree, stale, [recorder], COLLECT_LIMIT).wait()
        if not output.exists():
            raise RuntimeError(f"pytest ended with {code}:\n{(self._tree.parent / 'output.txt').read_text()[-3000:]}")
        found = json.loads(output.read_text())
        for file in stale:
            tests = {name: test for name, test in found["tests"].items() if name.split("::")[0] == file}
            touched = sorted({source for test in tests.values() for source in test["lines"]})
            self._files[file] = {
                "fingerprint": {path: self._digest(path) for path in [file, *touched]},
                "tests": tests,
                "outside": {source: found["outside"][source] for source in touched if source in found["outside"]},
                "failed": [name for name in found["failed"] if name.split("::")[0] == file],
            }
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        self._cache.write_text(json.dumps(self._files))

    def _index(self, file: str) -> None:
        for source, bits in self._files[file].get("outside", {}).items():  # type: ignore[attr-defined]
            self._outside[source] |= int(bits, 16)
        for name, test in self._files[file]["tests"].items():  # type: ignore[attr-defined]
            self._seconds[name] = test["seconds"]
            for source, bits in test["lines"].items():
                for line in _set_bits(int(bits, 16)):
                    self._by_line[source][line].add(name)

    def _is_current(self, file: str) -> bool:
        record = self._files.get(file)
        if record is None:
            return False
        fingerprint: dict[str, str] = record["fingerprint"]  # type: ignore[assignment]
        return all(self._digest(path) == digest for path, digest in fingerprint.items())

    def _digest(self, path: str) -> str:
        file = self._tree / path
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""


class ChosenTests:
    """A pytest plugin that keeps the chosen tests alone, in the order in which their files were chosen.

    A property test ends at its first failing example: a smaller one is not looked for.
    """

    def __init__(self, names: list[str]) -> None:
        self._order = {name: number for number, name in enumerate(names)}

    def pytest_sessionstart(self) -> None:
        """Replace the profile of property tests after tests/conftest.py has loaded its own."""
        from hypothesis import Phase, settings  # a plugin of pytest: it must not be imported before pytest starts

        phases = [Phase.explicit, Phase.reuse, Phase.generate]
        settings.register_profile("mutation", deadline=None, phases=phases, database=None)
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests, file by file so that fixtures are shared."""
        first: dict[str, int] = {}
        for name, number in self._order.items():
            first.setdefault(name.split("::")[0], number)
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: (first[item.nodeid.split("::")[0]], self._order[item.nodeid]),
        )


def _set_bits(bits: int) -> Iterable[int]:
    return (number for number, bit in enumerate(reversed(bin(bits)[2:])) if bit == "1")
