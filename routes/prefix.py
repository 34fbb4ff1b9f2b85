"""The prefix under which everything lies; the files in deploy/ and web/ count on the same one."""

from typing import Final

from starlette.types import Scope

PREFIX: Final = "/api/python"


def mount_path(scope: Scope) -> str:
    """What a proxy in front puts ahead of the prefix (uvicorn's --root-path); mostly nothing."""
    found: str = scope.get("app_root_path", scope.get("root_path", ""))  # the first is the second, kept by a Mount
    return found


def path_in_app(scope: Scope) -> str:
    """The path as our table has it."""
    path: str = scope["path"]
    return path.removeprefix(mount_path(scope))
