"""aiohttp-sse-client2: it reconnects by itself; the caller opens the stream again when it gives up."""

import asyncio
import json
import sys

import aiohttp
from aiohttp_sse_client2.client import EventSource


async def main(url: str) -> None:
    """Print every event, for ever."""
    last_id = ""
    while True:
        try:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            async with EventSource(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as source:
                async for event in source:
                    last_id = event.last_event_id or last_id
                    line = {"event": event.type, "id": event.last_event_id, "data": event.data}
                    print(json.dumps(line), flush=True)
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            print(repr(error), file=sys.stderr)
        await asyncio.sleep(1)


asyncio.run(main(sys.argv[1]))
