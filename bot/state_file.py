"""The state file that a restart needs, and the file of halts beside it, which outlives it; written atomically."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.errors import AnotherBotRunning, InvalidStateFile
from cache.decimal_json import dumps, loads

_FORM = 1  # changes when an older bot could not read the file


class StateFile:
    """One JSON object in one file. Holds no secret."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = ""  # contents of the file, so that nothing is written twice

    def __repr__(self) -> str:
        return f"StateFile({str(self.path)!r})"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the file for this process while the block runs. Raises AnotherBotRunning and InvalidStateFile."""
        beside = self.path.with_name(f"{self.path.name}.lock")  # the file itself is replaced at every write
        try:
            file = beside.open("a")
        except OSError as error:
            raise InvalidStateFile(
                f"{beside}: cannot be written ({error.strerror}); make its folder writable"
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AnotherBotRunning(
                    f"{self.path}: another bot uses it; end that one, or name another file"
                ) from None
            yield

    def load(self, owner: str) -> dict[str, Any] | None:
        """Return the stored values; None at a first start. owner: account and mode that the file must belong to.

        Raises InvalidStateFile: without the stored losses the loss limits would not hold.
        """
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidStateFile(f"{self.path}: cannot be read ({error.strerror}); make it readable") from error
        try:
            stored = loads(text)
            form, theirs = stored["form"], stored["owner"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidStateFile(
                f"{self.path}: not a state file of the bot; move it away to start with the account's positions"
            ) from error
        if form != _FORM or theirs != owner:
            raise InvalidStateFile(
                f"{self.path}: belongs to {theirs!s:.60} (form {form!s:.20}), not to {owner}; use another file"
            )
        return dict(stored)

    def save(self, owner: str, values: Mapping[str, Any], durable: bool = False) -> None:
        """Replace the file. durable: also flush it to the disk. Raises InvalidStateFile if it cannot be written."""
        text = dumps({"form": _FORM, "owner": owner, **values})
        if text == self._last and not durable:
            return
        try:
            self._replace(text, durable)
        except OSError as error:
            raise InvalidStateFile(f"{self.path}: cannot be written ({error.strerror}); free the disk") from error
        self._last = text

    def remove(self) -> None:
        """Delete the file if it exists. Raises InvalidStateFile."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise InvalidStateFile(f"{self.path}: cannot be deleted ({error.strerror}); delete it") from error
        self._last = ""

    def _replace(self, text: str, durable: bool) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise


class BotStorage:
    """Everything that a bot stores: its state, and its halts in a file of their own named after account and prefix.

    A halt stays in force when the state file is deleted or another one is named.
    """

    def __init__(self, state_file: Path, owner: str, prefix: str) -> None:
        state_file = state_file.resolve()  # a link stays a link to the one file, which has one lock
        self.state = StateFile(state_file)
        self.halts = StateFile(state_file.parent / f"bot-halts-{owner}-{prefix.strip('-')}.json")
        self._owner = owner

    def load(self) -> tuple[dict[str, Any] | None, list[Mapping[str, Any]]]:
        """Return the stored state, None at a first start, and the stored halts. Raises InvalidStateFile."""
        stored = self.halts.load(self._owner)
        halts = [] if stored is None else stored.get("halts")
        if not isinstance(halts, list):
            raise InvalidStateFile(f"{self.halts.path}: is damaged; find out why the bot was halted, then delete it")
        return self.state.load(self._owner), halts

    def save(self, values: Mapping[str, Any], halts: list[dict[str, Any]], durable: bool = False) -> None:
        """Store halts first, then the state. Raises InvalidStateFile."""
        if halts:
            self.halts.save(self._owner, {"halts": halts}, durable)
        self.state.save(self._owner, values, durable)
        if not halts:
            self.halts.remove()
