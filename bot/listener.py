"""Hear of fills by push, within milliseconds; whatever the push misses the looks of the engine find."""

import logging
from contextlib import aclosing
from urllib.parse import urlsplit, urlunsplit

from bot.live import LiveVenue
from kalshi.models import Fill
from kalshi.push import FillPush

log = logging.getLogger(__name__)

# the recommended hosts keep their sockets elsewhere, all others on the same host (Kalshi docs: api_environments)
_SOCKETS = {
    "external-api.kalshi.com": "external-api-ws.kalshi.com",
    "external-api.demo.kalshi.co": "external-api-ws.demo.kalshi.co",
}


def socket_url(api_url: str) -> str:
    """The WebSocket address that belongs to a REST base URL."""
    parts = urlsplit(api_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    path = parts.path.rstrip("/").removesuffix("/v2") + "/ws/v2"
    return urlunsplit((scheme, _SOCKETS.get(parts.netloc, parts.netloc), path, "", ""))


async def listen(push: FillPush, venue: LiveVenue) -> None:
    """Until cancelled. A fault here costs speed, not trades, so it ends the listening and nothing else."""
    try:
        async with aclosing(push.events()) as events:
            async for event in events:
                if isinstance(event, Fill):
                    await venue.pushed(event)
    except Exception:  # whatever it was, the engine reads every fill as well
        log.exception("fills are no longer heard by push; they are read every turn")
