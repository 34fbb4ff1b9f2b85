"""Whom the watch asks: the bot, and with keys the exchange; one session for all of them."""

from dataclasses import dataclass

import aiohttp

from streams.account import Push
from streams.bot import Polling
from streams.sweep import Exchange


@dataclass(frozen=True, slots=True)
class Neighbours:
    """exchange and push: None without keys."""

    session: aiohttp.ClientSession
    bot: Polling
    exchange: Exchange | None = None
    push: Push | None = None
