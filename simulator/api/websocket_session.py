"""Subscriptions of one socket: commands in, replies out; no network in here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulator.api.rows import JsonRow
from simulator.api.websocket_messages import MESSAGE_TYPES, SEQUENCED, snapshot_message, ticker_message
from simulator.market import SimulatedMarket

SendMessage = Callable[[JsonRow, str], None]
"""Called with a message and its channel, "" for a reply."""

ERRORS = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market ticker required",
    15: "Action required",
}


class CommandError(Exception):
    """A refused command; its code is one of ERRORS."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code])
        self.code = code


@dataclass(slots=True)
class ChannelSubscription:
    """tickers: None for all markets. seq: number of the last sequenced message."""

    sid: int
    channel: str
    tickers: set[str] | None
    yes_price: bool = False
    seq: int = 0

    def includes(self, ticker: str) -> bool:
        """Return True if data of this market is sent; some channels are not filtered by market."""
        return self.tickers is None or not ticker or ticker in self.tickers


class SocketSession:
    """Subscriptions of one connection."""

    def __init__(self, markets: dict[str, SimulatedMarket], send: SendMessage, clock: Callable[[], float]) -> None:
        self.markets = markets
        self.clock = clock
        self._send = send
        self.subscriptions: dict[int, ChannelSubscription] = {}
        self._last_sid = 0

    def command(self, message: object) -> None:
        """Execute one command and reply. message: a decoded JSON value, None if it did not decode."""
        members = message if isinstance(message, dict) else {}
        command_id = members.get("id")
        tag = {"id": command_id} if isinstance(command_id, int) and command_id else {}
        commands = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "update_subscription": self._update,
            "list_subscriptions": self._list,
        }
        try:
            cmd = members.get("cmd")
            if not isinstance(cmd, str) or cmd not in commands:
                raise CommandError(5 if members else 1)
            params = members.get("params")
            if cmd != "list_subscriptions" and not isinstance(params, dict):
                raise CommandError(2)
            commands[cmd](tag, params or {})
        except CommandError as error:
            self._send({"type": "error"} | tag | {"msg": {"code": error.code, "msg": str(error)}}, "")

    def deliver(self, channel: str, ticker: str, message: Callable[[ChannelSubscription], JsonRow]) -> None:
        """Send data to the subscriptions of the channel that include the market; ticker "" is in all of them."""
        for subscription in self.subscriptions.values():
            if subscription.channel == channel and subscription.includes(ticker):
                self._data(subscription, MESSAGE_TYPES[channel], message(subscription))

    def _data(self, subscription: ChannelSubscription, kind: str, message: JsonRow) -> None:
        envelope: JsonRow = {"type": kind, "sid": subscription.sid}
        if subscription.channel in SEQUENCED:
            subscription.seq += 1
            envelope["seq"] = subscription.seq
        self._send(envelope | {"msg": message}, subscription.channel)

    def _subscribe(self, tag: JsonRow, params: JsonRow) -> None:
        channels = params.get("channels")
        if not isinstance(channels, list) or not channels:
            raise CommandError(3)
        tickers, ids = _tickers(params), _tickers(params, "market_id")
        if any(not isinstance(channel, str) or channel not in MESSAGE_TYPES for channel in channels):
            raise CommandError(8)
        if ids is not None and (tickers is not None or channels != ["ticker"]):  # ids select in that channel alone
            raise CommandError(11)
        tickers = tickers if ids is None else ids  # the id of a market is its ticker here
        if "orderbook_delta" in channels and tickers is None:
            raise CommandError(14)
        for channel in channels:
            subscription, new = self._open(channel, tickers, params.get("use_yes_price") is True)
            self._send({"type": "subscribed"} | tag | {"msg": {"channel": channel, "sid": subscription.sid}}, "")
            if channel == "orderbook_delta":
                self._snapshots(subscription, new)
            if channel == "ticker" and params.get("send_initial_snapshot") is True:
                self._quotes(subscription, new)

    def _open(self, channel: str, tickers: set[str] | None, yes_price: bool) -> tuple[ChannelSubscription, set[str]]:
        """Return the channel's subscription and the markets that are new in it; repeating a subscribe adds markets."""
        for open_one in self.subscriptions.values():
            if open_one.channel == channel:
                new = (tickers or set()) - (open_one.tickers or set())
                both = tickers is not None and open_one.tickers is not None
                open_one.tickers = (open_one.tickers or set()) | (tickers or set()) if both else None
                return open_one, new
        self._last_sid += 1
        fresh = self.subscriptions[self._last_sid] = ChannelSubscription(self._last_sid, channel, tickers, yes_price)
        return fresh, tickers or set()

    def _snapshots(self, subscription: ChannelSubscription, tickers: Iterable[str]) -> None:
        for ticker in sorted(tickers):
            if ticker in self.markets:
                message = snapshot_message(self.markets[ticker], subscription.yes_price)
                self._data(subscription, "orderbook_snapshot", message)

    def _quotes(self, subscription: ChannelSubscription, tickers: Iterable[str]) -> None:
        for ticker in sorted(tickers or self.markets):
            if ticker in self.markets:
                self._data(subscription, "ticker", ticker_message(self.markets[ticker], self.clock()))

    def _unsubscribe(self, tag: JsonRow, params: JsonRow) -> None:
        for sid in _sids(params):
            if sid not in self.subscriptions:
                raise CommandError(7)
            ended = self.subscriptions.pop(sid)
            self._send({"type": "unsubscribed"} | tag | {"sid": sid, "seq": ended.seq + 1}, "")

    def _update(self, tag: JsonRow, params: JsonRow) -> None:
        sids = [params["sid"]] if isinstance(params.get("sid"), int) else _sids(params)
        if len(sids) != 1:
            raise CommandError(12)
        subscription = self.subscriptions.get(sids[0])
        if subscription is None:
            raise CommandError(7)
        action, tickers = params.get("action"), _tickers(params)
        if not action:
            raise CommandError(15)
        if action not in ("add_markets", "delete_markets", "get_snapshot"):
            raise CommandError(13)
        if tickers is None:
            raise CommandError(14)
        self._act(subscription, str(action), tickers)
        subscription.seq += 1
        done = {"sid": subscription.sid, "seq": subscription.seq}
        self._send({"type": "ok"} | tag | done | {"msg": {"market_tickers": sorted(subscription.tickers or ())}}, "")

    def _act(self, subscription: ChannelSubscription, action: str, tickers: set[str]) -> None:
        if subscription.tickers is not None and action == "delete_markets":
            subscription.tickers -= tickers
        if action == "add_markets" and subscription.tickers is not None:
            subscription.tickers |= tickers
        if subscription.channel == "orderbook_delta" and action != "delete_markets":
            self._snapshots(subscription, tickers)

    def _list(self, tag: JsonRow, params: JsonRow) -> None:
        rows = [{"channel": s.channel, "sid": s.sid} for s in self.subscriptions.values()]
        self._send({"type": "ok"} | tag | {"msg": rows}, "")


def _tickers(params: JsonRow, member: str = "market_ticker") -> set[str] | None:
    """Return the texts of market_ticker or market_tickers, None for all. Raises CommandError if both are given."""
    one, many = params.get(member), params.get(f"{member}s")
    if one is not None and many is not None:
        raise CommandError(11)
    chosen: Any = [one] if one is not None else many
    if chosen is None or chosen == []:
        return None
    if not isinstance(chosen, list) or not all(isinstance(ticker, str) for ticker in chosen):
        raise CommandError(11)
    return set(chosen)


def _sids(params: JsonRow) -> list[int]:
    sids = params.get("sids")
    if not isinstance(sids, list) or not sids or not all(isinstance(sid, int) for sid in sids):
        raise CommandError(4)
    return sids
