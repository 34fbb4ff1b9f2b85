"""Commands beside serving: `python server.py COMMAND`; each is a module here with a main function."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = ("demo", "check", "doctor", "journal", "report")


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status. It is imported here because serving needs none of them."""
    try:
        status: int = import_module(f"commands.{name}").main(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EBADF):
            raise
        if error.errno != errno.EPIPE:  # a reader such as head, which has all that it wants
            print(f"{name}: standard output cannot be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left at its end
        return 1
