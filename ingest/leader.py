"""The leader's work: poll the bot, fill gaps from the exchange, and listen to the exchange's fill socket."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from cluster.component_health import ComponentHealth, run_forever
from cluster.leader import JournalWriter
from ingest.backfill import Backfiller
from ingest.bot_client import BotClient, PollSettings
from ingest.bot_status import BotSnapshot, BotStatus
from ingest.exchange_fills import Attribution
from ingest.fill_listener import FillListener
from ingest.gaps import GAPS_MARK, WINDOW_MARK, OpenGaps, PollOverlap
from ingest.poller import Poller
from ingest.trade_intake import TradeIntake
from journal.entries import Mode
from kalshi.client import KalshiClient
from kalshi.fill_socket import FillSocket


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Bot and exchange over one session. exchange and fill_source are None without keys.

    exchange_mode: mode of the exchange's own environment, for fills while the bot has not named its mode.
    """

    session: aiohttp.ClientSession
    bot: PollSettings
    exchange: KalshiClient | None = None
    fill_source: FillSocket | None = None
    exchange_mode: Mode = "live"


class LeaderTerm:
    """One term of leadership. It begins where the journal's marks say that the last one ended.

    last: the snapshot of the leader before. on_poll: called at the start and after each poll. on_account_trade: called
    with the Unix seconds of each pushed fill; the journal may not have it yet.
    """

    def __init__(
        self, upstreams: Upstreams, writer: JournalWriter, components: Mapping[str, ComponentHealth],
        marks: Mapping[str, str], last: BotSnapshot, on_poll: Callable[["LeaderTerm"], None],
        on_account_trade: Callable[[float], None] = lambda at: None,
    ) -> None:  # fmt: skip
        settings, poller, push = upstreams.bot, components["poller"], components["push"]
        self._on_poll_end = on_poll
        self._poll_limit = 2 * settings.timeout + 1
        window = PollOverlap(marks.get(WINDOW_MARK, ""), last.polled)
        self.bot = BotStatus(since=poller.clock())
        self.bot.seen = window.run.at is not None
        self.bot.resume(last.status)
        self.gaps = OpenGaps(marks.get(GAPS_MARK, ""))
        self._gaps_before = len(self.gaps)
        attribution = Attribution(self.bot, self.gaps, settings.interval)
        self.intake = TradeIntake(window, attribution, writer, poller.clock)
        client = BotClient(upstreams.session, settings, poller.clock)
        self.poller = Poller(client, self.intake, self._on_poll, poller, settings.interval)
        self.backfiller = Backfiller(
            upstreams.exchange, attribution, writer, self.poll_bot, settings, components["healer"], marks,
            upstreams.exchange_mode,
        )  # fmt: skip
        self._works = [
            (self.poller.run, poller), (self.poller.long_poll, poller), (self.backfiller.run, components["healer"]),
        ]  # fmt: skip
        if upstreams.fill_source is not None:
            listener = FillListener(
                upstreams.fill_source, attribution, self.poller, writer, self.backfiller.wake, on_account_trade, push,
                upstreams.exchange_mode,
            )  # fmt: skip
            self._works.append((listener.run, push))
        else:
            push.set_idle("no exchange keys are set to listen with")

    async def run(self) -> None:
        """Work until cancelled. Raises an exception group with LeaseLost: another worker is the leader."""
        self._on_poll_end(self)
        async with asyncio.TaskGroup() as group:
            for work, health in self._works:
                group.create_task(run_forever(work, health))

    async def poll_bot(self) -> None:
        """Poll the bot now and wait until that is over, within a limit; then the bot's status names the reason."""
        over = self.poller.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_limit):
                await over.wait()

    def _on_poll(self, changed: bool) -> None:
        """Wake the backfill at once after a change of the bot or a new gap."""
        if changed or len(self.gaps) > self._gaps_before:
            self.backfiller.wake()
        self._gaps_before = len(self.gaps)
        self._on_poll_end(self)
