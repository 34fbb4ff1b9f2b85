"""The parts put together: a state file that cannot be written halts, and does not end the bot."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.__main__ import assemble, serve
from bot.errors import TradingError
from config.bot import BotSettings


def test_a_bot_that_cannot_remember_does_not_trade(tmp_path: Path) -> None:
    """The halt says which file and why; nothing is raised into the loop."""
    folder = tmp_path / "state"
    folder.mkdir()
    client: Any = None
    runner, controls, live = assemble(replace(BotSettings(), state_file=str(folder / "s.json")), client)
    assert live is None
    folder.rmdir()
    runner.halt("person", "asked for")
    halts = {halt["name"]: halt["why"] for halt in controls.status()["halts"]}
    assert halts.keys() == {"person", "fault"}
    assert "s.json: cannot be written" in halts["fault"]


def test_halts_are_forgotten_only_when_asked(tmp_path: Path) -> None:
    """A restart keeps them, a start with --clear does not."""
    settings = replace(BotSettings(), state_file=str(tmp_path / "s.json"))
    client: Any = None
    runner, _, _ = assemble(settings, client)
    runner.halt("drawdown", "lost it")
    _, again, _ = assemble(settings, client)
    assert again.status()["halted"]
    _, cleared, _ = assemble(replace(settings, clear=True), client)
    assert not cleared.status()["halted"]


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """Which one, and what to do; not a traceback."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        runner = web.AppRunner(web.Application())
        await runner.setup()
        with pytest.raises(TradingError, match=rf"127\.0\.0\.1:{port} cannot be opened .*; use another --port"):
            await serve(runner, replace(BotSettings(), port=port))
        await runner.cleanup()
