"""Types of command line arguments, by the readers of settings, so that both refuse the same values in one form."""

import argparse
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def argument(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return a type for argparse. read: returns the value or raises ValueError with what is expected."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"expected {error}, got {text!r:.60}") from None

    return typed
