"""One socket's subscriptions: commands in, replies out; knows nothing of the network."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulator.channels import SEQUENCED, TYPES, snapshot_message, ticker_message
from simulator.market import Market
from simulator.wire import Row

Send = Callable[[Row, str], None]
"""Takes a message and the channel it is data of, "" for a reply."""

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


class Trouble(Exception):
    """A command that cannot be done; its code is one of ERRORS."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code])
        self.code = code


@dataclass(slots=True)
class Subscription:
    """tickers: None for all markets. seq: of the last sequenced message."""

    sid: int
    channel: str
    tickers: set[str] | None
    yes_price: bool = False
    seq: int = 0

    def wants(self, ticker: str) -> bool:
        """Whether a market's data belongs here."""
        return self.tickers is None or ticker in self.tickers


class Session:
    """What one connection has asked for."""

    def __init__(self, markets: dict[str, Market], send: Send, clock: Callable[[], float]) -> None:
        self.markets = markets
        self.clock = clock
        self._send = send
        self.subscriptions: dict[int, Subscription] = {}
        self._last_sid = 0

    def command(self, message: object) -> None:
        """Carry out one command and reply."""
        given = message if isinstance(message, dict) else {}
        number = given.get("id")
        tag = {"id": number} if isinstance(number, int) and number else {}
        commands = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "update_subscription": self._update,
            "list_subscriptions": self._list,
        }
        try:
            cmd = given.get("cmd")
            if not isinstance(cmd, str) or cmd not in commands:
                raise Trouble(5 if given else 1)
            params = given.get("params")
            if cmd != "list_subscriptions" and not isinstance(params, dict):
                raise Trouble(2)
            commands[cmd](tag, params or {})
        except Trouble as trouble:
            self._send({"type": "error"} | tag | {"msg": {"code": trouble.code, "msg": str(trouble)}}, "")

    def deliver(self, channel: str, ticker: str, message: Callable[[Subscription], Row]) -> None:
        """Send data to the subscriptions that want it."""
        for subscription in self.subscriptions.values():
            if subscription.channel == channel and subscription.wants(ticker):
                self._data(subscription, TYPES[channel], message(subscription))

    def _data(self, subscription: Subscription, kind: str, message: Row) -> None:
        envelope: Row = {"type": kind, "sid": subscription.sid}
        if subscription.channel in SEQUENCED:
            subscription.seq += 1
            envelope["seq"] = subscription.seq
        self._send(envelope | {"msg": message}, subscription.channel)

    def _subscribe(self, tag: Row, params: Row) -> None:
        channels = params.get("channels")
        if not isinstance(channels, list) or not channels:
            raise Trouble(3)
        tickers = _tickers(params)
        if any(not isinstance(channel, str) or channel not in TYPES for channel in channels):
            raise Trouble(8)
        if "orderbook_delta" in channels and tickers is None:
            raise Trouble(14)
        for channel in channels:
            subscription, new = self._open(channel, tickers, params.get("use_yes_price") is True)
            self._send({"type": "subscribed"} | tag | {"msg": {"channel": channel, "sid": subscription.sid}}, "")
            if channel == "orderbook_delta":
                self._snapshots(subscription, new)
            if channel == "ticker" and params.get("send_initial_snapshot") is True:
                self._quotes(subscription, new)

    def _open(self, channel: str, tickers: set[str] | None, yes_price: bool) -> tuple[Subscription, set[str]]:
        """The channel's subscription, and the markets that are new in it; repeating adds markets."""
        for known in self.subscriptions.values():
            if known.channel == channel:
                new = (tickers or set()) - (known.tickers or set())
                known.tickers = None if tickers is None or known.tickers is None else known.tickers | tickers
                return known, new
        self._last_sid += 1
        fresh = self.subscriptions[self._last_sid] = Subscription(self._last_sid, channel, tickers, yes_price)
        return fresh, tickers or set()

    def _snapshots(self, subscription: Subscription, tickers: Iterable[str]) -> None:
        for ticker in sorted(tickers):
            if ticker in self.markets:
                message = snapshot_message(self.markets[ticker], subscription.yes_price)
                self._data(subscription, "orderbook_snapshot", message)

    def _quotes(self, subscription: Subscription, tickers: Iterable[str]) -> None:
        for ticker in sorted(tickers or self.markets):
            if ticker in self.markets:
                self._data(subscription, "ticker", ticker_message(self.markets[ticker], self.clock()))

    def _unsubscribe(self, tag: Row, params: Row) -> None:
        for sid in _sids(params):
            if sid not in self.subscriptions:
                raise Trouble(7)
            ended = self.subscriptions.pop(sid)
            self._send({"type": "unsubscribed"} | tag | {"sid": sid, "seq": ended.seq + 1}, "")

    def _update(self, tag: Row, params: Row) -> None:
        sids = [params["sid"]] if isinstance(params.get("sid"), int) else _sids(params)
        if len(sids) != 1:
            raise Trouble(12)
        subscription = self.subscriptions.get(sids[0])
        if subscription is None:
            raise Trouble(7)
        action, tickers = params.get("action"), _tickers(params)
        if not action:
            raise Trouble(15)
        if action not in ("add_markets", "delete_markets", "get_snapshot"):
            raise Trouble(13)
        if tickers is None:
            raise Trouble(14)
        self._act(subscription, str(action), tickers)
        subscription.seq += 1
        done = {"sid": subscription.sid, "seq": subscription.seq}
        self._send({"type": "ok"} | tag | done | {"msg": {"market_tickers": sorted(subscription.tickers or ())}}, "")

    def _act(self, subscription: Subscription, action: str, tickers: set[str]) -> None:
        if subscription.tickers is not None and action == "delete_markets":
            subscription.tickers -= tickers
        if action == "add_markets" and subscription.tickers is not None:
            subscription.tickers |= tickers
        if subscription.channel == "orderbook_delta" and action != "delete_markets":
            self._snapshots(subscription, tickers)

    def _list(self, tag: Row, params: Row) -> None:
        known = [{"channel": s.channel, "sid": s.sid} for s in self.subscriptions.values()]
        self._send({"type": "ok"} | tag | {"msg": known}, "")


def _tickers(params: Row) -> set[str] | None:
    """market_ticker xor market_tickers; None when neither is given."""
    one, many = params.get("market_ticker"), params.get("market_tickers")
    if one is not None and many is not None:
        raise Trouble(11)
    chosen: Any = [one] if one is not None else many
    if chosen is None or chosen == []:
        return None
    if not isinstance(chosen, list) or not all(isinstance(ticker, str) for ticker in chosen):
        raise Trouble(11)
    return set(chosen)


def _sids(params: Row) -> list[int]:
    sids = params.get("sids")
    if not isinstance(sids, list) or not sids or not all(isinstance(sid, int) for sid in sids):
        raise Trouble(4)
    return sids
