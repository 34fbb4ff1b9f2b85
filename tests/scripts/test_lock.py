"""requirements.lock: one version with hashes of every package that setup.cfg requires."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN, TESTS = (ROOT / "requirements.lock").read_text().split("# tests alone\n")


def names(requirements: str) -> set[str]:
    """Return the packages named in lines of requirements."""
    return {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9][\w.-]*)", requirements, re.M)}


def required(*extras: str) -> set[str]:
    """Return the packages that setup.cfg requires, and the one that builds this project."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"]
    for extra in extras:
        wanted += "\n" + setup["options.extras_require"][extra]
    return names(wanted) | {"setuptools"}


def test_the_lock_covers_all_required_packages() -> None:
    """Nothing is missing; otherwise run scripts/lock."""
    assert required("fast", "mysql", "metrics") <= names(RUN)
    assert required("test") <= names(RUN) | names(TESTS)
    assert not names(RUN) & names(TESTS)


@pytest.mark.parametrize("part", [RUN, TESTS], ids=["run", "tests"])
def test_each_line_is_pinned_with_hashes(part: str) -> None:
    """Every package has one version and at least one hash."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", part.strip()):
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
