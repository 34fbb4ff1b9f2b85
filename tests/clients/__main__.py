"""Drive every installed client and print its version, what it received, and the raw stream: python -m tests.clients."""

import asyncio
import sys

from tests.clients.catalogue import clients
from tests.clients.scenario import run


def main(names: list[str]) -> None:
    """Drive the named clients, or all."""
    chosen = [client for client in clients() if not names or client.name in names]
    present = [client for client in chosen if not client.missing()]
    for client in chosen:
        print(client.missing() or f"{client.name}: {client.versions()}", flush=True)
    outcome = asyncio.run(run(present))
    print(f"\n{outcome.transcript[:20_000].decode(errors='replace')}\n")
    for name, received in outcome.received.items():
        ids = outcome.before_reset.get(name, [])
        verdict = "whole" if ids == outcome.before else f"{len(ids)} of {len(outcome.before)}: {ids}"
        resets = [one["reason"] for one in received.named("reset")]
        print(f"{name}: {verdict}; reset {resets}; after it {set(outcome.after) <= set(received.ids)}")
        if verdict != "whole":
            print(received.log)


if __name__ == "__main__":
    main(sys.argv[1:])
