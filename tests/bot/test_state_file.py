"""Tests of the state file: whole or refused, of one account, and outlived by its halts."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bot.errors import AnotherBotRunning, InvalidStateFile
from bot.state_file import BotStorage, StateFile
from cache.decimal_json import dumps, loads
from tests.support.trading import D, execution, quote, trading_state


def test_stored_state_is_read_back_unchanged(tmp_path: Path) -> None:
    """Halts, baselines, books and the account's fills, through the file."""
    file = StateFile(tmp_path / "state.json")
    assert file.load("demo-a") is None
    state = trading_state(exchange=True)
    state.account.mark("f", D("1700000000.5"))
    state.execution(execution("BUY", "3", "0.4", "0.02"))
    state.halts.observe(D(0), 1_700_000_000, 0.0)
    state.halts.observe(D(-31), 1_700_000_000, 0.0)
    file.save("demo-a", state.dump(), durable=True)
    again = trading_state(exchange=True, boot_id="next")
    again.load(StateFile(tmp_path / "state.json").load("demo-a") or {})
    assert again.halts.halts == state.halts.halts
    assert again.positions.position("KXA") == 3
    assert again.account.is_counted("f", D("1700000000.5"))
    assert again.boot_ids == ["boot"]
    assert again.dump() == state.dump() | {"lives": ["boot", "next"]}


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b'{"form": 1}', b'{"form": 9, "owner": "demo-a"}', b"\x80\x81", b"[" * 100_000],
    ids=["nothing", "half", "a list", "empty", "no owner", "another form", "no text", "deep"],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: bytes) -> None:
    """The error names the file."""
    path = tmp_path / "state.json"
    path.write_bytes(text)
    with pytest.raises(InvalidStateFile, match=r"state\.json"):
        StateFile(path).load("demo-a")


def test_the_file_of_another_account_is_refused(tmp_path: Path) -> None:
    """Paper does not read a live file, nor one account another's."""
    file = StateFile(tmp_path / "state.json")
    file.save("paper", {})
    with pytest.raises(InvalidStateFile, match="belongs to paper"):
        file.load("live-b")


def test_a_file_with_a_damaged_part_is_refused() -> None:
    """Values that are missing, not finite or out of bounds are errors."""
    state = trading_state()
    with pytest.raises(InvalidStateFile):
        state.load({"positions": {"trades": "x", "past": ["0", "0"], "positions": {}}, "risk": {}, "marks": {}})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    for name in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[name], (*path, name))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at one place."""
    if not path:
        return deepcopy(new)
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def test_one_wrong_value_anywhere_is_refused_or_does_no_harm() -> None:
    """Whatever stands in one place: InvalidStateFile, or a state that can be valued, limited and stored again."""
    state = trading_state(exchange=True)
    state.account.mark("f", D("1700000000.5"))
    state.account.trade("KXA", "BUY", D(3))
    state.account.settle("KXB", D("1700000000.5"))
    state.execution(execution("BUY", "3", "0.4", "0.02"))
    state.mark({"KXA": quote()})
    state.halts.halt("person", "test", 1_700_000_000.0)
    state.order_groups["0"] = "group"
    stored = loads(dumps(state.dump()))
    numbers: list[Any] = ["NaN", "-1", "1e400", -1, 10**30, "0.5", 1.5]
    wrong = [None, True, [], {}, "", "x", [[]], [None], {"a": None}, *numbers]
    refused = 0
    for path, value in product(places(stored), wrong):
        again = trading_state(exchange=True)
        try:
            again.load(replaced(stored, path, value))
        except InvalidStateFile:
            refused += 1
            continue
        again.halts.observe(again.profit()["total"], 1_700_000_000.0, 0.0)
        assert again.risk.event_exposures([]).keys() == again.positions.by_ticker.keys()
        assert loads(dumps(again.dump()))
    assert refused > 500


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A new file is written beside the old one and renamed."""
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


def test_a_folder_in_the_file_s_place_is_named(tmp_path: Path) -> None:
    """Reading, writing and locking name the file, and leave nothing behind."""
    (tmp_path / "state.json").mkdir()
    file = StateFile(tmp_path / "state.json")
    with pytest.raises(InvalidStateFile, match="cannot be read"):
        file.load("paper")
    with pytest.raises(InvalidStateFile, match="cannot be written"):
        file.save("paper", {})
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with (
        pytest.raises(InvalidStateFile, match=r"missing/state\.json\.lock: cannot be written"),
        StateFile(tmp_path / "missing" / "state.json").locked(),
    ):
        pass


def test_two_bots_cannot_lock_one_file(tmp_path: Path) -> None:
    """The second one gets an error; after the first has ended it gets the lock."""
    one, two = StateFile(tmp_path / "state.json"), StateFile(tmp_path / "state.json")
    with one.locked(), pytest.raises(AnotherBotRunning, match="another bot uses it"), two.locked():
        pass
    with two.locked():
        pass


def test_a_link_to_the_state_file_stays_a_link(tmp_path: Path) -> None:
    """The file that it names is written and locked, so that two links do not let two bots onto one file."""
    (tmp_path / "volume").mkdir()
    for name in ("a.json", "b.json"):
        (tmp_path / name).symlink_to(tmp_path / "volume" / "state.json")
    first, second = (BotStorage(tmp_path / name, "demo-a", "pi-bot-") for name in ("a.json", "b.json"))
    first.save({"value": 1}, [])
    assert (tmp_path / "a.json").is_symlink()
    assert second.load()[0] == {"form": 1, "owner": "demo-a", "value": 1}
    with first.state.locked(), pytest.raises(AnotherBotRunning), second.state.locked():
        pass


def test_a_halt_outlives_its_state_file(tmp_path: Path) -> None:
    """With the state file deleted, or another one named, the halt is read from the file of halts."""
    state = trading_state()
    state.halts.halt("daily_loss", "lost it", 1_700_000_000.0)
    storage = BotStorage(tmp_path / "state.json", "paper", "pi-bot-")
    storage.save(state.dump(), state.halts.dump_halts(), durable=True)
    (tmp_path / "state.json").unlink()
    for name in ("state.json", "another.json"):
        stored, halts = BotStorage(tmp_path / name, "paper", "pi-bot-").load()
        assert stored is None
        assert [halt["name"] for halt in halts] == ["daily_loss"]
    assert BotStorage(tmp_path / "state.json", "paper", "other-").load() == (None, []), "another bot is not halted"


def test_cleared_halts_leave_no_file(tmp_path: Path) -> None:
    """The file of halts is deleted with the last halt, after the state was stored."""
    state = trading_state()
    state.halts.halt("person", "test", 1_700_000_000.0)
    storage = BotStorage(tmp_path / "state.json", "paper", "pi-bot-")
    storage.save(state.dump(), state.halts.dump_halts())
    state.halts.clear(D(0))
    storage.save(state.dump(), state.halts.dump_halts())
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_damaged_halts_are_refused(tmp_path: Path) -> None:
    """A bot must not trade because the reason for its halt cannot be read."""
    storage = BotStorage(tmp_path / "state.json", "paper", "pi-bot-")
    for text in ("", "{}", '{"form": 1, "owner": "paper"}', '{"form": 1, "owner": "paper", "halts": 7}'):
        storage.halts.path.write_text(text)
        with pytest.raises(InvalidStateFile, match="bot-halts-paper-pi-bot"):
            storage.load()
