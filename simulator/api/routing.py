"""Requests, responses and the table of routes; no network in here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multidict import MultiDict, MultiMapping

from simulator.errors import nested_error, not_found

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """path: percent-decoded, from the root. params: the values of {names} in the route's path."""

    method: str
    path: str
    query: MultiMapping[str] = field(default_factory=MultiDict)
    body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """body: a JSON value, None for an empty body."""

    body: Any = None
    status: int = 200


RouteHandler = Callable[[ApiRequest], ApiResponse]


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """billed: the dispatcher bills the request; a handler that bills by itself sets it to False."""

    method: str
    path: str
    handler: RouteHandler
    billed: bool = True


class RouteTable:
    """Find the route of a request; a literal path wins over one with {names}."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._literal: dict[str, dict[str, ApiRoute]] = {}
        self._templates: dict[tuple[str, ...], dict[str, ApiRoute]] = {}

    def add(self, *routes: ApiRoute) -> None:
        """Add routes."""
        for route in routes:
            if "{" in route.path:
                methods = self._templates.setdefault(tuple(route.path.split("/")), {})
            else:
                methods = self._literal.setdefault(route.path, {})
            methods[route.method] = route

    def find(self, method: str, path: str) -> tuple[ApiRoute, dict[str, str]]:
        """Return the route and the values of its {names}. Raises ApiError 404 or 405."""
        if not path.startswith(self._prefix):
            raise not_found("page not found")
        path = path.removeprefix(self._prefix)
        known = path in self._literal
        if known and method in self._literal[path]:
            return self._literal[path][method], {}
        segments = path.split("/")
        for template, methods in self._templates.items():
            params = _match(template, segments)
            if params is not None:
                known = True
                if method in methods:
                    return methods[method], params
        raise nested_error(405, "method_not_allowed") if known else not_found("page not found")


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    params = {}
    for wanted, segment in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            if not segment:
                return None
            params[wanted[1:-1]] = segment
        elif wanted != segment:
            return None
    return params
