"""A TCP proxy between two of the fleet that can be cut, closed, slowed and stalled."""

import asyncio
import contextlib


class Proxy:
    """Listens on port, speaks to target. delay: seconds that each piece waits, either way."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        self.refusing = False  # accepts and hangs up, as a gateway without its service does
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._lines: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all and listen no more."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for line in list(self._lines):
            line.transport.abort()

    def stall(self) -> None:
        """Carry nothing, and close nothing: a cable that was pulled."""
        self._flowing.clear()

    def heal(self) -> None:
        """Carry again, at once and for all."""
        self.delay, self.refusing = 0.0, False
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        lines = {writer, back}
        self._lines |= lines
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        except OSError:
            pass  # one side is gone, so the other goes too
        finally:
            for line in lines:
                line.transport.abort()
            self._lines -= lines

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            await self._flowing.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            target.write(piece)
            await target.drain()
        with contextlib.suppress(OSError, RuntimeError):
            if target.can_write_eof():
                target.write_eof()
