"""Injected faults: each has a kind, a pattern of the requests that it hits, and a number of hits."""

import fnmatch
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.errors import ApiError, nested_error

KINDS: Final[dict[str, str]] = {
    "latency": "responses wait `seconds`",
    "error": "responses have `status` (default 500); `code`, `message`, `details` replace the texts of the error body, "
    "control characters included",
    "refuse": "requests are refused for `reason`, one of GET /reasons",
    "rate_limit": "responses are 429",
    "redirect": "responses are `status` (default 302) to the URL `to`; also on the WebSocket handshake",
    "drop": "closes the connection without a response; `after`: true does the work first",
    "half": "does the work and sends half of the response",
    "stale": "account reads and user_data_timestamp trail by `seconds`",
    "trading_pause": "no create, no amend; cancels work; /exchange/status reports it",
    "exchange_pause": "no order operation at all",
    "maintenance": "503 everywhere; sockets are cut",
    "field": "`op` rename | remove | retype of `field` (anywhere in the response), rename `to` a name",
    "ws_lose": "a data frame of the socket is not sent; `channel` limits it",
    "ws_double": "a data frame of the socket is sent twice; `channel` limits it",
    "ws_cut": "cuts all sockets, once",
}
REASONS: Final[dict[str, ApiError]] = {
    "no_cash": nested_error(400, "insufficient_balance"),
    "price": nested_error(400, "invalid_price"),
    "size": nested_error(400, "invalid_order_size"),
    "market_inactive": nested_error(400, "MARKET_INACTIVE", message="market is not active"),
    "trading_paused": nested_error(400, "trading_is_paused"),
    "exchange_paused": nested_error(400, "exchange_is_paused"),
    "key": nested_error(401, "authentication_error", "NOT_FOUND", "authentication_error"),
    "signature": nested_error(401, "authentication_error", "INCORRECT_API_KEY_SIGNATURE", "authentication_error"),
    "clock": nested_error(401, "header_timestamp_expired"),
    "scope": nested_error(403, "forbidden", "API key lacks the scope write::trade"),
    "attestation": nested_error(403, "forbidden", "location attestation has expired"),
    "subaccount": nested_error(403, "forbidden", "subaccount not found"),
    "shard": nested_error(404, "not_found", "market not found on this exchange index"),
    "client_order_id": nested_error(409, "order_already_exists"),
}
"""Reason of the kind `refuse` -> the error. 403 texts are not documented."""
_OPTIONS: Final[dict[str, type | tuple[type, ...]]] = {
    "path": str,
    "method": str,
    "times": int,
    "skip": int,
    "seconds": (int, float),
    "status": int,
    "code": str,
    "message": str,
    "details": str,
    "reason": str,
    "after": bool,
    "op": str,
    "field": str,
    "to": str,
    "channel": str,
}


@dataclass(slots=True)
class InjectedFault:
    """path: a pattern such as */portfolio/*. times: hits left, None without limit. skip: matches to let pass first."""

    id: int
    kind: str
    path: str = "*"
    method: str = ""
    times: int | None = None
    skip: int = 0
    seconds: float = 1.0
    status: int = 0
    code: str = ""
    message: str = ""
    details: str = ""
    reason: str = ""
    after: bool = False
    op: str = "remove"
    field: str = ""
    to: str = ""
    channel: str = ""
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Return True if the fault hits this request."""
        return fnmatch.fnmatchcase(path, self.path) and self.method.upper() in ("", method)

    def error(self) -> ApiError:
        """Return the error of the kinds `error` and `refuse`."""
        if self.kind == "refuse":
            return REASONS[self.reason]
        status = self.status or 500
        code = self.code or ("internal_server_error" if status == 500 else "service_unavailable")
        return nested_error(status, code, self.details or None, self.message or None)


@dataclass(slots=True)
class FaultTable:
    """The active faults. on_change is called after each change."""

    on_change: Callable[[], None] = lambda: None
    active: dict[int, InjectedFault] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, options: dict[str, Any]) -> InjectedFault:
        """Activate a fault. Raises ValueError for invalid options."""
        options = dict(options)
        kind = options.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
        for name, value in options.items():
            if name not in _OPTIONS or not isinstance(value, _OPTIONS[name]):
                raise ValueError(f"{name}: not an option of a fault, or of the wrong type")
        if kind == "field" and not (
            options.get("op", "remove") in ("rename", "remove", "retype") and options.get("field")
        ):
            raise ValueError("field: expected the name of a `field` and an `op` of rename, remove, retype")
        if kind == "refuse" and options.get("reason") not in REASONS:
            raise ValueError(f"reason: expected one of {', '.join(REASONS)}, got {options.get('reason')!r}")
        if kind == "redirect" and not options.get("to"):
            raise ValueError("to: expected the URL of the redirect")
        self._last_id += 1
        fault = self.active[self._last_id] = InjectedFault(self._last_id, kind, **options)
        self.on_change()
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all. Raises KeyError for an unknown one."""
        if fault_id is None:
            self.active.clear()
        else:
            del self.active[fault_id]
        self.on_change()

    def hit(self, kind: str, method: str = "", path: str = "", channel: str = "") -> InjectedFault | None:
        """Return and count the first fault of this kind that hits, or None."""
        return next(self.hits(kind, method, path, channel), None) if self.active else None

    def hits(self, kind: str, method: str = "", path: str = "", channel: str = "") -> Iterator[InjectedFault]:
        """Yield all faults of this kind that hit; each is counted when it is yielded."""
        for fault in list(self.active.values()):
            if fault.kind != kind or not fault.matches(method, path) or fault.channel not in ("", channel):
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

    def find(self, kind: str) -> InjectedFault | None:
        """Return an active fault of this kind without counting it, or None."""
        if not self.active:
            return None
        return next((fault for fault in self.active.values() if fault.kind == kind), None)


def edit_field(value: Any, fault: InjectedFault) -> Any:
    """Return a JSON value with the fault's field renamed, removed or retyped wherever it occurs."""
    if isinstance(value, list):
        return [edit_field(item, fault) for item in value]
    if not isinstance(value, dict):
        return value
    edited: dict[str, Any] = {}
    for name, item in value.items():
        if name != fault.field:
            edited[name] = edit_field(item, fault)
        elif fault.op == "rename":
            edited[fault.to or f"{name}_v2"] = item
        elif fault.op == "retype":
            edited[name] = _retype(item)
    return edited


def _retype(item: Any) -> Any:
    """Return a number for a string (0 if it is not numeric), and a string for anything else."""
    if isinstance(item, str):
        try:
            return float(item)
        except ValueError:
            return 0
    return item if isinstance(item, str) else json.dumps(item)
