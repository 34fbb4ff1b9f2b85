"""The exchange's port as a web application: every route, the gate before them."""

from aiohttp import web

from simulator.annex import Annex
from simulator.auth import Doorman
from simulator.desk import Desk
from simulator.gate import PREFIX, Gate
from simulator.history import History
from simulator.membership import Membership
from simulator.portfolio import Portfolio
from simulator.public import Public
from simulator.sockets import Sockets
from simulator.trading import Trading


def make_app(desk: Desk, doorman: Doorman, sockets: Sockets) -> web.Application:
    """REST under /trade-api/v2, the socket at /trade-api/ws/v2."""
    app = web.Application(middlewares=[Gate(desk, doorman).middleware()])
    for family in (Public(desk), Portfolio(desk), History(desk), Membership(desk), Annex(desk)):
        for path, handler in family.routes().items():
            app.router.add_get(PREFIX + path, handler)
    for method, path, handler in Trading(desk).routes():
        app.router.add_route(method, PREFIX + path, handler)
    app.router.add_get("/trade-api/ws/v2", sockets.serve)
    return app
