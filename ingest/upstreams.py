"""Bot and exchange as the ingest components need them."""

from dataclasses import dataclass

import aiohttp

from ingest.bot_client import PollSettings
from ingest.fill_listener import FillSource
from ingest.fill_reader import ExchangeReads
from journal.entries import Mode


@dataclass(frozen=True, slots=True)
class Upstreams:
    """One session for all. exchange and fill_source are None without keys.

    exchange_mode: mode of the exchange's own environment, for fills while the bot has not named its mode.
    """

    session: aiohttp.ClientSession
    bot: PollSettings
    exchange: ExchangeReads | None = None
    fill_source: FillSource | None = None
    exchange_mode: Mode = "live"
