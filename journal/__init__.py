"""Every entry, once, in order."""
