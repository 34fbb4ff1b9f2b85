"""Places that orders go to: paper, and the exchange."""
