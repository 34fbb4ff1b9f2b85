"""Lots, cash flows and profit from journal entries: pure, exact, without I/O."""
