"""The files of a SQLite journal, by device and inode: SQLite itself goes on writing into files that were deleted."""

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from platform import node

FileId = tuple[int, int]


class FilesChanged(Exception):
    """The files under the journal's names are not those that the connections have open."""


@dataclass(frozen=True, slots=True)
class SqliteFiles:
    """Device and inode of the journal, its write-ahead log and its shared memory; None for one that does not exist."""

    main: FileId | None
    wal: FileId | None
    shm: FileId | None

    @classmethod
    def at(cls, path: Path) -> "SqliteFiles":
        """Return the files that are under the journal's names now."""
        return cls(*(_file_id(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")))

    @property
    def identity(self) -> str:
        """Identify this physical journal: 16 hex digits, the same for every process of this host, never stored."""
        return blake2b(repr((_host(), self.main)).encode(), digest_size=8).hexdigest()


def _file_id(path: str) -> FileId | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _host() -> str:
    # The kernel's, so that containers that share a volume agree; it changes when the host is restarted.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return node()
