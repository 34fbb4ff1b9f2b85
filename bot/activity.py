"""The bot's activity and the reason for it, as /status reports them and the service passes them on."""

from bot.engine import Engine
from bot.halts import REASONS, Halts
from bot.reasons import (
    EXCHANGE_FAULT,
    EXCHANGE_PAUSED,
    LATE_DATA,
    MAINTENANCE,
    STARTING,
    UNREACHABLE,
    UNREADABLE,
)
from bot.runner import BotRunner

# the exchange does not work as it should; any other reason: it works, and refuses us
_PAUSED = frozenset({EXCHANGE_FAULT, EXCHANGE_PAUSED, MAINTENANCE, STARTING, UNREACHABLE, UNREADABLE})

Activity = tuple[str, str | None]


def activity_of(runner: BotRunner, halts: Halts, engine: Engine) -> Activity:
    """Return (activity, reason): trading, paused, halted, refused or stopped; None for a reason if all is well."""
    if runner.stage == "stopping":
        return "stopped", "stopping"
    if halts.halted:
        first = min(halts.halts.values(), key=lambda halt: halt.since)
        return "halted", REASONS[first.name]
    if runner.stage == "starting":
        return _unable(engine.failure_reason or STARTING)
    if halts.paused:
        return "paused", "paused by a person"
    if engine.exchange_reason:
        return "paused", engine.exchange_reason
    return _running(halts, engine)


def _running(halts: Halts, engine: Engine) -> Activity:
    if engine.lasting_failure:
        return _unable(engine.lasting_failure)
    if refused := engine.sender.trouble:
        return _unable(refused.reason)
    if halts.losing:
        return "paused", "loss limit"
    if engine.account_is_late:
        return "trading", LATE_DATA
    return "trading", "quiet" if engine.quiet else None


def _unable(reason: str) -> Activity:
    return ("paused" if reason in _PAUSED else "refused"), reason
