"""The browser page and its small client modules."""
