"""Runs a program of the demo that ends with the demo: its stdin is a pipe that the demo alone holds.

    python -m commands.demo_guard -m bot --port 9000
    python -m commands.demo_guard server.py

The kernel closes the pipe when the demo ends in any way, kill -9 included.
"""

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

GRACE: Final = 3.0  # seconds between SIGTERM and SIGKILL


def main() -> None:
    """Run the program that the command line names as if it had been started itself."""
    threading.Thread(target=_end_with_pipe, name="demo guard", daemon=True).start()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


def _end_with_pipe() -> None:
    """Wait for the end of the pipe, then end this process: SIGTERM first, SIGKILL after GRACE."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
