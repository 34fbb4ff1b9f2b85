"""Tests of the assembled bot: stored halts, unwritable files, unaffordable limits, a taken port."""

import socket
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.application import BotParts, assemble, check_affordable, serve, storage_of
from bot.errors import LimitsTooLarge, TradingError
from config.bot import BotSettings


def test_a_bot_that_cannot_store_its_state_halts(tmp_path: Path) -> None:
    """The halt names the file; nothing is raised into the loop."""
    folder = tmp_path / "state"
    folder.mkdir()
    client: Any = None
    settings = replace(BotSettings(), state_file=str(folder / "s.json"))
    parts = assemble(settings, client, storage_of(settings, client))
    assert parts.live is None
    folder.rmdir()
    parts.runner.halt("person", "asked for")
    halts = {halt["name"]: halt["why"] for halt in parts.controls.status()["halts"]}
    assert halts.keys() == {"person", "fault"}
    assert "cannot be written" in halts["fault"]


def bot_of(settings: BotSettings) -> BotParts:
    """The parts of a bot on paper."""
    client: Any = None
    return assemble(settings, client, storage_of(settings, client))


def test_halts_are_cleared_only_by_a_person(tmp_path: Path) -> None:
    """A restart keeps them, also without its state file; a start with --clear does not."""
    settings = replace(BotSettings(), state_file=str(tmp_path / "s.json"))
    bot_of(settings).runner.halt("drawdown", "lost it")
    assert bot_of(settings).controls.status()["halted"]
    (tmp_path / "s.json").unlink()
    status = bot_of(settings).controls.status()
    assert (status["halted"], status["activity"], status["reason"]) == (True, "halted", "drawdown")
    assert not bot_of(replace(settings, clear=True)).controls.status()["halted"]


@pytest.mark.parametrize(
    ("money", "words"),
    [
        pytest.param("150", [], id="just enough"),
        pytest.param("149.99", ["BOT_TOTAL_EXPOSURE: expected at most 149.99 dollars"], id="a cent too little"),
        pytest.param(
            "2",
            ["BOT_ORDER_SIZE: expected at most 2 contracts, got 5", "at most 2.00 dollars"],
            id="two dollars",
        ),
        pytest.param(
            "-3",
            ["the account has -3.00 dollars", "expected at most 0 contracts, got 5", "at most 0.00 dollars"],
            id="a debt",
        ),
    ],
)
def test_limits_beyond_the_account_s_money_are_refused_with_the_number_allowed(money: str, words: list[str]) -> None:
    """Five contracts an order and 150 dollars in all."""
    if not words:
        check_affordable(BotSettings(), Decimal(money))
        return
    with pytest.raises(LimitsTooLarge) as caught:
        check_affordable(BotSettings(), Decimal(money))
    assert all(word in str(caught.value) for word in words)


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error names the port and the flag."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        runner = web.AppRunner(web.Application())
        await runner.setup()
        with pytest.raises(TradingError, match=rf"127\.0\.0\.1:{port} cannot be opened .*; use another --port"):
            await serve(runner, replace(BotSettings(), port=port))
        await runner.cleanup()
