"""The bot over HTTP on 127.0.0.1: how it is, what it traded, and, for who brings the token, pause and halt."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from bot.errors import VenueError
from bot.trade_log import TradeLog, TradePage
from cache.decimal_json import dumps

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WINDOW = 100  # trades of the plain form
_MOST = 1000  # trades of one answer
_LONGEST = 30.0  # seconds a reader may wait
_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class BotCommands(Protocol):
    """What the bot lets others see and do."""

    @property
    def trade_log(self) -> TradeLog:
        """The trades."""
        ...

    def status(self) -> Mapping[str, Any]:
        """How it is, JSON-ready."""
        ...

    async def pause(self) -> None:
        """No new entries; exits go on."""
        ...

    async def resume(self) -> None:
        """Entries again."""
        ...

    async def halt(self) -> None:
        """Stop trading and cancel what rests; raises VenueError when that could not be verified yet."""
        ...

    async def clear(self) -> None:
        """Forget the halts."""
        ...


class BadQuery(ValueError):
    """A query parameter that cannot be read."""


class BotApi:
    """The URLs. token "": nobody may command."""

    def __init__(self, controls: BotCommands, token: str) -> None:
        self._controls = controls
        self._token = token

    def app(self) -> web.Application:
        """The application, ready for a runner."""
        app = web.Application(middlewares=[self._guard])
        for path in ("/health", "/status"):
            app.router.add_get(path, self._status)
        app.router.add_get("/trades", self._trades)
        if self._token:
            for name in ("pause", "resume", "halt", "clear"):
                app.router.add_post(f"/{name}", self._command)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse other host names, so that no web page can reach us by rebinding its own; errors are JSON."""
        host = request.headers.get("Host", "").lower()
        name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
        if name not in _HOSTS:
            return _json({"error": "forbidden", "message": "this bot answers to localhost only"}, 403)
        try:
            return await handler(request)
        except VenueError as error:
            return _json({"error": "unavailable", "message": str(error)}, 503, {"Retry-After": "5"})
        except BadQuery as error:
            return _json({"error": "bad_request", "message": str(error)}, 400)
        except web.HTTPMethodNotAllowed as error:
            allow = ", ".join(sorted(error.allowed_methods))
            return _json({"error": "method_not_allowed", "message": f"use {allow}"}, 405, {"Allow": allow})
        except web.HTTPException as error:
            return _json({"error": error.reason.lower().replace(" ", "_"), "message": error.reason}, error.status)

    async def _status(self, request: web.Request) -> web.Response:
        return _json(self._controls.status())

    async def _trades(self, request: web.Request) -> web.Response:
        """The last hundred; or those after a seq, for which a reader may wait."""
        trade_log = self._controls.trade_log
        after = _whole(request, "after", 0, 2**53)
        if after is None:
            return self._window(request, trade_log.last(_whole(request, "limit", 1, _MOST) or _WINDOW))
        wait = _seconds(request, "wait")
        if wait:
            await trade_log.wait(after, min(wait, _LONGEST))
        return _page(trade_log.after(after, _whole(request, "limit", 1, _MOST) or _WINDOW), {})

    @staticmethod
    def _window(request: web.Request, page: TradePage) -> web.Response:
        tag = f'W/"{page.boot_id}-{page.seq}-{page.count}"'
        if tag in (seen.strip() for seen in request.headers.get("If-None-Match", "").split(",")):
            return web.Response(status=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
        return _page(page, {"ETag": tag, "Cache-Control": "no-cache"})

    async def _command(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            told = {"error": "unauthorized", "message": "bring the bot's token: Authorization: Bearer …"}
            return _json(told, 401, {"WWW-Authenticate": "Bearer"})
        await getattr(self._controls, request.path.removeprefix("/"))()
        return _json(self._controls.status())


def _page(page: TradePage, headers: Mapping[str, str]) -> web.Response:
    told = {"trades": page.trades, "count": page.count, "boot_id": page.boot_id, "seq": page.seq, "oldest": page.oldest}
    return _json(told, 200, headers)


def _json(value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    told = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(text=dumps(value), status=status, headers=told, content_type="application/json")


def _whole(request: web.Request, name: str, least: int, most: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        raise BadQuery(f"{name}: a whole number from {least} to {most} was expected, not {text[:40]!r}")
    return int(text)


def _seconds(request: web.Request, name: str) -> float:
    text = request.query.get(name, "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 3600:
        raise BadQuery(f"{name}: seconds from 0 to {_LONGEST:.0f} were expected, not {text[:40]!r}")
    return seconds
