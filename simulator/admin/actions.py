"""Admin actions: change the account, the markets and the exchange from outside, for tests and demonstrations."""

from simulator.api.authentication import Authenticator
from simulator.api.request_body import JsonBody
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.api.rows import cash_transfer_row, placed_row
from simulator.cash_transfers import TransferStatus
from simulator.errors import malformed_body, nested_error, not_found
from simulator.market import SHARDS, SimulatedMarket
from simulator.orders import SIDES, OrderRequest
from simulator.rate_limits import TIERS
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import DOLLAR

METHODS = ("ach", "wire", "crypto", "debit", "apm")
STATUSES = ("pending", "applied", "failed", "returned")


class AdminActions:
    """One handler per action; the URL is the name of the handler."""

    def __init__(self, exchange: SimulatedExchange, authenticator: Authenticator | None) -> None:
        self.exchange = exchange
        self.authenticator = authenticator

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        actions = (
            self.fill, self.quote, self.take, self.settle, self.close, self.halt, self.resume, self.advance,
            self.cutoff, self.tier, self.deposit, self.withdraw, self.adjust, self.void, self.settlement_floor,
            self.scopes, self.attestation,
        )  # fmt: skip
        return [ApiRoute("POST", f"/{action.__name__}", action) for action in actions]

    def fill(self, request: ApiRequest) -> ApiResponse:
        """Execute a trade of the account outside the bot, beside the book."""
        body, market = self._market(request)
        side = body.choice("side", SIDES)
        price = body.price() if "price" in body else market.round_to_cent(market.fair)
        new = OrderRequest(market.ticker, side, price, body.count())
        order = self.exchange.engine.trade_privately(self.exchange.member, new, self.exchange.liquidity.makers)
        fills = reversed(self.exchange.caught_up_ledger().fills)
        fill_id = next((fill.fill_id for fill in fills if fill.order_id == order.order_id), None)
        return ApiResponse(placed_row(order, order.updated) | {"fill_id": fill_id}, 201)

    def quote(self, request: ApiRequest) -> ApiResponse:
        """Replace the makers' quotes of a market."""
        body, market = self._market(request)
        bid, ask, count = body.price("bid"), body.price("ask"), body.count()
        self.exchange.liquidity.withdraw(market)
        self.exchange.liquidity.post(market, bid, ask, count)
        return ApiResponse({"ticker": market.ticker})

    def take(self, request: ApiRequest) -> ApiResponse:
        """Send another trader's immediate order against the book."""
        body, market = self._market(request)
        side, price, count = body.choice("side", SIDES), body.price(), body.count()
        new = OrderRequest(market.ticker, side, price, count, "immediate_or_cancel")
        order = self.exchange.engine.place(self.exchange.liquidity.takers, new)
        return ApiResponse(placed_row(order, order.updated), 201)

    def settle(self, request: ApiRequest) -> ApiResponse:
        """Close, determine and pay a market at once; void pays its last price."""
        body, market = self._market(request)
        result = body.choice("result", ("yes", "no", "scalar", "void"))
        value = _settlement_value(result, body, market)
        if market.status == "finalized" or not market.settlement_floor <= value <= DOLLAR:
            raise nested_error(400, "bad_request", "already settled, or value not between the floor and one dollar")
        report_no = body.choice("report_value_of", ("yes", "no"), "yes") == "no"
        lifecycle, now = self.exchange.lifecycle, self.exchange.clock()
        if market.status in ("initialized", "active", "inactive"):
            lifecycle.close(market, now)
        lifecycle.determine(market, "scalar" if result == "void" else result, value, now)
        lifecycle.finalize(market, now, report_no_value=report_no)
        return ApiResponse({"ticker": market.ticker, "result": market.result})

    def close(self, request: ApiRequest) -> ApiResponse:
        """End trading in a market."""
        _, market = self._market(request)
        self.exchange.lifecycle.close(market, self.exchange.clock())
        return _status(market)

    def halt(self, request: ApiRequest) -> ApiResponse:
        """Pause one market."""
        _, market = self._market(request)
        self.exchange.lifecycle.halt(market, self.exchange.clock())
        return _status(market)

    def resume(self, request: ApiRequest) -> ApiResponse:
        """Reactivate one market."""
        _, market = self._market(request)
        self.exchange.lifecycle.resume(market, self.exchange.clock())
        return _status(market)

    def advance(self, request: ApiRequest) -> ApiResponse:
        """Let the schedule pass some seconds."""
        seconds = JsonBody.decode(request.body).integer("seconds") or 0
        self.exchange.lifecycle.skip(seconds, self.exchange.clock())
        return ApiResponse({"advanced": seconds})

    def cutoff(self, request: ApiRequest) -> ApiResponse:
        """Set the age from which rows are in the historical tier."""
        self.exchange.cutoff_age = float(JsonBody.decode(request.body).integer("seconds") or 0)
        return ApiResponse({"cutoff_age": self.exchange.cutoff_age})

    def tier(self, request: ApiRequest) -> ApiResponse:
        """Use the token buckets of another tier."""
        self.exchange.budget.set_tier(JsonBody.decode(request.body).choice("tier", tuple(TIERS)))
        return ApiResponse({"tier": self.exchange.budget.tier})

    def deposit(self, request: ApiRequest) -> ApiResponse:
        """Add a deposit, which GET /portfolio/deposits lists."""
        row = self.exchange.transfers.deposit(*_transfer(JsonBody.decode(request.body)))
        return ApiResponse(cash_transfer_row(row), 201)

    def withdraw(self, request: ApiRequest) -> ApiResponse:
        """Add a withdrawal, which GET /portfolio/withdrawals lists."""
        row = self.exchange.transfers.withdraw(*_transfer(JsonBody.decode(request.body)))
        return ApiResponse(cash_transfer_row(row), 201)

    def adjust(self, request: ApiRequest) -> ApiResponse:
        """Change the cash without any row: interest, rebates, collateral returns. dollars may be negative."""
        body = JsonBody.decode(request.body)
        text = body.text("dollars")
        body = JsonBody({"dollars": text.removeprefix("-"), "exchange_index": body.integer("exchange_index")})
        money = body.price("dollars") * 100
        self.exchange.transfers.adjust(-money if text.startswith("-") else money, _shard(body))
        return ApiResponse({"adjusted": text})

    def void(self, request: ApiRequest) -> ApiResponse:
        """Undo a fill of the account; its row disappears, or stays with count zero if keep_row is true."""
        body = JsonBody.decode(request.body)
        fills = self.exchange.caught_up_ledger().fills
        fill = next((fill for fill in fills if fill.fill_id == body.text("fill_id")), None)
        if fill is None:
            raise not_found("fill not found")
        makers = self.exchange.liquidity.makers
        self.exchange.transfers.void(fill, list(fills), makers, keep_row=body.flag("keep_row"))
        return ApiResponse({"fill_id": fill.fill_id, "ticker": fill.ticker})

    def settlement_floor(self, request: ApiRequest) -> ApiResponse:
        """Set the settlement floor of a market with settlement_bounds_type floor."""
        body, market = self._market(request)
        price = body.price("floor")
        if market.bounds != "floor" or price >= DOLLAR or market.status not in ("active", "inactive", "closed"):
            raise nested_error(400, "bad_request", "expected an unsettled market with bounds floor, and less than 1")
        self.exchange.lifecycle.set_floor(market, price, self.exchange.clock())
        return ApiResponse({"ticker": market.ticker, "floor": body.text("floor")})

    def scopes(self, request: ApiRequest) -> ApiResponse:
        """Set the scopes of an API key."""
        body = JsonBody.decode(request.body)
        key_id, scopes = body.text("key_id"), body.items("scopes")
        if self.authenticator is None or key_id not in self.authenticator.scopes:
            raise not_found("API key not found")
        self.authenticator.scopes[key_id] = tuple(str(scope) for scope in scopes)
        return ApiResponse({"key_id": key_id, "scopes": scopes})

    def attestation(self, request: ApiRequest) -> ApiResponse:
        """Set the seconds until the location attestation expires; absent: it never does."""
        seconds = JsonBody.decode(request.body).number("seconds")
        self.exchange.attested_until = None if seconds is None else self.exchange.clock() + seconds
        return ApiResponse({"attested_until": self.exchange.attested_until})

    def _market(self, request: ApiRequest) -> tuple[JsonBody, SimulatedMarket]:
        body = JsonBody.decode(request.body)
        return body, self.exchange.engine.market(body.text("ticker"))


def _status(market: SimulatedMarket) -> ApiResponse:
    return ApiResponse({"ticker": market.ticker, "status": market.status})


def _settlement_value(result: str, body: JsonBody, market: SimulatedMarket) -> int:
    """Return the price that one YES pays; a scalar value is rounded down to whole cents."""
    fixed = {"yes": DOLLAR, "no": 0, "void": market.round_to_cent(market.mark())}.get(result)
    return body.price("value") // 100 * 100 if fixed is None else fixed


def _shard(body: JsonBody) -> int:
    shard = body.integer("exchange_index") or 0
    if shard not in SHARDS:
        raise malformed_body(f"exchange_index: expected one of {SHARDS}")
    return shard


def _transfer(body: JsonBody) -> tuple[int, int, str, TransferStatus, int]:
    """Return amount and fee in cents, payment method, status and shard."""
    amount, fee = body.integer("amount_cents") or 0, body.integer("fee_cents") or 0
    if amount <= 0 or fee < 0:
        raise malformed_body("amount_cents: expected a positive integer; fee_cents: expected 0 or more")
    method, status = body.choice("type", METHODS, "ach"), body.choice("status", STATUSES, "applied")
    return amount, fee, method, status, _shard(body)
