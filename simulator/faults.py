"""What goes wrong on demand: each fault has a kind, says which requests it hits, and how often."""

import fnmatch
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

KINDS: Final[dict[str, str]] = {
    "latency": "answers wait `seconds`",
    "error": "answers `status` (default 500) with a server error's body",
    "rate_limit": "answers 429",
    "drop": "closes the connection without an answer; `after`: true does the work first",
    "half": "does the work and sends half of the answer",
    "stale": "account reads and user_data_timestamp trail by `seconds`",
    "trading_pause": "no create, no amend; cancels work; /exchange/status says so",
    "exchange_pause": "no order operation at all",
    "maintenance": "503 everywhere; sockets are cut",
    "field": "`op` rename | remove | retype of `field` (anywhere in the answer), rename `to` a name",
    "ws_lose": "a data frame of the socket is not sent; `channel` limits it",
    "ws_double": "a data frame of the socket is sent twice; `channel` limits it",
    "ws_cut": "cuts all sockets, once",
}
_OPTIONS: Final[dict[str, type | tuple[type, ...]]] = {
    "path": str,
    "method": str,
    "times": int,
    "skip": int,
    "seconds": (int, float),
    "status": int,
    "after": bool,
    "op": str,
    "field": str,
    "to": str,
    "channel": str,
}


@dataclass(slots=True)
class Fault:
    """path: a pattern such as */portfolio/*; times: how many hits are left, None for ever; skip: hits to let pass."""

    id: int
    kind: str
    path: str = "*"
    method: str = ""
    times: int | None = None
    skip: int = 0
    seconds: float = 1.0
    status: int = 500
    after: bool = False
    op: str = "remove"
    field: str = ""
    to: str = ""
    channel: str = ""
    hits: int = 0

    def concerns(self, method: str, path: str) -> bool:
        """Whether a request is one that this fault hits."""
        return fnmatch.fnmatchcase(path, self.path) and self.method.upper() in ("", method)


@dataclass(slots=True)
class Faults:
    """The faults in force. changed: called after each change."""

    changed: Callable[[], None] = lambda: None
    active: dict[int, Fault] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, options: dict[str, Any]) -> Fault:
        """Put a fault in force. Raises ValueError for options that make none."""
        options = dict(options)
        kind = options.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"kind: one of {', '.join(KINDS)} was expected, not {kind!r}")
        for name, value in options.items():
            if name not in _OPTIONS or not isinstance(value, _OPTIONS[name]):
                raise ValueError(f"{name}: not an option of a fault, or of the wrong type")
        known = options.get("op", "remove") in ("rename", "remove", "retype")
        if kind == "field" and not (known and options.get("field")):
            raise ValueError("field: name the `field` and an `op`: rename, remove or retype")
        self._last_id += 1
        fault = self.active[self._last_id] = Fault(self._last_id, kind, **options)
        self.changed()
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all. Raises KeyError for an unknown one."""
        if fault_id is None:
            self.active.clear()
        else:
            del self.active[fault_id]
        self.changed()

    def hit(self, kind: str, method: str = "", path: str = "", channel: str = "") -> Fault | None:
        """The first fault of this kind that strikes now, if any; counts it."""
        return next(self.hits(kind, method, path, channel), None)

    def hits(self, kind: str, method: str = "", path: str = "", channel: str = "") -> Iterator[Fault]:
        """All faults of this kind that strike now; each is counted as it is taken."""
        for fault in list(self.active.values()):
            if fault.kind != kind or not fault.concerns(method, path) or fault.channel not in ("", channel):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    del self.active[fault.id]
            yield fault

    def on(self, kind: str) -> Fault | None:
        """The fault of this kind in force, uncounted."""
        return next((fault for fault in self.active.values() if fault.kind == kind), None)


def edit(body: str, fault: Fault) -> str:
    """An answer with a field renamed, removed or retyped, wherever it stands."""
    return json.dumps(_edited(json.loads(body), fault))


def _edited(value: Any, fault: Fault) -> Any:
    if isinstance(value, list):
        return [_edited(item, fault) for item in value]
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for name, item in value.items():
        if name != fault.field:
            out[name] = _edited(item, fault)
        elif fault.op == "rename":
            out[fault.to or f"{name}_v2"] = item
        elif fault.op == "retype":
            out[name] = _retyped(item)
    return out


def _retyped(item: Any) -> Any:
    """A string becomes a number where it can, a number a string, all else a string."""
    if isinstance(item, str):
        try:
            return float(item)
        except ValueError:
            return 0
    return str(item)
