"""Findings of the doctor, one for each check."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check. name: a short stable name, by which cures.py has the lines to change.

    has_cure: those lines are printed with it.
    """

    name: str
    level: Level
    words: str
    has_cure: bool = False


def well(name: str, words: str) -> Diagnosis:
    """Return a finding where nothing must be changed."""
    return Diagnosis(name, "ok", words)


def wrong(name: str, words: str) -> Diagnosis:
    """Return a finding where something must be changed."""
    return Diagnosis(name, "wrong", words, has_cure=True)


def note(name: str, words: str) -> Diagnosis:
    """Return a finding that is worth knowing: there is nothing to change, or nothing could be checked."""
    return Diagnosis(name, "note", words)


def hint(name: str, words: str) -> Diagnosis:
    """Return a finding that is not wrong, but better after a change."""
    return Diagnosis(name, "note", words, has_cure=True)
