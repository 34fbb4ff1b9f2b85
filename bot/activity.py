"""The bot's activity and the reason for it, as /status reports them and the service passes them on."""

from bot.engine import Engine
from bot.halts import REASONS, Halts
from bot.reasons import (
    ATTESTATION,
    CLOCK,
    EXCHANGE_FAULT,
    EXCHANGE_PAUSED,
    KEY,
    LATE_DATA,
    MAINTENANCE,
    NO_CASH,
    RATE_LIMITED,
    SCOPE,
    UNREACHABLE,
    UNREADABLE,
)
from bot.runner import BotRunner

_REFUSED = frozenset({ATTESTATION, CLOCK, KEY, NO_CASH, RATE_LIMITED, SCOPE})  # the exchange answers, and refuses us
_PAUSED = frozenset({EXCHANGE_FAULT, EXCHANGE_PAUSED, MAINTENANCE, UNREACHABLE, UNREADABLE})

Activity = tuple[str, str | None]


def activity_of(runner: BotRunner, halts: Halts, engine: Engine) -> Activity:
    """Return (activity, reason): trading, paused, halted, refused or stopped; None for a reason if all is well."""
    if runner.stage == "stopping":
        return "stopped", "stopping"
    if halts.halted:
        first = min(halts.halts.values(), key=lambda halt: halt.since)
        return "halted", REASONS[first.name]
    if runner.stage == "starting":
        return _unable(runner.start_reason or "starting")
    if halts.paused:
        return "paused", "paused by a person"
    if engine.exchange_reason:
        return "paused", engine.exchange_reason
    return _running(halts, engine)


def _running(halts: Halts, engine: Engine) -> Activity:
    refusals = engine.sender.refusals
    if engine.lasting_failure:
        return _unable(engine.lasting_failure)
    if refusals.trouble:
        return ("paused" if refusals.reason in _PAUSED else "refused"), refusals.reason
    if halts.losing:
        return "paused", "loss limit"
    if engine.account_is_late:
        return "trading", LATE_DATA
    return "trading", "quiet" if engine.quiet else None


def _unable(reason: str) -> Activity:
    return ("refused" if reason in _REFUSED else "paused"), reason
