"""Backtests: the real engine on the simulated exchange with a virtual clock, deterministic by seed."""
