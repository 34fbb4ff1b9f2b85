"""Whom the watch asks: the bot, and with keys the exchange; one session for all of them."""

from dataclasses import dataclass

import aiohttp

from ingest.bot_client import PollSettings
from ingest.fill_listener import FillSource
from ingest.fill_reader import ExchangeReads


@dataclass(frozen=True, slots=True)
class Upstreams:
    """exchange and push: None without keys."""

    session: aiohttp.ClientSession
    bot: PollSettings
    exchange: ExchangeReads | None = None
    push: FillSource | None = None
