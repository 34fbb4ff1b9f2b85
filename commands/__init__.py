"""What people run beside serving: `python server.py COMMAND`; each is a module here with a main of its own."""

from collections.abc import Sequence
from importlib import import_module

COMMANDS = ("demo", "check", "doctor", "journal")


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a command and give its exit status. Imported only now: serving needs none of them."""
    status: int = import_module(f"commands.{name}").main(arguments)
    return status
