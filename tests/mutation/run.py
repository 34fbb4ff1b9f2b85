"""Put small faults into the program one by one, and count those that no test sees.

    scripts/mutate --packages journal ledger --count 40 --seed 1
    scripts/mutate --packages routes/access.py --seed 2
    scripts/mutate --packages web/stream.js web/model.js

Each package or file gives a sample of its own. A mutant is killed when a test fails or does not end in time. Exit
status 1 when fewer than --least percent of a sample were killed. Works on a copy of the tree.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.mutation.javascript_operators import javascript_mutants
from tests.mutation.mutant import Mutant, sample, source_files
from tests.mutation.outcome import Equivalents, Result, rates, survivors, table
from tests.mutation.python_operators import python_mutants
from tests.mutation.selection import BUDGET, Selection
from tests.mutation.session import preload
from tests.mutation.workshop import Workshop

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
CACHE = ROOT / "reports" / "mutation-contexts.json"


def main() -> int:
    """Run the command; return its exit status."""
    options = parse()
    equivalents = Equivalents(tomllib.loads(EQUIVALENTS.read_text()).get("equivalent", []))
    results: list[Result] = []
    enough = True
    preload()
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        tree = copy_tree(Path(folder).resolve() / "tree")
        selection = Selection(tree, CACHE, options.budget)
        with_python = any(file.endswith(".py") for file in source_files(tree, options.packages))
        for name in selection.collect(test_files(tree, options.tests) if with_python else []):
            print(f"not used, since it fails without a fault: {name}", flush=True)
        workshop = Workshop(tree, selection, equivalents)
        for place in options.packages:
            drawn = workshop.run(sample(mutants(tree, place), options.count, options.seed))
            results += drawn
            enough &= all(rate.percent() >= options.least for rate in rates(drawn, by_file=False).values())
    print(survivors(results), table(results), sep="\n\n")
    return 0 if enough else 1


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs="+", required=True, metavar="PLACE", help="packages or files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40, help="mutants of each place")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds of tests for each mutant")
    parser.add_argument("--least", type=float, default=95.0, help="percent of each sample that must be killed")
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PLACE", help="folders or files of tests")
    return parser.parse_args()


def mutants(tree: Path, place: str) -> list[Mutant]:
    """Return every mutant of a package or a file."""
    found: list[Mutant] = []
    for file in source_files(tree, [place]):
        text = (tree / file).read_text()
        found += python_mutants(file, text) if file.endswith(".py") else javascript_mutants(file, text)
    return found


def test_files(tree: Path, places: list[str]) -> list[str]:
    """Return the Python test files of folders and files, relative to the tree."""
    found: set[Path] = set()
    for place in places:
        path = tree / place
        found.update([path] if path.is_file() else path.rglob("test_*.py"))
    return sorted(str(path.relative_to(tree)) for path in found)


def copy_tree(target: Path) -> Path:
    """Copy the files of the working tree that git tracks or would track. Return the target."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


if __name__ == "__main__":
    sys.exit(main())
