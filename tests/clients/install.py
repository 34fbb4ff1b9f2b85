"""Install the stream clients that the tests drive: python -m tests.clients.install [FOLDER].

FOLDER: CLIENTS_DIR, or ~/.cache/prediction-investor-clients. A kind of client whose tools are missing is left out.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDER: Final = Path(os.environ.get("CLIENTS_DIR") or Path.home() / ".cache" / "prediction-investor-clients")


def commands(folder: Path) -> dict[str, list[list[str]]]:
    """Return the commands that install each kind of client."""
    classpath = f"{folder}/java/lib/*"
    return {
        "node": [["npm", "ci", "--no-audit", "--no-fund", "--prefix", f"{folder}/node"]],
        "python": [
            [sys.executable, "-m", "pip", "install", "-q", "-r", f"{folder}/python/requirements.txt",
             "--target", f"{folder}/python/lib"],
        ],
        "go": [["go", "-C", f"{folder}/go", "build", "-o", "client", "."]],
        "java": [
            ["mvn", "-q", "-f", f"{folder}/java/pom.xml", "dependency:copy-dependencies",
             f"-DoutputDirectory={folder}/java/lib"],
            ["javac", "-cp", classpath, "-d", f"{folder}/java", f"{folder}/java/Client.java"],
        ],
    }  # fmt: skip


def install(folder: Path) -> None:
    """Copy the sources into the folder and build there."""
    for kind, steps in commands(folder).items():
        shutil.copytree(HERE / kind, folder / kind, dirs_exist_ok=True)
        for step in steps:
            if shutil.which(step[0]) is None:
                print(f"{kind}: {step[0]} is not installed")
                break
            print(f"{kind}: {' '.join(step)}", flush=True)
            if subprocess.run(step, check=False).returncode:
                print(f"{kind}: failed")
                break


if __name__ == "__main__":
    install(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
