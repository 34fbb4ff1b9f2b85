"""What belongs to the membership: token budget, costs, subaccounts, transfers of money."""

from typing import Any

from aiohttp import web

from simulator.buckets import COSTS, DEFAULT_COST
from simulator.desk import Desk
from simulator.gate import answer
from simulator.units import cash_text
from simulator.wire import SHARD


class Membership:
    """Handlers of GET /account and of the account's side rooms."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> dict[str, Any]:
        """GET path -> handler."""
        return {
            "/account/limits": self.limits,
            "/account/endpoint_costs": self.endpoint_costs,
            "/portfolio/subaccounts/balances": self.subaccounts,
            "/portfolio/deposits": self.deposits,
            "/portfolio/withdrawals": self.withdrawals,
        }

    async def subaccounts(self, request: web.Request) -> web.Response:
        """GET /portfolio/subaccounts/balances: the primary one only."""
        reads = self.desk.reads()
        row = {
            "subaccount_number": 0,
            "exchange_index": SHARD,
            "balance": cash_text(reads.cash),
            "updated_ts": int(reads.as_of),
        }
        return answer({"subaccount_balances": [row]})

    async def deposits(self, request: web.Request) -> web.Response:
        """GET /portfolio/deposits: money falls from the sky here."""
        return answer({"deposits": [], "cursor": ""})

    async def withdrawals(self, request: web.Request) -> web.Response:
        """GET /portfolio/withdrawals."""
        return answer({"withdrawals": [], "cursor": ""})

    async def limits(self, request: web.Request) -> web.Response:
        """GET /account/limits."""
        buckets = self.desk.buckets
        sizes = {
            name: {"refill_rate": bucket.rate, "bucket_capacity": bucket.capacity}
            for name, bucket in (("read", buckets.read), ("write", buckets.write))
        }
        return answer({"usage_tier": buckets.tier} | sizes | {"grants": []})

    async def endpoint_costs(self, request: web.Request) -> web.Response:
        """GET /account/endpoint_costs."""
        costs = [{"method": method, "path": path, "cost": cost} for (method, path), cost in COSTS.items()]
        return answer({"default_cost": DEFAULT_COST, "endpoint_costs": costs})
