"""A Kalshi that runs on your desk: the same API, signatures checked, orders really matched, faults on demand."""
