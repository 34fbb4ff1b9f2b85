"""Where a setting's text comes from: the nearest source that names it; a secret may stand in a file of its own."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

COMMENT: Final = re.compile(r"\s#")
QUOTED: Final = re.compile(r"""\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*(#.*)?""")


def sources(flags: Mapping[str, str], folder: Path) -> list[Mapping[str, str]]:
    """Flags, the environment, .env, the parent folder's .env. Raises ValueError for a file that is no text."""
    return [flags, os.environ, env_file(folder / ".env"), env_file(folder.parent / ".env")]


def env_file(path: Path) -> Mapping[str, str]:
    """What an .env file sets; nothing when it is not there. Raises ValueError when it is no text."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before the first line
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{path}: allowed is a text file that can be read ({why})") from None
    lines = [line.strip() for line in text.split("\n")]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.removeprefix("export ").strip(): unquoted(value) for name, _, value in pairs}


def unquoted(text: str) -> str:
    """What stands in quotes, else all up to a comment, which is a # behind a space: as Docker and others read it."""
    quoted = QUOTED.fullmatch(text)
    return quoted["value"] if quoted else COMMENT.split(text, 1)[0].strip()


def find(name: str, sources: Sequence[Mapping[str, str]], secret: bool) -> str:
    """The text in the first source that has the name, or, for a secret, in the file that NAME_FILE names there."""
    for source in sources:
        if name in source:  # an empty value counts: it unsets what a file further down says
            return source[name].strip()
        path = source.get(f"{name}_FILE", "").strip() if secret else ""
        if path:
            try:
                return Path(path).expanduser().read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{name}_FILE={path!r}, a text file that can be read ({error})") from None
    return ""
