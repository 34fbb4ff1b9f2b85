"""The status of the bot as one object, and its commands: pause, resume, halt, clear."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.activity import activity_of
from bot.clock import BotClock
from bot.engine import Engine
from bot.runner import BotRunner
from bot.strategy_types import ZERO
from bot.trade_log import TradeLog, decimal_seconds
from bot.trading_state import TradingState
from bot.venues.base import Venue
from config.bot import BotSettings


class BotControls:
    """Behind the HTTP API."""

    def __init__(
        self, settings: BotSettings, state: TradingState, venue: Venue, engine: Engine, runner: BotRunner,
        clock: BotClock,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._state = state
        self._venue = venue
        self._engine = engine
        self._runner = runner
        self._clock = clock
        self._began = clock.monotonic()

    @property
    def trade_log(self) -> TradeLog:
        """The trades of this run."""
        return self._state.trade_log

    def status(self) -> Mapping[str, Any]:
        """Return the status for people and for the poller of a service."""
        halts, log = self._state.halts, self._state.trade_log
        activity, reason = activity_of(self._runner, halts, self._engine)
        sender = self._engine.sender
        return {
            "status": self._stage(), "activity": activity, "reason": reason, "mode": self._settings.mode,
            "timestamp": decimal_seconds(self._clock.wall()), "boot_id": log.boot_id,
            "uptime": round(self._clock.monotonic() - self._began, 3), "loop_age": round(self._runner.age, 3),
            "trades": log.seq, "trade_count": log.seq, "seq": log.seq, "order_prefix": self._settings.order_prefix,
            "paused": halts.paused, "halted": halts.halted,
            "halts": [{"name": h.name, "why": h.why, "since": decimal_seconds(h.since)} for h in halts.halts.values()],
            "trading": not self._engine.exchange_reason,
            "trouble": self._engine.trouble or None,
            "refusals": dict(sorted((sender.refusals.counts + sender.cancel_refusals.counts).items())),
            "refused_in_a_row": sender.refusals.in_a_row,
            "tickers": self._engine.tickers, "resting": len(self._venue.resting()),
            "other_orders": len(self._venue.other_orders()),
            "positions": {t: p.quantity for t, p in self._state.positions.by_ticker.items() if p.quantity},
            "exposure": self._exposure(),
            "pnl": {name: round(value, 4) for name, value in self._state.profit().items()},
            "limits": self._limits(),
        }  # fmt: skip

    def decisions(self) -> Mapping[str, Any]:
        """Return the last decisions and the counts of their results."""
        return self._engine.sender.decisions.as_json()

    async def pause(self) -> None:
        """Open nothing new: cancel what rests; orders that close positions may come back."""
        self._state.halts.paused = True
        await self._engine.apply_change()

    async def resume(self) -> None:
        """End a pause. A halt stays in force."""
        self._state.halts.paused = False
        await self._engine.apply_change()

    async def halt(self) -> None:
        """Stop trading and cancel our orders and no others; later turns cancel what is not confirmed yet."""
        self._runner.halt("person", "halted by POST /halt")
        await self._engine.apply_change()

    async def clear(self) -> None:
        """Remove the halts and measure losses from here; where positions differed, accept the exchange's.

        Raises VenueError if those cannot be read.
        """
        if "reconcile" in self._state.halts.halts:
            await self._runner.accept_positions()
        self._state.halts.clear(self._state.profit()["total"])
        await self._engine.apply_change()

    def _stage(self) -> str:
        if self._runner.stage != "running":
            return self._runner.stage
        return "halted" if self._state.halts.halted else "paused" if self._state.halts.paused else "running"

    def _exposure(self) -> Mapping[str, Decimal]:
        resting = self._venue.resting()
        markets = self._state.risk.exposure(resting)
        elsewhere = sum(self._state.risk.elsewhere.values(), ZERO)
        return {
            "total": round(sum(markets.values(), ZERO) + elsewhere, 2),
            "largest": round(max(markets.values(), default=ZERO), 2),
            "largest_event": round(max(self._state.risk.event_exposures(resting).values(), default=ZERO), 2),
            "elsewhere": round(elsewhere, 2),
        }

    def _limits(self) -> Mapping[str, Any]:
        names = (
            "order_size", "max_position", "market_exposure", "event_exposure", "total_exposure", "daily_loss",
            "drawdown", "stale_after", "stop_before", "order_lifetime",
        )  # fmt: skip
        return {name: getattr(self._settings, name) for name in names}
