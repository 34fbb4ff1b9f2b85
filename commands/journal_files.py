"""Files of the journal commands: exports and backups that replace a good file only when they are complete."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from journal import archive, verify
from journal.base import Journal
from journal.errors import JournalDamaged, JournalError, JournalMisnamed
from journal.sqlite import SqliteJournal


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file (0600) beside path; on success it is on disk under path, else it is removed.

    Raises JournalMisnamed for a folder, a device or a pipe, which the file would replace. A link stays a link.
    """
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise JournalMisnamed(f"{path}: expected the name of a file in a folder that exists")
    path = path.resolve()
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        yield temporary
        os.fsync(number)
        temporary.rename(path)
        _sync_folder(path.parent)
    finally:
        os.close(number)
        for left in (temporary, Path(f"{temporary}-wal"), Path(f"{temporary}-shm")):
            left.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def text_writer(file: str) -> Iterator[TextIO]:
    """Yield standard output for "-", else a file that appears when everything is written."""
    if file == "-":
        with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="") as out:
            yield out
        return
    if _is_database(Path(file)):
        raise JournalMisnamed(f"{file} is a database, which the export would replace; name another file")
    with new_file(Path(file)) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        yield out
        out.flush()


def _is_database(path: Path) -> bool:
    """Return True for a file of SQLite: a journal or a backup of one."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def text_reader(file: str) -> TextIO:
    """Open standard input for "-", else the file; a mark that an editor put before the first line is skipped."""
    source = os.dup(sys.stdin.fileno()) if file == "-" else Path(file)
    return open(source, encoding="utf-8-sig", newline="")


async def back_up(journal: Journal, file: Path) -> int:
    """Copy the journal to a file, also while it is written to; return the copy's head. A damaged copy is an error."""
    if _belongs_to(_sqlite(journal), file):
        raise JournalMisnamed(f"{file} belongs to the journal itself; name another file")
    with new_file(file) as temporary:
        await _sqlite(journal).backup(temporary)
        async with _checked(temporary) as copy:
            return copy.seen.seq


async def restore(journal: Journal, file: Path) -> tuple[int, str, Path]:
    """Make a backup the content of the journal, also while servers use it; return its head, its new epoch and a file.

    The file has what the journal held before. The backup must be whole. The epoch is a new one, since readers may have
    had entries that are not in it.
    """
    live = _sqlite(journal)
    before = live.path.with_name(f"{live.path.name}.before-restore-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    if before.exists():
        raise JournalMisnamed(f"{before} exists; restore again in a second")
    with tempfile.TemporaryDirectory(dir=live.path.parent, prefix=".restore") as folder:
        temporary = Path(shutil.copyfile(file, Path(folder, "journal.db")))
        async with _checked(temporary) as copy:
            epoch, head = await archive.renew_epoch(copy), copy.seen.seq
        with new_file(before) as kept:
            try:
                await live.backup(kept)
            except JournalError:  # damaged: as it is
                shutil.copyfile(live.path, kept)
        await live.replace_with(temporary)
    return head, epoch, before


@asynccontextmanager
async def _checked(path: Path) -> AsyncIterator[SqliteJournal]:
    """Yield the journal in a file that no other process uses. Raises JournalDamaged unless it is complete."""
    journal = SqliteJournal(path, create=False, limit=60)
    try:
        await journal.open()
        async for problem in verify.problems(journal):
            raise JournalDamaged(f"{problem}; nothing was replaced. `journal verify` names everything that is wrong")
        yield journal
    finally:
        await journal.close()


def _belongs_to(journal: SqliteJournal, file: Path) -> bool:
    own = [Path(f"{journal.path}{suffix}") for suffix in ("", "-wal", "-shm")]
    return file.exists() and any(each.exists() and each.samefile(file) for each in own)


def _sqlite(journal: Journal) -> SqliteJournal:
    if not isinstance(journal, SqliteJournal):
        raise JournalMisnamed("needs a SQLite journal; use mariadb-dump --single-transaction, or export")
    return journal
