"""The state file is whole or refused, belongs to one account, and remembers what losses are measured from."""

from pathlib import Path

import pytest

from bot.errors import AnotherBotRunning, InvalidStateFile
from bot.state_file import StateFile
from bot.trading_state import TradingState
from tests.support.trading import D, execution, limits


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Halts, baselines, books and the account's fills, through the file."""
    file = StateFile(tmp_path / "state.json")
    assert file.load("demo-a") is None
    state = TradingState("boot", limits(), exchange=True)
    state.account.mark("f", D("1700000000.5"))
    state.execution(execution("BUY", "3", "0.4", "0.02"))
    state.risk.observe(D(0), 1_700_000_000)
    state.risk.observe(D(-31), 1_700_000_000)
    file.save("demo-a", state.dump(), durable=True)
    again = TradingState("next", limits(), exchange=True)
    again.load(StateFile(tmp_path / "state.json").load("demo-a") or {})
    assert again.risk.halts == state.risk.halts
    assert again.positions.position("KXA") == 3
    assert again.account.knows("f")
    assert again.boot_ids == ["boot"]
    assert again.dump() == state.dump() | {"lives": ["boot", "next"]}


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b'{"form": 1}', b'{"form": 9, "owner": "demo-a"}', b"\x80\x81", b"[" * 100_000],
    ids=["nothing", "half", "a list", "empty", "no owner", "another form", "no text", "deep"],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, text: bytes) -> None:
    """A bot that forgot its losses would be worse than one that does not start."""
    path = tmp_path / "state.json"
    path.write_bytes(text)
    with pytest.raises(InvalidStateFile, match=r"state\.json"):
        StateFile(path).load("demo-a")


def test_another_accounts_file_is_refused(tmp_path: Path) -> None:
    """Paper never takes over what live left, nor one account another's."""
    file = StateFile(tmp_path / "state.json")
    file.save("paper", {})
    with pytest.raises(InvalidStateFile, match="belongs to paper"):
        file.load("live-b")


def test_damaged_parts_are_refused() -> None:
    """A file of ours whose parts are not what they should be."""
    state = TradingState("boot", limits(), exchange=False)
    with pytest.raises(InvalidStateFile):
        state.load({"positions": {"trades": "x", "past": ["0", "0"], "positions": {}}, "risk": {}, "marks": {}})


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
    with pytest.raises(InvalidStateFile, match="cannot be written"):
        StateFile(tmp_path / "missing" / "state.json").save("paper", {})


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    """A folder in the way: each step says so, and what was written beside it is taken away again."""
    (tmp_path / "state.json").mkdir()
    file = StateFile(tmp_path / "state.json")
    with pytest.raises(InvalidStateFile, match="cannot be read"):
        file.load("paper")
    with pytest.raises(InvalidStateFile, match="cannot be written"):
        file.save("paper", {})
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with (
        pytest.raises(InvalidStateFile, match=r"missing/state\.json\.lock: cannot be written"),
        StateFile(tmp_path / "missing" / "state.json").held(),
    ):
        pass


def test_two_bots_cannot_hold_one_file(tmp_path: Path) -> None:
    """The second is told; once the first has let go it may."""
    one, two = StateFile(tmp_path / "state.json"), StateFile(tmp_path / "state.json")
    with one.held(), pytest.raises(AnotherBotRunning, match="another bot uses it"), two.held():
        pass
    with two.held():
        pass
