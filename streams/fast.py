"""What lies behind public ASGI: used where the server is a uvicorn that we know, and only there.

Remove this file and its two callers in sse.py, and the streams do the same with public ASGI alone.
"""

from typing import Any

from streams.step import Receive


def is_uvicorn(receive: Receive) -> bool:
    """Whether the server's send() may be run by hand: uvicorn's waits for nothing but its own flow control."""
    return type(getattr(receive, "__self__", None)).__module__.startswith("uvicorn.protocols.http.")


def abort(receive: Receive) -> bool:
    """Cut the connection and drop what its transport holds; False when we cannot reach it.

    Closing would not do: it waits for the reader to take what is buffered, and this one takes nothing.
    """
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if not is_uvicorn(receive) or not callable(getattr(transport, "abort", None)):
        return False
    transport.abort()
    return True
