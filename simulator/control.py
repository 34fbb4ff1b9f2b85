"""The second port, for tests and demonstrations: faults on and off, the hand of fate, and the truth."""

import hmac
import json
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from simulator.desk import Desk
from simulator.fate import Fate
from simulator.faults import KINDS
from simulator.gate import Handler, answer
from simulator.refusal import Refusal, refuse
from simulator.sockets import Sockets
from simulator.units import cash_text
from simulator.wire import fill_row, order_row, position_row, settlement_row

HELP: Final = {
    "token": "send it as `Authorization: Bearer TOKEN`",
    "GET /faults": "the faults in force",
    "POST /faults": {
        "kind": KINDS,
        "path": "pattern of the path, such as */portfolio/* (default all)",
        "method": "GET, POST … (default all)",
        "times": "lift it after so many hits",
        "skip": "let so many requests pass first",
    },
    "DELETE /faults": "lift all",
    "DELETE /faults/{id}": "lift one",
    "POST /fill": "{ticker, side bid|ask, count, price?}: the account trades outside the bot, now; tells the fill_id",
    "POST /quote": "{ticker, bid, ask, count}: the crowd's only quotes in this market, until it quotes again",
    "POST /take": "{ticker, side, count, price}: somebody trades against the book, so that resting orders fill",
    "POST /settle": "{ticker, result yes|no|scalar|void, value?}: close, determine and pay at once",
    "POST /close": "{ticker}: end trading",
    "POST /halt": "{ticker}: pause one market",
    "POST /resume": "{ticker}",
    "POST /advance": "{seconds}: let the schedule pass",
    "POST /cutoff": "{seconds}: rows older than this move to the historical tier",
    "POST /tier": "{tier}: other token buckets",
    "GET /ledger": "the truth: cash, start, positions, fills, orders, open markets, whatever the reads say",
}


class Control:
    """Handlers of the control port."""

    def __init__(self, desk: Desk, sockets: Sockets, token: str) -> None:
        self.desk = desk
        self.sockets = sockets
        self._token = token

    def app(self) -> web.Application:
        """The application for the port."""
        app = web.Application(middlewares=[self._middleware()])
        app.router.add_get("/", self.help)
        app.router.add_get("/faults", self.faults)
        app.router.add_post("/faults", self.add_fault)
        app.router.add_delete("/faults", self.clear_faults)
        app.router.add_delete("/faults/{id}", self.clear_faults)
        app.router.add_get("/ledger", self.ledger)
        for deed in Fate(self.desk).deeds():
            app.router.add_post(f"/{deed.__name__}", deed)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            sent = request.headers.get("Authorization", "")
            try:
                if request.path != "/" and not hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
                    raise refuse(401, "token_needed", "send Authorization: Bearer and the token of the first line")
                return await handler(request)
            except Refusal as refusal:
                return answer(refusal.body, refusal.status)
            except ValueError as error:
                return answer({"error": {"code": "bad_request", "message": str(error)}}, 400)

        return guard

    async def help(self, request: web.Request) -> web.Response:
        """What this port can do."""
        return web.Response(text=json.dumps(HELP, indent=2), content_type="application/json")

    async def faults(self, request: web.Request) -> web.Response:
        """The faults in force."""
        return answer({"faults": [asdict(fault) for fault in self.desk.faults.active.values()]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Put one in force; a state such as a pause works at once."""
        options = json.loads(await request.read())
        if not isinstance(options, dict):
            raise ValueError("a JSON object was expected")
        fault = self.desk.faults.add(options)
        if fault.kind in ("ws_cut", "maintenance"):
            self.sockets.cut()
        if fault.kind == "ws_cut":
            self.desk.faults.clear(fault.id)
        return answer(asdict(fault), 201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Lift one or all."""
        known = request.match_info.get("id")
        try:
            self.desk.faults.clear(int(known) if known else None)
        except KeyError:
            raise refuse(404, "not_found") from None
        return web.Response(status=204)

    async def ledger(self, request: web.Request) -> web.Response:
        """The books as the engine keeps them, without lag or fault."""
        desk, truth = self.desk, self.desk.truth
        truth.catch_up()
        return answer(
            {
                "start_dollars": cash_text(desk.plan.cash * 1_000_000),
                "cash_dollars": cash_text(desk.member.cash),
                "positions": [position_row(ticker, p) for ticker, p in desk.member.positions.items()],
                "held_dollars": cash_text(desk.member.held()),
                "fills": [fill_row(fill) for fill in truth.fills],
                "orders": [order_row(order) for order in truth.orders.values()],
                "markets": [m.ticker for m in desk.exchange.markets.values() if m.state == "active"],
                "settlements": [settlement_row(paid) for paid in truth.settlements],
            }
        )
