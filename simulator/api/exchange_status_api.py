"""Status, schedule and read freshness of the exchange."""

from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute, JsonObject
from simulator.market import SHARDS
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import format_time

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHARD_NAMES = ("default", "combos", "crypto", "sports")


class ExchangeStatusApi:
    """Handlers of /exchange."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        return [
            ApiRoute("GET", "/exchange/status", self.status),
            ApiRoute("GET", "/exchange/schedule", self.schedule),
            ApiRoute("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
        ]

    def status(self, request: ApiRequest) -> ApiResponse:
        """GET /exchange/status: the normal body even with 503."""
        exchange = self.exchange
        down = exchange.faults.find("maintenance")
        flags = {
            "exchange_active": exchange.is_open_for("cancel"),
            "trading_active": exchange.is_open_for("trade"),
            "intra_exchange_transfers_active": not down,
        }
        shards = [{"exchange_index": shard, "description": SHARD_NAMES[shard]} | flags for shard in SHARDS]
        body: JsonObject = flags | {"exchange_index_statuses": shards}
        if not all(flags.values()):
            body["exchange_estimated_resume_time"] = format_time(exchange.clock() + 3600)
        return ApiResponse(body, 503 if down else 200)

    def schedule(self, request: ApiRequest) -> ApiResponse:
        """GET /exchange/schedule: always open except Thursday 03:00-05:00 ET."""
        whole_day = [{"open_time": "00:00", "close_time": "00:00"}]
        thursday = [{"open_time": "00:00", "close_time": "03:00"}, {"open_time": "05:00", "close_time": "00:00"}]
        week = {day: thursday if day == "thursday" else whole_day for day in DAYS}
        now = self.exchange.clock()
        hours = {"start_time": format_time(now - 30 * 86_400), "end_time": format_time(now + 365 * 86_400)} | week
        return ApiResponse({"schedule": {"standard_hours": [hours], "maintenance_windows": []}})

    def user_data_timestamp(self, request: ApiRequest) -> ApiResponse:
        """GET /exchange/user_data_timestamp: the time up to which account reads are complete."""
        return ApiResponse({"as_of_time": format_time(self.exchange.caught_up_reads().as_of)})
