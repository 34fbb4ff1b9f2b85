"""Who made an execution that the exchange tells of: the bot, or the account beside it. Decided here, nowhere else.

The bot made it when anything says so: its prefix on the order's client id, an order id that it reported before, or,
for a bot that was seen at all, a moment in which it could not be asked (an outage, a hole) and so could not report.
The account made it when its order bears a name that is not the bot's; else only when the bot was asked, is complete
over that moment, and did not report it. Until then the answer is to wait: the bot's own report, which comes within two
polls, is the better evidence. What the bot reported meanwhile the journal knows already, so a wrong guess here can
never double an execution.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ingest.bot_status import BotStatus
from ingest.open_gaps import OpenGaps
from journal.entries import Origin, Trade

REMEMBERED: Final = 4096  # order ids, far more than a bot fills within the time that a report can be late


@dataclass(frozen=True, slots=True)
class Wait:
    """Not decided yet: ask again after this many seconds."""

    seconds: float


class Attribution:
    """The evidence, gathered from the bot's reports, and the judgement.

    bot: how it was when it was last asked; holes: when it could not be.
    """

    def __init__(self, bot: BotStatus, holes: OpenGaps, interval: float) -> None:
        self.bot = bot
        self.holes = holes
        self._patience = 2 * interval  # seconds in which the bot has the word
        self._orders: dict[str, None] = {}  # order ids that the bot reported, oldest first
        self.prefix: str | None = None  # what the bot puts before its client order ids
        self.complete_to = 0.0  # the bot has told all that it did before this (Unix seconds)

    def claim(self, trades: Iterable[Trade]) -> None:
        """Remember the orders of trades that the bot reported."""
        for trade in trades:
            if trade.order_id is not None:
                self._orders.pop(trade.order_id, None)
                self._orders[trade.order_id] = None
        for old in list(self._orders)[: max(0, len(self._orders) - REMEMBERED)]:
            del self._orders[old]

    def judge(self, moment: Decimal, order_id: str, client_order_id: str | None, now: float) -> Origin | Wait:
        """bot, account, or how long to wait for better evidence on an execution of this moment (Unix seconds)."""
        if order_id in self._orders or (self.prefix and (client_order_id or "").startswith(self.prefix)):
            return "bot"
        if not self.bot.seen or (self.prefix and client_order_id):
            return "account"  # nobody else is there, or the order bears another's name
        if self.holes.covers(moment):
            return "bot"
        happened = float(moment)
        if self.bot.status == "offline":
            return "bot" if happened > self.complete_to - self._patience else "account"
        if self.complete_to < happened + self._patience:  # it has not been asked since its time was over
            left = happened + self._patience - now
            return Wait(max(0.1, min(left, self._patience)) if left > 0 else self._patience / 2)
        return "account"
