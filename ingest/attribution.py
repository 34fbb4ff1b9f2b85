"""Attribution of an exchange fill to the bot or to the account beside it.

The bot made a fill if its prefix stands on the order's client id, if it reported the order id, or if it was seen at all
and could not report at that moment (an outage, a gap). The account made it if the order bears another client id; else
only if the bot was polled, is complete over that moment, and did not report it. Until then the answer is Wait: the
bot's own report comes within two polls. The journal drops what the bot reported meanwhile, so a wrong guess can never
write an execution twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.bot_status import BotStatus
from ingest.gaps import OpenGaps
from journal.entries import Origin, Trade
from kalshi.account_models import Fill

MAX_ORDERS: Final = 4096  # order ids, far more than a bot fills within the time that a report can be late


@dataclass(frozen=True, slots=True)
class Wait:
    """No decision yet: decide again after this many seconds."""

    seconds: float


class Attribution:
    """Evidence from the bot's reports, and the decision.

    bot: its status at the last poll. gaps: when it could not report. interval: seconds between two polls.
    """

    def __init__(self, bot: BotStatus, gaps: OpenGaps, interval: float) -> None:
        self.bot = bot
        self.gaps = gaps
        self._patience = 2 * interval  # seconds within which the bot reports an execution
        self._orders: dict[str, None] = {}  # order ids that the bot reported, oldest first
        self.prefix: str | None = None  # of the bot's client order ids
        self.complete_to = 0.0  # Unix seconds before which the bot has reported everything

    def add_reported(self, trades: Iterable[Trade]) -> None:
        """Store the orders of trades that the bot reported."""
        for order_id in (trade.order_id for trade in trades if trade.order_id is not None):
            self._orders.pop(order_id, None)
            self._orders[order_id] = None
        for old in list(self._orders)[: max(0, len(self._orders) - MAX_ORDERS)]:
            del self._orders[old]

    def judge(self, fill: Fill, now: float) -> Origin | Wait:
        """Return bot, account, or how long to wait. now: Unix seconds."""
        if fill.order_id in self._orders or (self.prefix and (fill.client_order_id or "").startswith(self.prefix)):
            return "bot"
        if not self.bot.seen or (self.prefix and fill.client_order_id):
            return "account"
        if self.gaps.covers(fill.timestamp):
            return "bot"
        happened = float(fill.timestamp)
        if self.bot.status == "offline":
            return "bot" if happened > self.complete_to - self._patience else "account"
        if self.complete_to < happened + self._patience:  # not polled since the bot's time to report was over
            left = happened + self._patience - now
            return Wait(max(0.1, min(left, self._patience)) if left > 0 else self._patience / 2)
        return "account"
