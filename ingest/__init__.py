"""Learning what happened: bot client, poller, exchange fills, fill socket, attribution and gaps."""
