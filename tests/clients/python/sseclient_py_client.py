"""sseclient-py over requests: it parses; the caller reconnects with the last id."""

import json
import sys
import time

import requests
import sseclient

url, last_id, retry = sys.argv[1], "", 3.0
while True:
    try:
        with requests.get(url, headers={"Last-Event-ID": last_id}, stream=True, timeout=60) as response:
            for event in sseclient.SSEClient(response).events():
                last_id = event.id or last_id
                retry = int(event.retry) / 1000 if event.retry else retry
                json.loads(event.data)
                print(json.dumps({"event": event.event, "id": event.id, "data": event.data}), flush=True)
    except requests.RequestException as error:
        print(repr(error), file=sys.stderr)
    time.sleep(retry)
