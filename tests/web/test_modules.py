"""The page's modules on Node's own runner, and their types as tsc sees them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(*command: str, needs: str, limit: float = 100) -> None:
    """The command ends well; without its program the test skips, or fails where CI promised it."""
    if shutil.which(needs) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{needs} is missing")
        pytest.skip(f"{needs} is missing: apt-get install nodejs npm")
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda file: file.name)
def test_on_node(file: Path) -> None:
    """Every unit test of the modules passes on Node's runner."""
    run("node", "--test", str(file), needs="node")


@pytest.mark.slow
def test_types() -> None:
    """JSDoc types hold under tsc --checkJs --strict, and a page in TypeScript compiles with them."""
    run("npx", "--yes", "-p", "typescript@5", "tsc", "-p", str(HERE / "jsconfig.json"), needs="npx")
