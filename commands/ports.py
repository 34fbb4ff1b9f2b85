"""Ports of this machine: one that a person names, whether it can be opened, one that is free."""

import argparse
import errno
import socket


def named(text: str) -> int:
    """The port that somebody named on the command line."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; name one from 1 to 65535")
    return int(text)


def taken(port: int) -> str:
    """Why this port cannot be opened; empty when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return "it is taken" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
