"""What the bot tells of itself and lets a person do."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bot.desk import Desk
from bot.engine import Engine
from bot.life import Life
from bot.settings import BotSettings
from bot.tape import Tape, decimal_seconds
from bot.venue import Venue
from bot.view import ZERO


class BotControls:
    """Behind the HTTP API."""

    def __init__(
        self, settings: BotSettings, desk: Desk, venue: Venue, engine: Engine, life: Life, clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._desk = desk
        self._venue = venue
        self._engine = engine
        self._life = life
        self._clock = clock
        self._began = clock()

    @property
    def tape(self) -> Tape:
        """The trades."""
        return self._desk.tape

    def status(self) -> Mapping[str, Any]:
        """How it is: one object for people and for the poller of a service."""
        risk, now = self._desk.risk, self._clock()
        exposure = risk.exposure(self._venue.resting())
        return {
            "status": self._word(), "mode": self._settings.mode, "timestamp": decimal_seconds(now),
            "boot_id": self.tape.boot_id, "uptime": round(now - self._began, 3), "loop_age": round(self._life.age, 3),
            "trades": self.tape.seq, "trade_count": self.tape.seq, "seq": self.tape.seq,
            "order_prefix": self._settings.order_prefix,
            "paused": risk.paused, "halted": risk.halted,
            "halts": [{"name": h.name, "why": h.why, "since": decimal_seconds(h.since)} for h in risk.halts.values()],
            "trading": self._engine.trading, "trouble": self._engine.trouble or None,
            "tickers": self._engine.tickers, "resting": len(self._venue.resting()),
            "positions": {t: p.quantity for t, p in self._desk.books.positions.items() if p.quantity},
            "exposure": {
                "total": _cents(sum(exposure.values(), ZERO)), "largest": _cents(max(exposure.values(), default=ZERO)),
            },
            "pnl": {name: round(value, 4) for name, value in self._desk.profit().items()},
            "limits": self._limits(),
        }  # fmt: skip

    async def pause(self) -> None:
        """No new entries; what rests goes, exits may come back."""
        self._desk.risk.paused = True
        await self._engine.settle()

    async def resume(self) -> None:
        """Entries again. A halt stays a halt."""
        self._desk.risk.paused = False
        await self._engine.settle()

    async def halt(self) -> None:
        """Stop at once, cancel our orders and no others; the loop goes on cancelling what could not be verified."""
        self._life.halt("person", "asked for")
        await self._engine.settle()

    async def clear(self) -> None:
        """Forget the halts, measure losses from here, take the exchange's positions as true where they differed."""
        if "reconcile" in self._desk.risk.halts:
            await self._life.agree()
        self._desk.risk.clear(self._desk.profit()["total"])
        await self._engine.settle()

    def _word(self) -> str:
        if self._life.stage != "running":
            return self._life.stage
        return "halted" if self._desk.risk.halted else "paused" if self._desk.risk.paused else "running"

    def _limits(self) -> Mapping[str, Any]:
        s = self._settings
        return {
            "order_size": s.order_size, "max_position": s.max_position, "market_exposure": s.market_exposure,
            "total_exposure": s.total_exposure, "daily_loss": s.daily_loss, "drawdown": s.drawdown,
            "stale_after": s.stale_after,
        }  # fmt: skip


def _cents(value: Decimal) -> Decimal:
    return round(value, 2)
