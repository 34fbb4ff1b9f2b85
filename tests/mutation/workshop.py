"""Try mutants one by one in private copies of the tree, several at a time."""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutant import Mutant
from tests.mutation.outcome import Equivalents, Outcome, Result
from tests.mutation.selection import ChosenTests, Selection
from tests.mutation.session import Session, start_session

BASE_LIMIT = 20.0  # seconds for a run to start
LIMIT_FACTOR = 4  # times what the chosen tests took when nothing was changed
NODE_LIMIT = 60.0  # seconds


@dataclass(slots=True)
class Trial:
    """A mutant that is being tried in a tree."""

    mutant: Mutant
    text: str  # of the unchanged file
    session: Session
    tests: int


class Workshop:
    """Copies of the tree, each with at most one mutant in it."""

    def __init__(self, trees: list[Path], selection: Selection, equivalents: Equivalents) -> None:
        self._trees = trees
        self._selection = selection
        self._equivalents = equivalents

    def run(self, mutants: list[Mutant]) -> list[Result]:
        """Try every mutant; print each outcome as it comes."""
        waiting = list(reversed(mutants))
        trials: dict[Path, Trial] = {}
        results: list[Result] = []
        while waiting or trials:
            for tree in self._trees:
                if tree not in trials and waiting:
                    started = self._start(tree, waiting.pop())
                    if isinstance(started, Result):
                        results.append(started)
                    else:
                        trials[tree] = started
                elif tree in trials and (code := trials[tree].session.poll()) is not None:
                    results.append(self._finish(tree, trials.pop(tree), code))
            time.sleep(0.02)
        return results

    def _start(self, tree: Path, mutant: Mutant) -> Trial | Result:
        path = tree / mutant.file
        text = path.read_text()
        before, after = mutant.change(text)
        if self._equivalents.reason(mutant.file, before, after) is not None:
            return Result(mutant, "equivalent", before, after)
        if path.suffix == ".js":
            return self._try_on_node(tree, mutant)
        names = self._selection.chosen(mutant)
        if not names:
            return _printed(Result(mutant, "untested", before, after))
        _write(path, mutant.apply(text))
        limit = BASE_LIMIT + LIMIT_FACTOR * self._selection.seconds(names)
        files = list(dict.fromkeys(name.split("::")[0] for name in names))
        session = start_session(tree, ["-x", *files], [ChosenTests(names)], limit)
        return Trial(mutant, text, session, len(names))

    def _finish(self, tree: Path, trial: Trial, code: int) -> Result:
        """Take the fault out again. Exit codes: 0 all passed, 1 a test failed, 2 to 4 a module failed to import."""
        path = tree / trial.mutant.file
        _write(path, trial.text)
        if not -1 <= code <= 4:
            raise RuntimeError(f"pytest ended with {code}:\n{(tree.parent / 'output.txt').read_text()[-3000:]}")
        outcome: Outcome = "survived" if code == 0 else "hung" if code == -1 else "killed"
        return _printed(Result(trial.mutant, outcome, *trial.mutant.change(trial.text), trial.tests))

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
