"""The exchange: its words and its API."""
