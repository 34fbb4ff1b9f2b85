"""The control port: faults on demand, actions on the account and the markets, and the true ledger."""
