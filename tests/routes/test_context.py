"""The parts of one process that requests use."""

import time
from dataclasses import MISSING, fields
from typing import Any

import pytest

from routes.context import Services


def test_a_step_of_the_clock_does_not_change_the_uptime(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back and a day ahead: the seconds since the start stay small and never go below zero."""
    parts: Any = {
        part.name: None for part in fields(Services) if part.default is MISSING and part.default_factory is MISSING
    }
    services = Services(**parts)
    now = time.time()
    for step in (-3600.0, 86400.0):
        monkeypatch.setattr(time, "time", lambda step=step: now + step)
        assert 0 <= services.uptime() < 60
