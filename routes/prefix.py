"""The prefix of every URL; the files in deploy/ and web/ use the same one."""

from typing import Final

from starlette.types import Scope

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
