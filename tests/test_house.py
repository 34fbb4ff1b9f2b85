"""The house: rooms import one way, a file is one noun with a caption, functions are short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What each room may import of ours, besides itself. Lower rooms never look up.
MAY: dict[str, set[str]] = {
    "cache": set(),
    "kalshi": {"cache"},
    "journal": {"cache", "kalshi"},
    "streams": {"cache", "kalshi", "journal"},
    "routes": {"cache", "kalshi", "journal", "streams"},
    "bot": {"cache", "kalshi"},
    "simulator": {"cache", "kalshi"},
    "web": set(),
    "config": set(),
    "settings": {"config"},
    "logs": set(),
    "notify": set(),
    "rooms": {"cache", "kalshi", "journal", "streams", "routes", "settings"},
    "commands": {"cache", "kalshi", "journal", "streams", "routes", "settings", "rooms", "logs"},
    "server": {"cache", "kalshi", "journal", "streams", "routes", "settings", "rooms", "logs", "notify", "commands"},
}
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
def test_a_file_imports_downwards_and_has_a_caption(path: Path) -> None:
    """Imports run cache -> kalshi -> journal -> streams -> routes -> server, and the first line says what is here."""
    tree = ast.parse(path.read_text())
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = {name for name in imported(tree) if name in MAY and name != room}
    assert ours <= MAY[room], f"{room} must not import {ours - MAY[room]}"
    caption = (ast.get_docstring(tree) or "").splitlines()
    assert caption, "a file begins with a sentence that would do as its caption"
    assert path.read_text().count("\n") <= 250, "two nouns? split the file"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(path: Path) -> None:
    """No function is longer than a screen."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}: {lines}" for node in functions if (lines := (node.end_lineno or 0) - node.lineno + 1) > 40]
    assert not long, long


def test_the_wheel_lists_every_room() -> None:
    """setup.cfg names each package and module of the house, so that none is left out of the wheel."""
    text = (ROOT / "setup.cfg").read_text()
    for name in MAY:
        assert name in text.split("[options.package_data]")[0]
