"""kalshi-sdk on the simulator: REST with its strict models, and every private channel of the socket."""

import asyncio
import time
import uuid
from typing import Any

from steps import EVENT, KEY_ID, KEY_PATH, SERIES, SETTLED, TICKER, URL, WS_URL, async_step, check, finish, step

from kalshi import KalshiClient, KalshiConfig
from kalshi.auth import KalshiAuth
from kalshi.models.orders import AmendOrderV2Request, CreateOrderV2Request, DecreaseOrderV2Request
from kalshi.ws.client import KalshiWebSocket

config = KalshiConfig(base_url=URL, ws_base_url=WS_URL, max_retries=0)
client = KalshiClient(key_id=KEY_ID, private_key_path=KEY_PATH, config=config)


def request(**changes: Any) -> CreateOrderV2Request:
    """Return a bid of 5 contracts at 0.02, with changes."""
    body = {
        "ticker": TICKER,
        "side": "bid",
        "count": "5",
        "price": "0.02",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "client_order_id": str(uuid.uuid4()),
    }
    return CreateOrderV2Request(**body | changes)


def rest() -> None:
    """Call REST."""
    orders, account, groups, now = client.orders, client.portfolio, client.order_groups, int(time.time())
    placed = step("create", lambda: orders.create_v2(request=request()))
    amendment = AmendOrderV2Request(ticker=TICKER, side="bid", price="0.03", count="6")
    step("amend", lambda: orders.amend_v2(placed.order_id, request=amendment))
    step("decrease", lambda: orders.decrease_v2(placed.order_id, request=DecreaseOrderV2Request(reduce_by="1")))
    step("cancel", lambda: orders.cancel_v2(placed.order_id, market_ticker=TICKER))
    step("cancel all", orders.cancel_all_v2)
    for name in (
        "balance", "positions", "fills", "deposits", "withdrawals", "intra_exchange_transfers",
        "total_resting_order_value", "target_balance_allocation",
    ):  # fmt: skip
        step(name, getattr(account, name))
    settlements = step("settlements", account.settlements)
    check("settled market", [row.ticker for row in settlements.items], [SETTLED])
    group = step("create group", lambda: groups.create(contracts_limit=5))
    for name in ("get", "trigger", "reset"):
        step(f"group {name}", lambda name=name: getattr(groups, name)(group.order_group_id))
    step("group limit", lambda: groups.update_limit(group.order_group_id, contracts_limit=7))
    step("groups", groups.list)
    step("group delete", lambda: groups.delete(group.order_group_id))
    span = {"start_ts": now - 3600, "end_ts": now + 3600, "period_interval": 1}
    step("bulk candlesticks", lambda: client.markets.bulk_candlesticks(market_tickers=[TICKER], **span))
    step("candlesticks", lambda: client.markets.candlesticks(SERIES, TICKER, **span))
    step("event candlesticks", lambda: client.series.event_candlesticks(SERIES, EVENT, **span))
    step("metadata", lambda: client.events.metadata(EVENT))
    step("markets", client.markets.list)
    step("order book", lambda: client.markets.orderbook(TICKER))


async def channels() -> None:
    """Subscribe to the private channels and trade once."""
    auth = KalshiAuth.from_key_path(KEY_ID, KEY_PATH)
    async with KalshiWebSocket(auth, config).connect() as socket:
        streams = {
            "user orders": await socket.subscribe_user_orders(),
            "fills": await socket.subscribe_fill(),
            "market positions": await socket.subscribe_market_positions(),
            "order groups": await socket.subscribe_order_group(),
            "trades": await socket.subscribe_trade(tickers=[TICKER]),
            "book": await socket.subscribe_orderbook_delta(tickers=[TICKER]),
        }
        taking = request(price="0.45", time_in_force="immediate_or_cancel")
        await asyncio.to_thread(client.orders.create_v2, request=taking)
        await asyncio.to_thread(client.order_groups.create, contracts_limit=5)
        frames = {}
        for name, stream in streams.items():
            frames[name] = await async_step(f"frame of {name}", lambda stream=stream: anext(aiter(stream)))
        check("is_yes of a bid", frames["user orders"].msg.is_yes, True)
        check("status of the taker", frames["user orders"].msg.status, "executed")


rest()
asyncio.run(channels())
client.close()
finish()
