"""The small file that a restart remembers by: written whole or not at all, never guessed at, one bot's at a time."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.errors import AnotherBotRunning, InvalidStateFile
from cache.decimal_json import dumps, loads

_FORM = 1  # changes when an older bot could not read the file


class StateFile:
    """One JSON object in one file. Holds no secret."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = ""  # what the file holds, so that nothing is written twice

    def __repr__(self) -> str:
        return f"StateFile({str(self._path)!r})"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the file for this process while the block runs. Raises AnotherBotRunning and InvalidStateFile."""
        beside = self._path.with_name(f"{self._path.name}.lock")  # the file itself is replaced at every write
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
                    f"{self._path}: another bot uses it; end that one, or name another file"
                ) from None
            yield

    def load(self, owner: str) -> dict[str, Any] | None:
        """What was kept, None at a first start. owner names the account and mode that it must belong to.

        Raises InvalidStateFile: trading on with forgotten losses would be worse than not trading.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidStateFile(f"{self._path}: cannot be read ({error.strerror}); make it readable") from error
        try:
            kept = loads(text)
            form, theirs = kept["form"], kept["owner"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidStateFile(
                f"{self._path}: not a state file of the bot; move it away to start afresh"
            ) from error
        if form != _FORM or theirs != owner:
            raise InvalidStateFile(f"{self._path}: belongs to {theirs} (form {form}), not to {owner}; use another file")
        return dict(kept)

    def save(self, owner: str, values: Mapping[str, Any], durable: bool = False) -> None:
        """Replace the file at once. durable: also fsync it. Raises InvalidStateFile if it cannot be written."""
        text = dumps({"form": _FORM, "owner": owner, **values})
        if text == self._last and not durable:
            return
        try:
            self._replace(text, durable)
        except OSError as error:
            raise InvalidStateFile(f"{self._path}: cannot be written ({error.strerror}); free the disk") from error
        self._last = text

    def _replace(self, text: str, durable: bool) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise
