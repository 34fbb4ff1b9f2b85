"""Settings become the addresses of other programs, and the number of streams that fit."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.reader import read
from config.settings import ServerSettings
from runtime.bootstrap import redis_address, spring_redis_address, streams_within
from tests.support.server import ROOT

CACHE = {"REDIS_HOST": "cache", "REDIS_DB": "2", "REDIS_USERNAME": "python", "REDIS_PASSWORD": "a-password"}


@pytest.mark.parametrize(
    ("values", "cache", "sessions"),
    [
        ({}, None, None),
        (CACHE, "cache:6379/2", "cache:6379/2"),
        (CACHE | {"SPRING_REDIS_HOST": "sessions"}, "cache:6379/2", "sessions:6379/0"),
        ({"SPRING_REDIS_HOST": "sessions", "SPRING_REDIS_PORT": "6380"}, None, "sessions:6380/0"),
    ],
    ids=["none", "shared", "two", "sessions alone"],
)
def test_sessions_may_have_a_redis_of_their_own(
    values: dict[str, str], cache: str | None, sessions: str | None, tmp_path: Path
) -> None:
    """Spring's sessions are in the shared Redis unless SPRING_REDIS_HOST names another, with the same credentials."""
    settings = read(ServerSettings, values, tmp_path)
    addresses = redis_address(settings), spring_redis_address(settings)
    assert [address and str(address) for address in addresses] == [cache, sessions]
    if cache and sessions:
        assert addresses[0] is not None
        assert addresses[1] is not None
        assert addresses[0].password == addresses[1].password == "a-password"


RAISED = """
import resource
from runtime.bootstrap import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 3000))
print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    """1 500 readers fit where the shell gave 100 descriptors and allows 3 000."""
    ended = subprocess.run([sys.executable, "-c", RAISED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["3000", "3000", "3000"]


@pytest.mark.parametrize(("limit", "fit"), [(100_000, 5000), (1024, 824), (100, 1)])
def test_streams_stay_below_the_limit(limit: int, fit: int) -> None:
    """Descriptors are left for the journal and for REST."""
    assert streams_within(limit, 5000) == fit
