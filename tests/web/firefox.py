"""A headless Firefox for tests, driven by WebDriver BiDi over its own WebSocket: no other driver is needed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from commands.ports import free_port
from tests.support.eventually import until


class Firefox:
    """`with Firefox() as firefox`: open a page, run expressions in it. Each call is bounded by 30 s."""

    def __init__(self) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if program is None:
            missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            missing("firefox is missing: apt-get install firefox-esr")
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="firefox-")
        self.log = (Path(self.folder.name) / "log").open("wb")
        arguments = ["--headless", "--no-remote", "--profile", self.folder.name, f"--remote-debugging-port={self.port}"]
        environment = {**os.environ, "HOME": self.folder.name, "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
        self.process = subprocess.Popen([str(program), *arguments], stdout=self.log, stderr=self.log, env=environment)
        self.loop = asyncio.new_event_loop()
        self.number = 0
        self.context = ""

    def __enter__(self) -> Firefox:
        try:
            until(self._listens, 60, "Firefox listens")
            self.loop.run_until_complete(self._connect())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run_until_complete(self._disconnect())
        self._end()

    def open(self, url: str) -> None:
        """Load a page and wait for its load event."""
        self.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        """Return the value of an expression in the page, a text, number, boolean or null."""
        target = {"context": self.context}
        found = self.command("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert found["type"] == "success", found
        return found["result"].get("value")

    def command(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result."""
        return self.loop.run_until_complete(asyncio.wait_for(self._command(method, parameters), 30))

    def _listens(self) -> bool:
        assert self.process.poll() is None, "Firefox ended at its start"
        return b"WebDriver BiDi listening" in Path(self.log.name).read_bytes()

    async def _connect(self) -> None:
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(f"ws://127.0.0.1:{self.port}/session", max_msg_size=0)
        await self._command("session.new", {"capabilities": {}})
        tree = await self._command("browsingContext.getTree", {})
        self.context = tree["contexts"][0]["context"]

    async def _disconnect(self) -> None:
        await self.socket.close()
        await self.session.close()

    async def _command(self, method: str, parameters: dict[str, Any]) -> Any:
        self.number += 1
        await self.socket.send_str(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads((await self.socket.receive()).data)
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def _end(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        self.loop.close()
        self.folder.cleanup()
