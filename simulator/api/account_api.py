"""Account administration: limits, keys, deposits, withdrawals, transfers, and endpoints that are always empty here."""

from typing import Final

from simulator.api.authentication import Authenticator
from simulator.api.portfolio_api import check_subaccount
from simulator.api.query import paginate, read_limit
from simulator.api.request_body import JsonBody
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute, JsonObject
from simulator.api.rows import cash_transfer_row, shard_transfer_row
from simulator.cash_transfers import CashTransfer
from simulator.errors import nested_error, not_found
from simulator.market import SHARDS
from simulator.rate_limits import COSTS, DEFAULT_COST
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import CASH_STEP, format_cash

EMPTY_RESPONSES: Final[dict[str, JsonObject]] = {
    "/milestones": {"milestones": [], "cursor": ""},
    "/structured_targets": {"structured_targets": [], "cursor": ""},
    "/incentive_programs": {"incentive_programs": [], "next_cursor": ""},
    "/multivariate_event_collections": {"multivariate_contracts": [], "cursor": ""},
    "/events/fee_changes": {"event_fee_changes": [], "cursor": ""},
    "/series/fee_changes": {"series_fee_change_arr": []},
    "/search/filters_by_sport": {"filters_by_sports": {}, "sport_ordering": []},
    "/portfolio/subaccounts/transfers": {"transfers": [], "cursor": ""},
    "/account/api_usage_level/volume_progress": {"volume_progress": []},
}
"""Path -> response of what the simulator does not have, in the shape of the SDK's models (3.34)."""


