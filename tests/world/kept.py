"""Artifacts that tests keep between runs, outside the checkout: roots of other systems, jars, images."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def cache() -> Path:
    """Return the folder that outlives a run, and make it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "prediction-investor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of this name against every other run on this machine."""
    with (cache() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kept(name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """Return the path of what `make` writes; made anew when `made_from` has changed, and older ones removed.

    `make` receives the path to write, a file or a folder that does not exist yet.
    """
    version = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    path = cache() / f"{name}-{version}"
    with locked(name):
        if not path.exists():
            for old in cache().glob(f"{name}-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            unfinished = cache() / f"{name}-unfinished"
            make(unfinished)
            unfinished.rename(path)
    return path
