"""Places that a setting's text comes from: the nearest that names it counts; a secret may stand in a file."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

COMMENT: Final = re.compile(r"\s#")
QUOTED: Final = re.compile(r"""\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*(#.*)?""")
LARGEST: Final = 65536  # bytes that are read of a file with settings or a secret


class SettingError(ValueError):
    """One setting that cannot be used; the message is a whole line for people."""


def sources(flags: Mapping[str, str], folder: Path) -> list[Mapping[str, str]]:
    """Return flags, the environment, .env and the parent folder's .env. Raises SettingError for an unreadable file."""
    return [flags, os.environ, env_file(folder / ".env"), env_file(folder.parent / ".env")]


def env_file(path: Path) -> Mapping[str, str]:
    """Return the settings in an .env file; none if it does not exist. Raises SettingError if it cannot be read."""
    if not path.is_file():
        return {}
    try:
        text = _read(path)
    except (OSError, ValueError) as error:
        raise SettingError(f"{path}: expected a text file that can be read ({_reason(error)})") from None
    lines = [line.strip() for line in text.split("\n")]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.removeprefix("export ").strip(): unquoted(value) for name, _, value in pairs}


def unquoted(text: str) -> str:
    """Return the text in quotes, else the text before a comment, which is a # after a space (as Docker reads it)."""
    quoted = QUOTED.fullmatch(text)
    return quoted["value"] if quoted else COMMENT.split(text, 1)[0].strip()


def find(name: str, places: Sequence[Mapping[str, str]], secret: bool) -> str:
    """Return the text of a setting; empty if it is not set. The nearest place that names it counts.

    secret: NAME_FILE may name a file that holds the text. Raises SettingError if that file is empty or cannot be
    read, and if NAME is set beside NAME_FILE.
    """
    value = _nearest(name, places)
    path = _nearest(f"{name}_FILE", places) if secret else None
    if path is None:
        return value or ""  # an empty value counts: it unsets the same name in a farther place
    if value:
        raise SettingError(f"{name}: expected either {name} or {name}_FILE, got both")
    try:
        found = _read(Path(path).expanduser()).strip() if path else ""
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{name}_FILE: expected a text file that can be read ({_reason(error)}), got {path!r}"
        ) from None
    if not found:
        raise SettingError(
            f"{name}_FILE: expected the path of a file that holds the secret, got an empty "
            + (f"file {path!r}" if path else "path")
        )
    return found


def _nearest(name: str, places: Sequence[Mapping[str, str]]) -> str | None:
    return next((place[name].strip() for place in places if name in place), None)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    return content.decode("utf-8-sig")  # some editors put a mark before the first line


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