class AccountApi:
    """Handlers of /account, /api_keys, cash movements and empty lists."""

    def __init__(self, exchange: SimulatedExchange, authenticator: Authenticator | None) -> None:
        self.exchange = exchange
        self.authenticator = authenticator

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        transfers = "/portfolio/intra_exchange_instance_transfers"
        handlers = {
            "/account/limits": self.limits,
            "/account/endpoint_costs": self.endpoint_costs,
            "/api_keys": self.api_keys,
            "/search/tags_by_categories": self.tags,
            "/portfolio/subaccounts/balances": self.subaccount_balances,
            "/portfolio/subaccounts/netting": self.netting,
            "/portfolio/deposits": self.deposits,
            "/portfolio/withdrawals": self.withdrawals,
            transfers: self.shard_transfers,
            f"{transfers}/{{transfer_id}}": self.shard_transfer,
            "/portfolio/target_balance_allocation": self.target_allocation,
        }
        empty = [
            ApiRoute("GET", path, lambda request, body=body: ApiResponse(body))  # type: ignore[misc]
            for path, body in EMPTY_RESPONSES.items()
        ]
        return [
            *empty,
            *(ApiRoute("GET", path, handler) for path, handler in handlers.items()),
            ApiRoute("POST", "/portfolio/intra_exchange_instance_transfer", self.transfer),
            ApiRoute("POST", "/account/api_usage_level/upgrade", self.upgrade),
        ]

    def limits(self, request: ApiRequest) -> ApiResponse:
        """GET /account/limits."""
        budget = self.exchange.budget
        sizes = {
            name: {"refill_rate": bucket.rate, "bucket_capacity": bucket.capacity}
            for name, bucket in (("read", budget.read), ("write", budget.writes[0]))
        }
        return ApiResponse({"usage_tier": budget.tier} | sizes | {"grants": []})

    def endpoint_costs(self, request: ApiRequest) -> ApiResponse:
        """GET /account/endpoint_costs."""
        costs = [{"method": method, "path": path, "cost": cost} for (method, path), cost in COSTS.items()]
        return ApiResponse({"default_cost": DEFAULT_COST, "endpoint_costs": costs})

    def upgrade(self, request: ApiRequest) -> ApiResponse:
        """POST /account/api_usage_level/upgrade: Basic becomes Advanced."""
        if self.exchange.budget.tier == "basic":
            self.exchange.budget.set_tier("advanced")
        return ApiResponse({"usage_tier": self.exchange.budget.tier})

    def api_keys(self, request: ApiRequest) -> ApiResponse:
        """GET /api_keys: the keys with their scopes, and the end of the location attestation."""
        scopes = self.authenticator.scopes if self.authenticator else {}
        keys = [{"api_key_id": key_id, "name": key_id, "scopes": list(granted)} for key_id, granted in scopes.items()]
        until = self.exchange.attested_until
        expiry = {} if until is None else {"api_key_region_expiration_ts": int(until)}
        return ApiResponse({"api_keys": keys} | expiry)

    def tags(self, request: ApiRequest) -> ApiResponse:
        """GET /search/tags_by_categories."""
        categories = {series.category for series in self.exchange.lifecycle.series.values()}
        return ApiResponse({"tags_by_categories": {category: [] for category in sorted(categories)}})

    def netting(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/subaccounts/netting: YES and NO of the account always net."""
        rows = [{"subaccount_number": 0, "enabled": True, "exchange_index": shard} for shard in SHARDS]
        return ApiResponse({"netting_configs": rows})

    def subaccount_balances(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/subaccounts/balances: the primary subaccount on each shard."""
        reads = self.exchange.caught_up_reads()
        rows = [
            {
                "subaccount_number": 0,
                "exchange_index": shard,
                "balance": format_cash(reads.cash[shard]),
                "updated_ts": int(reads.as_of),
            }
            for shard in SHARDS
        ]
        return ApiResponse({"subaccount_balances": rows})

    def deposits(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/deposits."""
        return self._cash_transfers(request, "deposits", self.exchange.transfers.deposits)

    def withdrawals(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/withdrawals."""
        return self._cash_transfers(request, "withdrawals", self.exchange.transfers.withdrawals)

    def transfer(self, request: ApiRequest) -> ApiResponse:
        """POST /portfolio/intra_exchange_instance_transfer: cash from shard to shard, amount in centi-cents."""
        body = JsonBody.decode(request.body)
        for name in ("source", "destination"):
            if body.choice(name, ("event_contract", "margined")) == "margined":
                raise nested_error(400, "bad_request", "the simulator has no margined exchange")
        source = body.integer("source_exchange_shard") or 0
        destination = body.integer("destination_exchange_shard") or 0
        if source not in SHARDS or destination not in SHARDS:
            raise nested_error(400, "bad_request", "no such exchange shard")
        money = (body.integer("amount") or 0) * CASH_STEP
        done = self.exchange.transfers.move(body.text("client_transfer_id", ""), source, destination, money)
        return ApiResponse({"transfer_id": done.transfer_id})

    def shard_transfers(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/intra_exchange_instance_transfers."""
        rows = self.exchange.transfers.shard_transfers[::-1]
        part, cursor = paginate(rows, lambda row: row.transfer_id, request.query, read_limit(request.query))
        return ApiResponse({"transfers": [shard_transfer_row(row) for row in part], "cursor": cursor})

    def shard_transfer(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/intra_exchange_instance_transfers/{transfer_id}."""
        for row in self.exchange.transfers.shard_transfers:
            if row.transfer_id == request.params["transfer_id"]:
                return ApiResponse({"transfer": shard_transfer_row(row)})
        raise not_found("transfer not found")

    def target_allocation(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/target_balance_allocation: none; cash moves by transfers only."""
        return ApiResponse({"allocations": [], "resting_margin_reservation": "sum"})

    def _cash_transfers(self, request: ApiRequest, name: str, transfers: list[CashTransfer]) -> ApiResponse:
        check_subaccount(request.query)
        limit = read_limit(request.query, high=500)
        part, cursor = paginate(transfers[::-1], lambda row: row.transfer_id, request.query, limit)
        return ApiResponse({name: [cash_transfer_row(row) for row in part], "cursor": cursor})
