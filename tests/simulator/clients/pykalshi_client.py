"""pykalshi on the simulator: orders, order groups, reads."""

import time

from pykalshi import Action, KalshiClient, Side
from steps import EVENT, KEY_ID, KEY_PATH, SETTLED, TICKER, URL, check, finish, step

client = KalshiClient(api_key_id=KEY_ID, private_key_path=KEY_PATH, api_base=URL)
account = client.portfolio


def place(price: str, **options: object) -> object:
    """Place a bid of 5 contracts."""
    return account.place_order(TICKER, Action.BUY, Side.YES, count_fp="5", yes_price_dollars=price, **options)


order = step("create", lambda: place("0.02"))
step("amend", lambda: account.amend_order(order.order_id, yes_price_dollars="0.03", count_fp="6"))
step("decrease", lambda: account.decrease_order(order.order_id, reduce_by_fp="1"))
check("price after amend", step("read", lambda: account.get_order(order.order_id)).data.yes_price_dollars, "0.0300")
step("queue position", lambda: account.get_queue_position(order.order_id))
step("cancel", lambda: account.cancel_order(order.order_id))
step("take", lambda: place("0.45"))
group = step("create group", lambda: account.create_order_group("50"))
grouped = step("create in group", lambda: place("0.02", order_group_id=group.id))
check("orders of the group", step("read group", lambda: account.get_order_group(group.id)).orders, [grouped.order_id])
for name in ("trigger_order_group", "reset_order_group"):
    step(name, lambda name=name: getattr(account, name)(group.id))
step("group limit", lambda: account.update_order_group_limit(group.id, "7"))
check("triggered group cancelled", account.get_order(grouped.order_id).status.value, "canceled")
fills = step("fills", account.get_fills)
check("one fill in the market", [fill.count_fp for fill in fills if fill.ticker == TICKER], ["5.00"])
settlements = step("settlements", account.get_settlements)
check("settled market", [(row.ticker, row.no_count_fp) for row in settlements], [(SETTLED, "2.50")])
for name in (
    "get_balance", "get_orders", "get_positions", "get_resting_order_value", "get_order_groups",
    "get_subaccount_balances", "get_subaccount_netting", "get_queue_positions",
):  # fmt: skip
    step(
        name,
        getattr(account, name)
        if name != "get_queue_positions"
        else lambda: account.get_queue_positions(market_tickers=[TICKER]),
    )
now = int(time.time())
step("markets", client.get_markets)
step("order book", lambda: client.get_market(TICKER).get_orderbook())
step("trades", client.get_trades)
step("event", lambda: client.get_event(EVENT))
step("candlesticks", lambda: client.get_candlesticks_batch([TICKER], now - 3600, now))
client.close()
finish()
