"""Decisions of the last turns: prices of each market, intents of the strategy, and the result of each intent."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.strategy_types import Intent, PlaceOrder, Quote
from bot.trade_log import decimal_seconds

_STORED = 200
SENT = "sent"


@dataclass(slots=True)
class MarketDecision:
    """One turn in one market. stopped_by: why the strategy was not asked at all; "" if it was."""

    at: float  # Unix seconds
    turn: int
    ticker: str
    strategy: str
    quote: Quote | None
    position: Decimal
    resting: int
    stopped_by: str = ""
    wanted: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the decision as JSON-ready values."""
        quote = self.quote
        return {
            "at": decimal_seconds(self.at), "turn": self.turn, "ticker": self.ticker, "strategy": self.strategy,
            "bid": quote.bid if quote else None, "ask": quote.ask if quote else None,
            "mid": quote.mid if quote else None, "position": self.position, "resting": self.resting,
            "stopped_by": self.stopped_by or None, "wanted": self.wanted,
        }  # fmt: skip


class DecisionLog:
    """The newest decisions, and counts of the results since the start."""

    def __init__(self) -> None:
        # all mutable state: decisions, results by reason
        self._decisions: deque[MarketDecision] = deque(maxlen=_STORED)
        self.counts: Counter[str] = Counter()

    def add(self, decision: MarketDecision) -> None:
        """Store a decision."""
        self._decisions.append(decision)
        if decision.stopped_by:
            self.counts[decision.stopped_by] += 1

    def result(self, decision: MarketDecision, intent: Intent, result: str, detail: str = "") -> None:
        """Add the result of one intent: SENT, or the reason that stopped it."""
        self.counts[result] += 1
        wanted: dict[str, Any] = {"action": "cancel", "order": None, "why": intent.why}
        if isinstance(intent, PlaceOrder):
            wanted = {
                "action": "place", "side": intent.side, "price": intent.price, "quantity": intent.quantity,
                "rest": intent.rest, "why": intent.why,
            }  # fmt: skip
        else:
            wanted["order"] = intent.order.client_order_id
        stopped = {} if result == SENT else {"stopped_by": result, "detail": detail or None}
        decision.wanted.append(wanted | {"result": SENT if result == SENT else "stopped"} | stopped)

    def as_json(self) -> Mapping[str, Any]:
        """Return the decisions, newest first, and the counts."""
        decisions = [decision.as_json() for decision in reversed(self._decisions)]
        return {"decisions": decisions, "count": len(decisions), "counts": dict(sorted(self.counts.items()))}
