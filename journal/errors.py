"""What can go wrong with a journal, drawn as a tree.

JournalError
├── JournalUnavailable   disk full, database away or hung: the caller keeps what it has and tries again
├── JournalMisnamed      JOURNAL_URL names none, or what it needs is not installed
├── JournalDamaged       seq has a hole, the schema is not ours, the file is no journal
└── LeaseLost            another holder polls now: whoever sees this stops writing
"""


class JournalError(Exception):
    """Something is wrong with the journal; the message says what, where, and what to do."""


class JournalUnavailable(JournalError):
    """It cannot be read or written now; nothing was kept; trying again later may work."""


class JournalMisnamed(JournalError, ValueError):
    """The URL names no journal that can be opened here; the message says what to write, and never a password."""


class JournalDamaged(JournalError):
    """What is there is not a whole journal; a person must look."""


class LeaseLost(JournalError):
    """The lease is another's; nothing was kept."""
