"""Runs a program of ours that must not outlive whoever started it: its stdin is a pipe, and nothing else holds its end.

    python -m commands.leash -m bot --port 9000
    python -m commands.leash server.py

The kernel closes the pipe however its holder ended, by kill -9 too, on every system that has pipes.
"""

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

PATIENCE: Final = 3.0  # seconds to end in order, once nobody is left


def main() -> None:
    """Run what the command line names as if it had been started itself."""
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


def _hold() -> None:
    """End this process when the pipe does: as a person would, then as kill -9 does."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
