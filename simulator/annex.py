"""Rooms that the exchange has and that stand empty here: read by clients, never needed for trading."""

from typing import Any, Final

from aiohttp import web

from simulator.desk import Desk
from simulator.gate import PREFIX, answer
from simulator.keys import FILES
from simulator.wire import SHARD

EMPTY: Final[dict[str, dict[str, Any]]] = {
    "/milestones": {"milestones": [], "cursor": ""},
    "/structured_targets": {"structured_targets": [], "cursor": ""},
    "/incentive_programs": {"incentive_programs": [], "next_cursor": ""},
    "/multivariate_event_collections": {"multivariate_contracts": [], "cursor": ""},
    "/events/fee_changes": {"event_fee_changes": [], "cursor": ""},
    "/series/fee_changes": {"series_fee_change_arr": []},
    "/search/filters_by_sport": {"filters_by_sports": {}, "sport_ordering": []},
    "/portfolio/order_groups": {"order_groups": []},
    "/portfolio/subaccounts/transfers": {"transfers": [], "cursor": ""},
    "/portfolio/intra_exchange_instance_transfers": {"transfers": [], "cursor": ""},
    "/account/api_usage_level/volume_progress": {"volume_progress": []},
}
"""Path -> answer, as the SDK's models (3.34) ask for it."""


class Annex:
    """Handlers of what is empty, and of two small lists."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> dict[str, Any]:
        """GET path -> handler."""
        rooms: dict[str, Any] = dict.fromkeys(EMPTY, self.empty)
        return rooms | {
            "/api_keys": self.api_keys,
            "/search/tags_by_categories": self.tags,
            "/portfolio/subaccounts/netting": self.netting,
        }

    async def empty(self, request: web.Request) -> web.Response:
        """Nothing, in the right shape."""
        resource = request.match_info.route.resource
        assert resource is not None  # it matched
        return answer(EMPTY[resource.canonical.removeprefix(PREFIX)])

    async def api_keys(self, request: web.Request) -> web.Response:
        """GET /api_keys: the two of the desk, with full access."""
        return answer(
            {"api_keys": [{"api_key_id": key_id, "name": key_id, "scopes": ["read", "write"]} for key_id in FILES]}
        )

    async def tags(self, request: web.Request) -> web.Response:
        """GET /search/tags_by_categories."""
        categories = {series.category for series in self.desk.life.series.values()}
        return answer({"tags_by_categories": {category: [] for category in sorted(categories)}})

    async def netting(self, request: web.Request) -> web.Response:
        """GET /portfolio/subaccounts/netting: YES and NO of the one account always net."""
        return answer({"netting_configs": [{"subaccount_number": 0, "enabled": True, "exchange_index": SHARD}]})
