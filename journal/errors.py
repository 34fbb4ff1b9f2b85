"""Errors of a journal. Each message names the failure, its place, and what to do."""


class JournalError(Exception):
    """A failure of the journal."""


class JournalUnavailable(JournalError):
    """The journal cannot be read or written now. Nothing was written; trying again later may work."""


class JournalMisnamed(JournalError, ValueError):
    """JOURNAL_URL names no journal that can be opened here. The message gives a valid form, and never a password."""


class JournalMissing(JournalMisnamed):
    """JOURNAL_URL names a journal that does not exist; only serving and importing make one."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: no journal there; JOURNAL_URL must name one that exists (serving and `journal import` create it)"
        )


class JournalDamaged(JournalError):
    """The journal is not whole, or is not a journal. The message names the place; a person must look."""


class JournalReverted(JournalError):
    """The journal does not hold what this process has read or written: it was replaced, or an older backup restored.

    Nothing was written. lost: entries that were read are gone; False if only the epoch differs.
    """

    def __init__(self, message: str, lost: bool) -> None:
        super().__init__(message)
        self.lost = lost


class ArchiveUnreadable(JournalError, ValueError):
    """A file to import is incomplete, changed or no export. The message names the line; nothing was imported."""


class LeaseLost(JournalError):
    """Another worker is the leader now. Nothing was written."""
