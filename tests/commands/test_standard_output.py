"""Commands whose output is full, closed or not read to its end, and commands that are interrupted."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import commands
from tests.support.server import ROOT, clean_environment

CHECK, EXPORT = ["check"], ["journal", "export", "-"]


def shell(words: list[str], redirection: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of the service in a shell that redirects its output; a journal is there."""
    settings = {"JOURNAL_URL": f"sqlite:///{folder}/journal.db", "KALSHI_API_URL": "http://127.0.0.1:9/trade-api/v2"}
    program = f"{sys.executable} {ROOT / 'server.py'}"
    empty = '{"record":"journal","epoch":"abcd2345","head":0,"marks":{}}'
    line = f"echo '{empty}' | {program} journal import - 2>&1 && exec {program} {' '.join(words)} {redirection}"
    environment = {**clean_environment(), **settings}
    return subprocess.run(["sh", "-c", line], env=environment, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [CHECK, EXPORT], ids=["check", "export"])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"], ids=["full", "closed"])
def test_output_that_cannot_be_written_is_an_error(words: list[str], redirection: str, tmp_path: Path) -> None:
    """A command that cannot write its output prints one line and ends with status 1."""
    done = shell(words, redirection, tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{words[0]}")


def test_a_reader_that_has_enough_ends_a_command_quietly(tmp_path: Path) -> None:
    """A command piped into head -1 ends without a word when head has its line."""
    done = shell(CHECK, "| head -1", tmp_path)
    assert done.stdout.splitlines()[-1].startswith("HOST")
    assert done.stderr == ""


def test_an_interrupted_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 130, as a shell has it."""

    class Interrupted:
        @staticmethod
        def main(arguments: list[str]) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(commands, "import_module", lambda name: Interrupted)
    assert commands.run("check", []) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "check: interrupted\n"
