"""A bare environment for every test of the settings."""

import dataclasses

import pytest

from config.bot import BotSettings
from config.reader import variable
from config.settings import ServerSettings
from config.simulator import SimulatorSettings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's own settings."""
    for kind in (ServerSettings, BotSettings, SimulatorSettings):
        for field in dataclasses.fields(kind):
            monkeypatch.delenv(variable(field), raising=False)
            monkeypatch.delenv(f"{variable(field)}_FILE", raising=False)
