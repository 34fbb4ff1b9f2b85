"""The whole server as it is where streams/fast.py does not know what serves it: every delivery by public ASGI."""

import sys

import server
from streams import fast

fast.pipe = lambda receive: None

if __name__ == "__main__":
    sys.exit(server.main())
