"""Documents against the code and a running server: URLs, events, commands, and what the README points to."""

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
API = (ROOT / "docs" / "api.md").read_text()


def table(text: str, header: str) -> list[list[str]]:
    """Return the cells of the table that begins with this header."""
    rows = text.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


URLS = [row[0].strip("`").removeprefix("GET ") for row in table(API, "URL | what")]


def test_the_url_table_is_the_api() -> None:
    """docs/api.md names every URL that is served, and no other."""
    assert sorted(URLS) == sorted(PATHS)


@pytest.mark.parametrize("url", URLS)
def test_every_url_of_the_table_answers(server: Server, traded: str, url: str) -> None:
    """Each URL of the table is served."""
    answer = server.get(url.replace("{ticker}", traded), "HEAD")
    assert answer.status_code == 200


def test_the_event_table_matches_the_streams() -> None:
    """Each event of docs/api.md stands in the OpenAPI description of the streams that its row names, and no other."""
    listed = {row[0].strip("`"): row[1] for row in table(API, "event | on | data")}
    for stream in ("trading", "trades", "portfolio", "status"):
        described = set(re.findall(r"`([a-z_]+)`", PATHS[f"/sse/{stream}"]["get"]["description"])) - {"id"}
        assert described == {event for event, on in listed.items() if stream in on or on == "all"}


def test_the_command_table_is_the_code() -> None:
    """Each command of server.py stands in the README."""
    listed = " ".join(row[0] for row in table(README, "command | what"))
    assert all(f"server.py {name}" in listed for name in COMMANDS)


def test_the_readme_is_short() -> None:
    """At most 150 lines: the rest stands in docs/."""
    assert README.count("\n") <= 150


def test_the_links_of_the_readme_exist() -> None:
    """Files and folders that it names exist."""
    for name in re.findall(r"`((?:docs|web|scripts|routes|streams)/[\w./-]*)`", README) + re.findall(
        r"\]\((docs/[^)]+)\)", README
    ):
        assert (ROOT / name).exists(), name
