"""Commands beside serving: `python server.py COMMAND`; each is a module here with a main function."""

from collections.abc import Sequence
from importlib import import_module

COMMANDS = ("demo", "check", "doctor", "journal", "report")


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status. It is imported here because serving needs none of them."""
    status: int = import_module(f"commands.{name}").main(arguments)
    return status
