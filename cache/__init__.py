"""Answers kept for a while: memory, Redis, circuit breaker, stale-if-error."""
