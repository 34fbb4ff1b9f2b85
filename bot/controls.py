"""What the bot tells of itself and lets a person do."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

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
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._state = state
        self._venue = venue
        self._engine = engine
        self._runner = runner
        self._clock = clock
        self._began = clock()

    @property
    def trade_log(self) -> TradeLog:
        """The trades."""
        return self._state.trade_log

    def status(self) -> Mapping[str, Any]:
        """How it is: one object for people and for the poller of a service."""
        risk, now = self._state.risk, self._clock()
        exposure = risk.exposure(self._venue.resting())
        return {
            "status": self._word(), "mode": self._settings.mode, "timestamp": decimal_seconds(now),
            "boot_id": self.trade_log.boot_id, "uptime": round(now - self._began, 3),
            "loop_age": round(self._runner.age, 3),
            "trades": self.trade_log.seq, "trade_count": self.trade_log.seq, "seq": self.trade_log.seq,
            "order_prefix": self._settings.order_prefix,
            "paused": risk.paused, "halted": risk.halted,
            "halts": [{"name": h.name, "why": h.why, "since": decimal_seconds(h.since)} for h in risk.halts.values()],
            "trading": self._engine.trading, "trouble": self._engine.trouble or None,
            "tickers": self._engine.tickers, "resting": len(self._venue.resting()),
            "positions": {t: p.quantity for t, p in self._state.positions.by_ticker.items() if p.quantity},
            "exposure": {
                "total": _cents(sum(exposure.values(), ZERO)), "largest": _cents(max(exposure.values(), default=ZERO)),
            },
            "pnl": {name: round(value, 4) for name, value in self._state.profit().items()},
            "limits": self._limits(),
        }  # fmt: skip

    async def pause(self) -> None:
        """No new entries; what rests goes, exits may come back."""
        self._state.risk.paused = True
        await self._engine.settle()

    async def resume(self) -> None:
        """Entries again. A halt stays a halt."""
        self._state.risk.paused = False
        await self._engine.settle()

    async def halt(self) -> None:
        """Stop at once, cancel our orders and no others; the loop goes on cancelling what could not be verified."""
        self._runner.halt("person", "asked for")
        await self._engine.settle()

    async def clear(self) -> None:
        """Forget the halts, measure losses from here, take the exchange's positions as true where they differed."""
        if "reconcile" in self._state.risk.halts:
            await self._runner.agree()
        self._state.risk.clear(self._state.profit()["total"])
        await self._engine.settle()

    def _word(self) -> str:
        if self._runner.stage != "running":
            return self._runner.stage
        return "halted" if self._state.risk.halted else "paused" if self._state.risk.paused else "running"

    def _limits(self) -> Mapping[str, Any]:
        s = self._settings
        return {
            "order_size": s.order_size, "max_position": s.max_position, "market_exposure": s.market_exposure,
            "total_exposure": s.total_exposure, "daily_loss": s.daily_loss, "drawdown": s.drawdown,
            "stale_after": s.stale_after,
        }  # fmt: skip


def _cents(value: Decimal) -> Decimal:
    return round(value, 2)
