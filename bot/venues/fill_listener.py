"""Hear of fills by push, within milliseconds; whatever the push misses the looks of the engine find."""

import logging
from contextlib import aclosing

from bot.venues.live import LiveVenue
from kalshi.account_models import Fill
from kalshi.fill_socket import FillSocket

log = logging.getLogger(__name__)


async def listen(push: FillSocket, venue: LiveVenue) -> None:
    """Until cancelled. A fault here costs speed, not trades, so it ends the listening and nothing else."""
    try:
        async with aclosing(push.events()) as events:
            async for event in events:
                if isinstance(event, Fill):
                    await venue.pushed(event)
    except Exception:  # whatever it was, the engine reads every fill as well
        log.exception("fills are no longer heard by push; they are read every turn")
