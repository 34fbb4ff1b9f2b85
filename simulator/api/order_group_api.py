"""Order groups of the account (Kalshi docs: order groups)."""

from simulator.api.portfolio_api import check_subaccount
from simulator.api.request_body import JsonBody
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.api.rows import JsonRow
from simulator.errors import nested_error
from simulator.market import SHARDS
from simulator.order_groups import SimulatedOrderGroup
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import CONTRACT, format_count

GROUPS = "/portfolio/order_groups"
GROUP = f"{GROUPS}/{{order_group_id}}"
LARGEST_LIMIT = 1_000_000
"""Contracts (Kalshi docs: order groups)."""


class OrderGroupApi:
    """Handlers of /portfolio/order_groups."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.groups = exchange.order_groups

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        return [
            ApiRoute("GET", GROUPS, self.list),
            ApiRoute("POST", f"{GROUPS}/create", self.create),
            ApiRoute("GET", GROUP, self.get),
            ApiRoute("DELETE", GROUP, self.delete),
            ApiRoute("PUT", f"{GROUP}/limit", self.limit),
            ApiRoute("PUT", f"{GROUP}/reset", self.reset),
            ApiRoute("PUT", f"{GROUP}/trigger", self.trigger),
        ]

    def list(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/order_groups."""
        check_subaccount(request.query)
        rows = [{"id": group.group_id} | _group_row(group) for group in self.groups.groups.values()]
        return ApiResponse({"order_groups": rows})

    def create(self, request: ApiRequest) -> ApiResponse:
        """POST /portfolio/order_groups/create."""
        body = JsonBody.decode(request.body)
        if body.integer("subaccount"):
            raise nested_error(403, "forbidden", "subaccount not found")
        shard = body.integer("exchange_index") or 0
        if shard not in SHARDS:
            raise nested_error(400, "bad_request", "no such exchange index")
        group = self.groups.create(self.exchange.member.name, _read_limit(body), shard)
        return ApiResponse({"order_group_id": group.group_id, "subaccount": 0, "exchange_index": shard}, 201)

    def get(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/order_groups/{order_group_id}: the group with the ids of its resting orders."""
        group = self._group(request)
        return ApiResponse(_group_row(group) | {"orders": [order.order_id for order in self.groups.resting(group)]})

    def delete(self, request: ApiRequest) -> ApiResponse:
        """DELETE /portfolio/order_groups/{order_group_id}."""
        self.groups.delete(self._group(request))
        return ApiResponse({})

    def limit(self, request: ApiRequest) -> ApiResponse:
        """PUT /portfolio/order_groups/{order_group_id}/limit."""
        self.groups.set_limit(self._group(request), _read_limit(JsonBody.decode(request.body)))
        return ApiResponse({})

    def reset(self, request: ApiRequest) -> ApiResponse:
        """PUT /portfolio/order_groups/{order_group_id}/reset."""
        self.groups.reset(self._group(request))
        return ApiResponse({})

    def trigger(self, request: ApiRequest) -> ApiResponse:
        """PUT /portfolio/order_groups/{order_group_id}/trigger."""
        self.groups.trigger(self._group(request))
        return ApiResponse({})

    def _group(self, request: ApiRequest) -> SimulatedOrderGroup:
        check_subaccount(request.query)
        return self.groups.find(request.params["order_group_id"])


def _group_row(group: SimulatedOrderGroup) -> JsonRow:
    limit = {"contracts_limit_fp": format_count(group.limit)} if group.limit is not None else {}
    return {"is_auto_cancel_enabled": not group.triggered, "exchange_index": group.shard} | limit


def _read_limit(body: JsonBody) -> int:
    """Return the limit as a count from contracts_limit or contracts_limit_fp, which must agree."""
    whole = body.integer("contracts_limit")
    limit = body.count("contracts_limit_fp") if "contracts_limit_fp" in body else None
    if whole is not None and limit not in (None, whole * CONTRACT):
        raise nested_error(400, "bad_request", "contracts_limit and contracts_limit_fp differ")
    limit = whole * CONTRACT if limit is None and whole is not None else limit
    if limit is None or not CONTRACT <= limit <= LARGEST_LIMIT * CONTRACT:
        raise nested_error(400, "bad_request", f"contracts limit: expected 1 to {LARGEST_LIMIT}")
    return limit
