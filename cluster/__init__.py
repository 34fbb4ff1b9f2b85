"""Several workers as one: leader election, relay, worker registry, journal tailer, component health."""
