"""The layout: packages import one way, a module has a docstring and one concept, functions are short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The packages of this project that each package may import. Imports run one way.
MAY: dict[str, set[str]] = {
    "config": {"kalshi"},  # the addresses of the exchange
    "cache": set(),
    "kalshi": {"cache", "ledger"},
    "journal": {"cache"},
    "ledger": set(),
    "cluster": {"cache", "journal"},
    "ingest": {"cache", "kalshi", "journal", "ledger", "cluster", "streams"},
    "streams": {"cache", "journal"},
    "routes": {"cache", "kalshi", "journal", "ledger", "cluster", "ingest", "streams"},
    "runtime": {"config", "cache", "kalshi", "journal", "ledger", "cluster", "ingest", "streams", "routes"},
    "commands": {
        "config", "cache", "kalshi", "journal", "ledger", "cluster", "ingest", "streams", "routes", "runtime",
    },
    "bot": {"config", "cache", "kalshi", "ledger", "simulator"},
    "simulator": {"config", "cache", "kalshi"},
    "web": set(),
    "server": {
        "config", "cache", "kalshi", "journal", "cluster", "ingest", "streams", "routes", "runtime", "commands",
    },
}  # fmt: skip
FILES = [
    path
    for name in MAY
    for path in ([ROOT / f"{name}.py"] if (ROOT / f"{name}.py").exists() else sorted((ROOT / name).rglob("*.py")))
]


def imported(tree: ast.Module) -> Iterator[str]:
    """Top-level names of everything that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_downwards_and_has_a_docstring(path: Path) -> None:
    """No package imports one that is built on it; each module has a docstring and at most 300 lines."""
    tree = ast.parse(path.read_text())
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = {name for name in imported(tree) if name in MAY and name != package}
    assert ours <= MAY[package], f"{package} must not import {ours - MAY[package]}"
    assert ast.get_docstring(tree), "a module begins with a docstring"
    assert path.read_text().count("\n") <= 300, "split the module: it holds two concepts"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(path: Path) -> None:
    """No function is longer than a screen."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}: {lines}" for node in functions if (lines := (node.end_lineno or 0) - node.lineno + 1) > 40]
    assert not long, long


def test_the_wheel_lists_every_package() -> None:
    """setup.cfg names each package, so that none is left out of the wheel."""
    text = (ROOT / "setup.cfg").read_text()
    for name in MAY:
        if not (ROOT / name).is_dir() and name != "server":
            continue
        assert name in text.split("[options.package_data]")[0]


def test_a_class_name_is_used_once() -> None:
    """No two classes of the tree have one name, so that a name means one thing."""
    places: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
