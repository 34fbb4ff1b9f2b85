"""The README is a contract: its tables of URLs, events and settings are held against the code and a running server."""

import json
import re
from pathlib import Path

import pytest

from commands import COMMANDS
from config import settings
from routes.openapi import document
from routes.table import TABLE
from tests.support.server import Server

PATHS = json.loads(document(TABLE, "1"))["paths"]
ROOT = Path(settings.__file__).parent.parent
README = (ROOT / "README.md").read_text()


def table(header: str) -> list[list[str]]:
    """The cells of the table that begins with this header."""
    rows = README.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


URLS = [row[0].strip("`").removeprefix("GET ") for row in table("URL | what")]


def test_the_url_table_is_the_api() -> None:
    """The README names every URL that is served, and no other."""
    assert sorted(URLS) == sorted(PATHS)


@pytest.mark.parametrize("url", URLS)
def test_every_url_of_the_table_answers(server: Server, traded: str, url: str) -> None:
    """What the README promises is there."""
    answer = server.get(url.replace("{ticker}", traded), "HEAD")
    assert answer.status_code == 200


def test_the_event_table_is_what_streams_say() -> None:
    """Each event of the README stands in the OpenAPI description of the streams that it says, and no other."""
    told = {row[0].strip("`"): row[1] for row in table("event | on | data")}
    for stream in ("trading", "trades", "portfolio", "status"):
        described = set(re.findall(r"`([a-z_]+)`", PATHS[f"/sse/{stream}"]["get"]["description"])) - {"id"}
        assert described == {event for event, on in told.items() if stream in on or on == "all"}


def test_the_command_table_is_the_code() -> None:
    """Each command of server.py stands in the README."""
    told = " ".join(row[0] for row in table("command | what"))
    assert all(f"server.py {name}" in told for name in COMMANDS)


def test_what_the_readme_points_to_is_there() -> None:
    """Files and folders that it names exist."""
    for name in re.findall(r"`((?:docs|web|scripts|routes|streams)/[\w./-]*)`", README) + re.findall(
        r"\]\((docs/[^)]+)\)", README
    ):
        assert (ROOT / name).exists(), name
