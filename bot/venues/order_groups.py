"""Order groups: the exchange cancels a whole group once more than a number of contracts matched within 15 seconds.

A group that was triggered refuses orders until it is reset. Groups do not span shards, so there is one for each
(Kalshi docs: order groups). Where the exchange offers none, orders are sent without.
"""

import logging
from collections.abc import MutableMapping
from urllib.parse import quote

from bot.throttle import Throttle
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError, NotFound, Refused
from kalshi.records import RecordReader

log = logging.getLogger(__name__)

_PATH = "/portfolio/order_groups"
_RESET_AFTER = 15.0  # seconds: the exchange's own window
_RETRY_AFTER = 60.0  # seconds between tries to create a group or to set its limit


class BotOrderGroups:
    """One group per shard. limit: contracts within 15 s, 0 for no groups. ids: stored over restarts."""

    def __init__(self, client: KalshiClient, limit: int, ids: MutableMapping[str, str], throttle: Throttle) -> None:
        self._client = client
        self._limit = limit
        self._throttle = throttle
        # all mutable state: group ids by shard, shards whose group has this run's limit, if the exchange offers groups
        self._ids = ids
        self._limited: set[str] = set()
        self._offered = limit > 0

    async def group_for(self, shard: int) -> str:
        """Return the id of the shard's group; "" if there is none now. The first call creates it or sets its limit."""
        key = str(shard)
        if not self._offered:
            return ""
        if key in self._ids and key not in self._limited and self._throttle.due(f"limit {key}", _RETRY_AFTER):
            await self._set_limit(key)
        if key not in self._ids and self._throttle.due(f"group {key}", _RETRY_AFTER):
            await self._create(key)
        return self._ids.get(key, "")

    async def handle_rejection(self, shard: int) -> None:
        """Reset the shard's group after it refused an order; drop it if the exchange does not have it."""
        key = str(shard)
        group = self._ids.get(key)
        if group is None or not self._throttle.due(f"reset {key}", _RESET_AFTER):
            return
        log.warning("order group %s was triggered or is unknown: resetting it, orders of its shard wait", group)
        try:
            await self._client.request("PUT", f"{_PATH}/{quote(group, safe='')}/reset", json={})
        except NotFound:
            del self._ids[key]
        except KalshiError as error:
            log.warning("order group %s cannot be reset (%s); trying again in %.0f s", group, error, _RESET_AFTER)

    async def _set_limit(self, key: str) -> None:
        """Set the limit of a group that an earlier run created; drop the group if the exchange does not have it."""
        path = f"{_PATH}/{quote(self._ids[key], safe='')}/limit"
        try:
            await self._client.request("PUT", path, json={"contracts_limit": self._limit})
            self._limited.add(key)
        except NotFound:
            del self._ids[key]
        except KalshiError as error:
            log.warning("the limit of an order group is not set (%s); trying again in %.0f s", error, _RETRY_AFTER)

    async def _create(self, key: str) -> None:
        body: dict[str, int] = {"contracts_limit": self._limit}
        if key != "0":
            body["exchange_index"] = int(key)
        if self._client.subaccount:
            body["subaccount"] = self._client.subaccount
        try:
            answer = await self._client.request("POST", f"{_PATH}/create", json=body)
            self._ids[key] = RecordReader(answer, f"POST {_PATH}/create").text("order_group_id")
            self._limited.add(key)
        except Refused as error:
            self._offered = error.status not in (404, 405, 410, 501)
            log.info("no order group (%s); orders are sent without one", error)
        except KalshiError as error:
            log.info("no order group yet (%s); trying again in %.0f s", error, _RETRY_AFTER)
