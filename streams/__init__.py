"""Server-sent events: every journal entry and bot status goes to each open stream, once and in order."""
