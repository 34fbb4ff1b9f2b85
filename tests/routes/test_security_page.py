"""docs/security.md: each promise names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
TABLE = PAGE.split("| promise | held by |", 1)[1].split("\n\n", 1)[0]
PROMISES = [row.split("|")[1:3] for row in TABLE.splitlines()[2:]]


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=lambda text: text.strip()[:40])
def test_a_promise_is_held_by_a_test(promise: str, tests: str) -> None:
    """Every row has at least one file of tests, and it exists."""
    files = re.findall(r"`(tests/[\w/]+\.py)`", tests)
    assert promise.strip()
    assert files
    assert all((ROOT / file).is_file() for file in files), files


def test_every_attack_has_its_promise() -> None:
    """The page has promises for all that scripts/attack tries."""
    assert len(PROMISES) >= 20
    assert "scripts/attack" in PAGE
