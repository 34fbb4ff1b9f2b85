"""The bot over HTTP on 127.0.0.1: status, trades, decisions, and commands that need the token."""

import hmac
import re
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
    """The operations behind the URLs."""

    @property
    def trade_log(self) -> TradeLog:
        """The trades of this run."""
        ...

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-ready."""
        ...

    def decisions(self) -> Mapping[str, Any]:
        """Return the last decisions, JSON-ready."""
        ...

    async def pause(self) -> None:
        """Open nothing new."""
        ...

    async def resume(self) -> None:
        """End a pause."""
        ...

    async def halt(self) -> None:
        """Stop trading and cancel what rests. Raises VenueError if that is not confirmed yet."""
        ...

    async def clear(self) -> None:
        """Remove the halts."""
        ...


class InvalidQuery(ValueError):
    """A query parameter that cannot be read."""


class BotApi:
    """The URLs. token "": without commands."""

    def __init__(self, commands: BotCommands, token: str) -> None:
        self._commands = commands
        self._token = token

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._guard])
        for path in ("/health", "/status"):
            app.router.add_get(path, self._status)
        app.router.add_get("/trades", self._trades)
        app.router.add_get("/decisions", self._decisions)
        if self._token:
            for name in ("pause", "resume", "halt", "clear"):
                app.router.add_post(f"/{name}", self._command)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse other host names, so that a web page cannot reach the bot by DNS rebinding; errors are JSON."""
        host = request.headers.get("Host", "").lower()
        name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
        if name not in _HOSTS:
            return _json({"error": "forbidden", "message": "this bot answers to localhost only"}, 403)
        try:
            return await handler(request)
        except VenueError as error:
            return _json({"error": "unavailable", "message": str(error)}, 503, {"Retry-After": "5"})
        except InvalidQuery as error:
            return _json({"error": "bad_request", "message": str(error)}, 400)
        except web.HTTPMethodNotAllowed as error:
            allow = ", ".join(sorted(error.allowed_methods))
            return _json({"error": "method_not_allowed", "message": f"use {allow}"}, 405, {"Allow": allow})
        except web.HTTPException as error:
            return _json({"error": error.reason.lower().replace(" ", "_"), "message": error.reason}, error.status)

    async def _status(self, request: web.Request) -> web.Response:
        return _json(self._commands.status())

    async def _decisions(self, request: web.Request) -> web.Response:
        return _json(self._commands.decisions())

    async def _trades(self, request: web.Request) -> web.Response:
        """Answer with the last hundred, or with those after a seq, for which a reader may wait."""
        log = self._commands.trade_log
        after = _whole(request, "after", 0, 2**53)
        limit = _whole(request, "limit", 1, _MOST) or _WINDOW
        if after is None:
            return self._window(request, log.last(limit))
        if wait := _seconds(request, "wait"):
            await log.wait(after, min(wait, _LONGEST))
        return _page(log.after(after, limit), {})

    @staticmethod
    def _window(request: web.Request, page: TradePage) -> web.Response:
        tag = f'W/"{page.boot_id}-{page.seq}-{page.count}"'
        if tag in (seen.strip() for seen in request.headers.get("If-None-Match", "").split(",")):
            return web.Response(status=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
        return _page(page, {"ETag": tag, "Cache-Control": "no-cache"})

    async def _command(self, request: web.Request) -> web.Response:
        # bytes that are not UTF-8 arrive as surrogates, which only this handler can encode
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            message = "send the bot's token: Authorization: Bearer …"
            return _json({"error": "unauthorized", "message": message}, 401, {"WWW-Authenticate": "Bearer"})
        await getattr(self._commands, request.path.removeprefix("/"))()
        return _json(self._commands.status())


def _page(page: TradePage, headers: Mapping[str, str]) -> web.Response:
    body = {"trades": page.trades, "count": page.count, "boot_id": page.boot_id, "seq": page.seq, "oldest": page.oldest}
    return _json(body, 200, headers)


def _json(value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(text=dumps(value), status=status, headers=all_headers, content_type="application/json")


def _whole(request: web.Request, name: str, least: int, most: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,20}", text) or not least <= int(text) <= most:
        raise InvalidQuery(f"{name}: expected an integer from {least} to {most}, got {text[:40]!r}")
    return int(text)


def _seconds(request: web.Request, name: str) -> float:
    text = request.query.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", text) or float(text) >= 3600:
        raise InvalidQuery(f"{name}: expected seconds from 0 to {_LONGEST:.0f}, got {text[:40]!r}")
    return float(text)
