"""The bot's page and its settings say the same."""

import re
from dataclasses import fields
from pathlib import Path

from bot.settings import BotSettings, table

PAGE = Path(__file__).parents[2] / "docs" / "bot.md"


def test_the_table_is_that_of_the_settings() -> None:
    """Every variable with its flag, default and meaning, word for word."""
    assert table() in PAGE.read_text("utf-8")


def test_every_setting_has_a_variable_of_its_own() -> None:
    """No two fields read the same one."""
    names = [str(item.metadata["env"]) for item in fields(BotSettings)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z_]+", name) for name in names)
