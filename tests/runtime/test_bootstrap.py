"""Settings become the addresses of other programs."""

from pathlib import Path

import pytest

from config.reader import read
from config.settings import ServerSettings
from runtime.bootstrap import redis_address, spring_redis_address

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
