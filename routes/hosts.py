"""The names by which this service may be called: a page of another name cannot read it through DNS rebinding."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from kalshi.environments import is_loopback
from routes.prefix import PROBES, path_in_app
from routes.problems import Problem, render


class AllowedHostsMiddleware:
    """Refuse a request whose Host is not allowed with a 421; the probes of a load balancer are exempt.

    allowed: names or addresses, `*.name` for all subdomains. Without any, only loopback names are allowed on a
    connection to a loopback address, and every name on another one.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self.app = app
        self.names = frozenset(name for name in allowed if not name.startswith("*."))
        self.suffixes = tuple(name[1:] for name in allowed if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_allowed(scope) or path_in_app(scope).rstrip("/") in PROBES:
            await self.app(scope, receive, send)
            return
        shown = ", ".join(value.decode("latin-1") for value in _hosts(scope))[:60]
        detail = f"Host: expected a name that ALLOWED_HOSTS lists, got {shown!r}"
        await render(Problem(421, detail), scope)(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        if not self.names and not self.suffixes:
            server = scope.get("server")
            if server is None or not is_loopback(str(server[0])):
                return True
        hosts = _hosts(scope)
        return len(hosts) == 1 and self._is_listed(host_name(hosts[0].decode("latin-1")))

    def _is_listed(self, host: str) -> bool:
        if not self.names and not self.suffixes:
            return is_loopback(host)
        return host in self.names or (bool(self.suffixes) and host.endswith(self.suffixes))


def _hosts(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


def host_name(host: str) -> str:
    """Return the name in a Host header: without port, dot at the end and brackets, in lower case."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.strip().lower()
    return name.strip("[]").removesuffix(".")
