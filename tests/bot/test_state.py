"""The state file is whole or refused, belongs to one account, and remembers what losses are measured from."""

from pathlib import Path

import pytest

from bot.desk import Desk
from bot.errors import StateDamaged
from bot.state import StateFile
from tests.support.trading import D, execution, limits


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Halts, baselines, books and the account's fills, through the file."""
    file = StateFile(tmp_path / "state.json")
    assert file.load("demo-a") is None
    desk = Desk("boot", limits(), exchange=True)
    desk.account.mark("f", D("1700000000.5"))
    desk.execution(execution("BUY", "3", "0.4", "0.02"))
    desk.risk.observe(D(0), 1_700_000_000)
    desk.risk.observe(D(-31), 1_700_000_000)
    file.save("demo-a", desk.dump(), durable=True)
    again = Desk("next", limits(), exchange=True)
    again.load(StateFile(tmp_path / "state.json").load("demo-a") or {})
    assert again.risk.halts == desk.risk.halts
    assert again.books.position("KXA") == 3
    assert again.account.knows("f")
    assert again.lives == ["boot"]
    assert again.dump() == desk.dump() | {"lives": ["boot", "next"]}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"form": 1}', '{"form": 9, "owner": "demo-a"}'])
def test_what_is_not_whole_is_refused(tmp_path: Path, text: str) -> None:
    """A bot that forgot its losses would be worse than one that does not start."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateDamaged, match=r"state\.json"):
        StateFile(path).load("demo-a")


def test_another_accounts_file_is_refused(tmp_path: Path) -> None:
    """Paper never takes over what live left, nor one account another's."""
    file = StateFile(tmp_path / "state.json")
    file.save("paper", {})
    with pytest.raises(StateDamaged, match="belongs to paper"):
        file.load("live-b")


def test_damaged_parts_are_refused() -> None:
    """A file of ours whose parts are not what they should be."""
    desk = Desk("boot", limits(), exchange=False)
    with pytest.raises(StateDamaged):
        desk.load({"books": {"trades": "x", "past": ["0", "0"], "positions": {}}, "risk": {}, "marks": {}})


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """The replacement is written beside it first; when that fails, nothing has changed and nothing is left over."""
    path = tmp_path / "state.json"
    file = StateFile(path)
    file.save("paper", {"a": 1})
    before = path.read_text()
    with pytest.raises(TypeError):
        file.save("paper", {"a": object()})
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(StateDamaged, match="cannot be written"):
        StateFile(tmp_path / "missing" / "state.json").save("paper", {})
