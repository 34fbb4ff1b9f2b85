"""The alarms: they parse, use only existing metrics, and each is explained to its receiver."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.deploy.conftest import make_service
from tests.support.apache import wanted
from tests.support.fakebot import FakeBot

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
NAME = re.compile(r"\bpi_[a-z_]+")


def rules() -> Iterator[dict[str, Any]]:
    """Each alarm of the file."""
    yaml = pytest.importorskip("yaml", reason="pip install pyyaml")
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        yield from group["rules"]


@pytest_asyncio.fixture
async def exposition(tmp_path: Path) -> str:
    """Return /metrics of a real server."""
    pytest.importorskip("prometheus_client", reason="pip install 'prediction-investor[metrics]'")
    async with (
        FakeBot().serving() as bot,
        make_service(bot, tmp_path) as service,
        aiohttp.ClientSession() as session,
        session.get(f"http://{service.address}/api/python/metrics") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


async def test_every_metric_exists(exposition: str) -> None:
    """A rule over a metric that does not exist would never fire."""
    series = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", exposition, re.M):
        series |= {name + "_bucket", name + "_sum", name + "_count"} if kind == "histogram" else {name}
    used = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    assert len(used) > 10
    assert used <= series


async def test_every_label_exists(exposition: str) -> None:
    """Each label that a rule selects by stands on the metric, where it has a sample."""
    for rule in rules():
        for name, label in re.findall(r"(pi_[a-z_]+)\{(\w+)=", rule["expr"]):
            samples = re.findall(rf"^{name}\{{(.*)\}}", exposition, re.M)
            assert all(f'{label}="' in sample for sample in samples), (name, label)


def test_each_alarm_is_explained() -> None:
    """docs/operating.md has a section for each alarm and for none that does not exist."""
    text = (ROOT / "docs" / "operating.md").read_text()
    alarms = text[text.index("## Alarms") :]
    assert re.findall(r"^### (\w+)$", alarms, re.M) == [rule["alert"] for rule in rules()]


@pytest.mark.parametrize("command", ["check rules alerts.yml", "check config prometheus.yml"])
def test_promtool(command: str) -> None:
    """Prometheus's own tool accepts the files."""
    promtool = wanted("promtool", "prometheus")
    result = subprocess.run([promtool, *command.split()], cwd=FOLDER, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
