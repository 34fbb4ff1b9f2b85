"""One way to read settings: a class of fields, each with its variable, reader, help and flag; all mistakes at once."""

import argparse
import dataclasses
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from config import parsers

COMMENT: Final = re.compile(r"\s#")
QUOTED: Final = re.compile(r"""\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*(#.*)?""")
# What a message does not repeat: a key or a URL with a password, set where something else belongs; a path is repeated.
_SECRET: Final = re.compile(r"-----BEGIN|://|@")
_PATH: Final = re.compile(r"[/~.].*|[\w.-]{1,15}(/[\w.-]{1,15})*|[\w./-]*\.\w{1,5}")
LARGEST: Final = 65536  # bytes that are read of a file with settings or a secret


class SettingError(ValueError):
    """One setting that cannot be used; the message is a whole line for people."""


class SettingsError(Exception):
    """Settings that cannot be used; mistakes holds a line for each: name, expected, got."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("wrong settings:\n" + "\n".join(f"  {line}" for line in mistakes))
        self.mistakes = mistakes


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of one program: a frozen dataclass whose fields are made by setting()."""

    def conflicts(self) -> list[str]:
        """Return a line for each setting that contradicts another one."""
        return []


S = TypeVar("S", bound=Settings)


def setting(default: Any, parse: Callable[[str], Any], help: str, variable: str = "", prefix: str = "") -> Any:
    """Return a field. variable: its name outside; prefix and the field's name in capitals unless given."""
    mask = parsers.MASKS.get(parse)
    metadata = {"variable": variable, "prefix": prefix, "parse": parse, "help": help, "mask": mask}
    return dataclasses.field(default=default, metadata=metadata, repr=not mask)


def variable(field: dataclasses.Field[Any]) -> str:
    """Return the name of a setting in the environment."""
    return str(field.metadata["variable"] or field.metadata["prefix"] + field.name.upper())


def read(
    kind: type[S], flags: Mapping[str, str] | None = None, folder: Path | None = None,
    check: Callable[[S], list[str]] | None = None,
) -> S:  # fmt: skip
    """Return the settings in force: flags, then environment, then .env in folder, then .env in its parent folder.

    check: further conflicts, for what config/ does not know. Raises SettingsError with every mistake.
    """
    try:
        folder = folder or Path.cwd()
    except FileNotFoundError:
        raise SettingsError(["the working folder was deleted; start from one that exists"]) from None
    try:
        places = [flags or {}, os.environ, env_file(folder / ".env"), env_file(folder.parent / ".env")]
    except SettingError as error:
        raise SettingsError([str(error)]) from None
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    for field in dataclasses.fields(kind):
        try:
            if text := find(variable(field), places, field.metadata["mask"] is not None):
                found[field.name] = parsed(field, text)
        except SettingError as error:
            mistakes.append(str(error))
    settings = kind(**found)
    mistakes += settings.conflicts() + (check(settings) if check else [])
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def parsed(field: dataclasses.Field[Any], text: str) -> Any:
    """Return the value of a setting's text. Raises SettingError; its message shows no secret."""
    try:
        return field.metadata["parse"](text)
    except ValueError as error:
        shown = field.metadata["mask"](text) if field.metadata["mask"] else "***" if _SECRET.search(text) else text
        raise SettingError(f"{variable(field)}: expected {error}, got {shown[:200]!r}") from None


def masked(settings: Settings) -> dict[str, str]:
    """Return every setting as text for people, in the order of the fields, without secrets."""
    fields = dataclasses.fields(settings)
    return {variable(field): shown(field, getattr(settings, field.name)) for field in fields}


def shown(field: dataclasses.Field[Any], value: Any) -> str:
    """Return a value as one would write it in .env; empty for none, masked for a secret."""
    if value is None or value in ((), ""):
        return ""
    if field.metadata["mask"]:
        return str(field.metadata["mask"](value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def flag(field: dataclasses.Field[Any]) -> str:
    """Return the command-line flag of a setting; empty for a secret, because others can read a process's flags."""
    return "" if field.metadata["mask"] is parsers.stars else f"--{field.name.replace('_', '-')}"


def add_flags(parser: argparse.ArgumentParser, kind: type[Settings], only: Sequence[str] = ()) -> None:
    """Add a flag for each setting, or for the fields in `only`; --help shows variable and default."""
    for field in dataclasses.fields(kind):
        if not flag(field) or (only and field.name not in only):
            continue
        default = shown(field, field.default) or "none"
        help = f"{field.metadata['help']} [{variable(field)}; default {default}]".replace("%", "%%").replace("`", "")
        if field.metadata["parse"] is parsers.yes_no:
            parser.add_argument(flag(field), dest=variable(field), action="store_const", const="yes", help=help)
        else:
            parser.add_argument(flag(field), dest=variable(field), metavar=field.name.upper(), help=help)


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the settings that the command line gives, by variable."""
    return {name: value for name, value in vars(arguments).items() if value is not None}


def table(kind: type[Settings]) -> str:
    """Return the settings as a Markdown table."""
    rows = ["| variable | flag | default | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(kind):
        cells = [f"`{text}`" if text else "" for text in (variable(field), flag(field), shown(field, field.default))]
        rows.append(f"| {' | '.join(cells)} | {field.metadata['help']} |")
    return "\n".join(rows)


def env_file(path: Path) -> Mapping[str, str]:
    """Return the settings in an .env file; none if it does not exist. Raises SettingError if it cannot be read."""
    lines = [line.strip() for line in _read(path, ".env").split("\n")] if path.is_file() else []
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
    found = _read(Path(path).expanduser(), f"{name}_FILE").strip() if path else ""
    if not found:
        got = f"file {path_text(path)!r}" if path else "path"
        raise SettingError(f"{name}_FILE: expected the path of a file that holds the secret, got an empty {got}")
    return found


def _nearest(name: str, places: Sequence[Mapping[str, str]]) -> str | None:
    return next((place[name].strip() for place in places if name in place), None)


def _read(path: Path, name: str) -> str:
    """Return a file's text. Raises SettingError, which begins with name."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content.decode("utf-8-sig")  # some editors put a mark before the first line
        reason = f"it is larger than {LARGEST} bytes"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise SettingError(f"{name}: expected a text file that can be read ({reason}), got {path_text(str(path))!r}")


def path_text(path: str) -> str:
    """Return a path for a message; *** for what seems the secret itself, set where the name of its file belongs."""
    return path if _PATH.fullmatch(path) else "***"
