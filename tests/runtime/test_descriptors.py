"""The limit of file descriptors and the number of streams that fit."""

import subprocess
import sys

import pytest

from runtime.descriptors import streams_within
from tests.support.server import ROOT

RAISED = """
import resource
from runtime.descriptors import raise_descriptor_limit
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
