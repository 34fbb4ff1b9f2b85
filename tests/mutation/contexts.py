"""A pytest plugin that records the lines that each test runs. A line is one bit of a number for each file."""

import json
import time
import warnings
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

Lines = dict[str, int]  # per file, relative to the root: bit n is set if line n ran


class ContextRecorder:
    """Give each test its own coverage context; write what passed to a JSON file when the session ends."""

    def __init__(self, root: Path, output: Path) -> None:
        self._root = root
        self._output = output
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._coverage = coverage.Coverage(
            data_file=None, source=[str(root)], omit=["*/tests/*"], config_file=False, messages=False
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Start to record before the first module is imported."""
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        """Record one test, with its fixtures, under its own name."""
        self._coverage.switch_context(item.nodeid)
        began = time.monotonic()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = round(time.monotonic() - began, 3)
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out a test that failed or was skipped: it cannot show a fault."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the seconds and the lines of each test that passed."""
        self._coverage.stop()
        tests: dict[str, dict[str, object]] = {
            name: {"seconds": seconds, "lines": {}}
            for name, seconds in self._seconds.items()
            if name not in self._failed
        }
        found = {name: {file: hex(bits) for file, bits in lines.items()} for name, lines in self._lines().items()}
        for name in found.keys() & tests.keys():
            tests[name]["lines"] = found[name]
        outside = found.get("", {})  # of every test: when modules are imported and tests are collected
        self._output.write_text(json.dumps({"tests": tests, "outside": outside, "failed": sorted(self._failed)}))

    def _lines(self) -> dict[str, Lines]:
        with warnings.catch_warnings(action="ignore"):  # one of them: that nothing ran
            data = self._coverage.get_data()
        found: dict[str, Lines] = {}
        for path in data.measured_files():
            file = str(Path(path).relative_to(self._root))
            for line, names in data.contexts_by_lineno(path).items():
                for name in names:
                    lines = found.setdefault(name, {})
                    lines[file] = lines.get(file, 0) | 1 << line
        return found
