"""The trading bot, a process of its own."""
