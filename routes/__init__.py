"""URLs in, JSON out; no decisions."""
