"""Try mutants one by one in a private copy of the tree."""

import re
import subprocess
from pathlib import Path

from tests.mutation.mutant import Mutant
from tests.mutation.outcome import Equivalents, Outcome, Result
from tests.mutation.selection import ChosenTests, Selection
from tests.mutation.session import start_session
from tests.mutation.warm import WarmSession, WarmTrial, is_in_function

BASE_LIMIT = 20.0  # seconds for a run to start
LIMIT_FACTOR = 4  # times what the chosen tests took when nothing was changed
NODE_LIMIT = 60.0  # seconds


class Workshop:
    """A copy of the tree with at most one mutant in it. It ends with close()."""

    def __init__(self, tree: Path, selection: Selection, equivalents: Equivalents) -> None:
        self._tree = tree
        self._selection = selection
        self._equivalents = equivalents
        self._warm: WarmSession | None = None

    def run(self, mutants: list[Mutant]) -> list[Result]:
        """Try every mutant; print each outcome as it comes."""
        files = {name.split("::")[0] for mutant in mutants for name in self._selection.chosen(mutant)}
        self._warm = WarmSession(self._tree, sorted(files)) if files else None
        try:
            return [self._try(mutant) for mutant in mutants]
        finally:
            if self._warm is not None:
                self._warm.close()

    def _try(self, mutant: Mutant) -> Result:
        path = self._tree / mutant.file
        text = path.read_text()
        before, after = mutant.change(text)
        if self._equivalents.reason(mutant.file, before, after) is not None:
            return Result(mutant, "equivalent", before, after)
        if path.suffix == ".js":
            return self._try_on_node(self._tree, mutant)
        names = self._selection.chosen(mutant)
        if not names:
            return _printed(Result(mutant, "untested", before, after))
        _write(path, mutant.apply(text))  # also for the processes that tests start
        try:
            code = self._run_tests(mutant, path, text, names)
        finally:
            _write(path, text)
        if not -1 <= code <= 4:
            raise RuntimeError(f"pytest ended with {code}:\n{(self._tree.parent / 'output.txt').read_text()[-3000:]}")
        outcome: Outcome = "survived" if code == 0 else "hung" if code == -1 else "killed"
        return _printed(Result(mutant, outcome, before, after, len(names)))

    def _run_tests(self, mutant: Mutant, path: Path, text: str, names: list[str]) -> int:
        """Return pytest's exit code: 0 all passed, 1 a test failed, 2 to 4 a module failed to import, -1 a limit.

        A fault in a function is tried in the run that has imported everything; one elsewhere in a run of its own, and
        one that survives although its line runs when modules are imported.
        """
        limit = BASE_LIMIT + LIMIT_FACTOR * self._selection.seconds(names)
        changed = mutant.apply(text)
        if self._warm is not None and is_in_function(text, changed):
            code = self._warm.run(WarmTrial(str(path), text, changed, names, limit))
            if code or not self._selection.runs_outside(mutant):
                return code
        files = list(dict.fromkeys(name.split("::")[0] for name in names))
        return start_session(self._tree, ["-x", *files], [ChosenTests(names)], limit).wait()

    def _try_on_node(self, tree: Path, mutant: Mutant) -> Result:
        """Run the test files that import the module, those that import it directly first, until one fails."""
        path = tree / mutant.file
        text = path.read_text()
        files = [file for file in sorted(tree.glob("tests/web/*.test.mjs")) if path in imported_modules(file)]
        files.sort(key=lambda file: path not in imported_modules(file, directly=True))
        outcome: Outcome = "survived" if files else "untested"
        path.write_text(mutant.apply(text))
        try:
            for file in files:
                done = subprocess.run(["node", file], capture_output=True, timeout=NODE_LIMIT, check=False)
                if done.returncode:
                    outcome = "killed"
                    break
        except subprocess.TimeoutExpired:
            outcome = "hung"
        finally:
            path.write_text(text)
        return _printed(Result(mutant, outcome, *mutant.change(text), len(files)))


def imported_modules(file: Path, directly: bool = False) -> set[Path]:
    """Return the JavaScript modules that a file imports, directly or through others as well."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        path = waiting.pop()
        for name in re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", path.read_text()):
            module = (path.parent / name).resolve()
            if module not in found and module.exists():
                found.add(module)
                if not directly:
                    waiting.append(module)
    return found


def _write(path: Path, text: str) -> None:
    """Write a module and remove its compiled form, whose date may be the same second."""
    path.write_text(text)
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()


def _printed(result: Result) -> Result:
    place = f"{result.mutant.file}:{result.mutant.line}"
    print(f"{result.outcome:9} {place} {result.mutant.operator}: {result.after[:100]}", flush=True)
    return result
