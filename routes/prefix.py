"""The prefix of every URL, which deploy/ and web/ use too; paths and services in the scope of a request."""

from typing import TYPE_CHECKING, Final, cast

from starlette.types import Scope

if TYPE_CHECKING:
    from routes.services import Services

PREFIX: Final = "/api/python"
STREAM_PATHS: Final = tuple(f"{PREFIX}/sse/{name}" for name in ("trading", "trades", "portfolio", "status"))
PROBES: Final = (f"{PREFIX}/health/live", f"{PREFIX}/health/ready")


def mount_path(scope: Scope) -> str:
    """Return the path before the prefix, which a proxy or an outer application adds; mostly empty."""
    found: str = scope.get("app_root_path", scope.get("root_path", ""))
    return found


def path_in_app(scope: Scope) -> str:
    """Return the path as the table of URLs has it, prefix included."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path


def get_services(scope: Scope) -> "Services":
    """Return the services of the worker that serves this request."""
    return cast("Services", scope["state"]["services"])
