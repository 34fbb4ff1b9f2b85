"""httpx-sse: it parses; the caller reconnects with the last id."""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse

url, last_id, retry = sys.argv[1], "", 3.0
with httpx.Client(timeout=60) as client:
    while True:
        try:
            with connect_sse(client, "GET", url, headers={"Last-Event-ID": last_id}) as source:
                for event in source.iter_sse():
                    last_id = event.id or last_id
                    retry = event.retry / 1000 if event.retry else retry
                    print(json.dumps({"event": event.event, "id": event.id, "data": event.data}), flush=True)
        except httpx.HTTPError as error:
            print(repr(error), file=sys.stderr)
        time.sleep(retry)
