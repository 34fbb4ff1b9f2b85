"""One mutant: a small fault put into one place of a file, its text, its diff line and its sampling."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """A replacement of the characters start to end of a file. line counts from 1."""

    file: str
    line: int
    operator: str
    start: int
    end: int
    replacement: str

    def apply(self, text: str) -> str:
        """Return the file's text with the fault in it."""
        return text[: self.start] + self.replacement + text[self.end :]

    def change(self, text: str) -> tuple[str, str]:
        """Return the changed lines before and after, each joined by one space, as they are compared and shown."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        last = len(text) if last == -1 else last
        after = text[first : self.start] + self.replacement + text[self.end : last]
        return " ".join(text[first:last].split()), " ".join(after.split())


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return count mutants drawn by seed, in the order of their files and lines; all if there are fewer."""
    drawn = random.Random(seed).sample(list(mutants), min(count, len(mutants)))
    return sorted(drawn, key=lambda mutant: (mutant.file, mutant.line, mutant.start))


def source_files(root: Path, places: Iterable[str]) -> list[str]:
    """Return the Python and JavaScript files of packages or files, relative to root. Raises FileNotFoundError."""
    found: list[str] = []
    for place in places:
        path = root / place
        if not path.exists():
            raise FileNotFoundError(f"{place}: expected a package or a file of this project")
        files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.js")]
        found += sorted(str(file.relative_to(root)) for file in files)
    return found
