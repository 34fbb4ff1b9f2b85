"""requests-sse: it reconnects by itself while an iteration runs; the caller opens the stream again after an error."""

import json
import sys
import time

import requests
from requests_sse import EventSource, InvalidContentTypeError, InvalidStatusCodeError

url, last_id = sys.argv[1], ""
while True:
    try:
        with EventSource(url, headers={"Last-Event-ID": last_id} if last_id else {}, timeout=60) as source:
            for event in source:
                last_id = event.last_event_id or last_id
                line = {"event": event.type, "id": event.last_event_id, "data": event.data}
                print(json.dumps(line), flush=True)
    except (requests.RequestException, InvalidStatusCodeError, InvalidContentTypeError) as error:
        print(repr(error), file=sys.stderr)
    time.sleep(1)
