"""ccxt on the simulator: create, edit, cancel, kill, fills, positions, settlements."""

import asyncio
from pathlib import Path
from typing import Any

import ccxt.prediction
from ccxt.base.errors import OrderNotFillable
from steps import KEY_ID, KEY_PATH, SETTLED, TICKER, URL, async_step, check, finish

PRIVATE_KEY = Path(KEY_PATH).read_text()


async def trade(client: Any, outcome: str) -> None:
    """Send every order operation that ccxt has."""
    placed = await async_step("create", lambda: client.create_order(outcome, "limit", "buy", 5, 0.02))
    edited = await async_step("edit", lambda: client.edit_order(placed["id"], outcome, "limit", "buy", 6, 0.03))
    resting = await async_step("open orders", lambda: client.fetch_open_orders(outcome))
    check("the edited order rests", [(row["id"], row["price"]) for row in resting], [(edited["id"], 0.03)])
    taken = await async_step(
        "take", lambda: client.create_order(outcome, "limit", "buy", 5, 0.45, {"timeInForce": "IOC"})
    )
    check("the taker is closed", (taken["status"], taken["filled"]), ("closed", 5.0))
    try:
        killed = await client.create_order(outcome, "limit", "buy", 5000, 0.45, {"timeInForce": "FOK"})
        check("kill", killed, "OrderNotFillable")
    except OrderNotFillable:
        check("kill", True, True)
    await async_step("cancel", lambda: client.cancel_order(edited["id"], outcome))
    canceled = await async_step("read a cancelled order", lambda: client.fetch_order(edited["id"], outcome))
    check("it is canceled", canceled["status"], "canceled")
    await async_step("create for all", lambda: client.create_order(outcome, "limit", "sell", 5, 0.9))
    await async_step("cancel all", lambda: client.cancel_all_orders(outcome))


async def read(client: Any, outcome: str) -> None:
    """Read the account and the market."""
    mine = await async_step("fills", lambda: client.fetch_my_trades(outcome))
    check("one fill", [(row["side"], row["price"], row["amount"]) for row in mine], [("buy", 0.45, 5.0)])
    await async_step("positions", client.fetch_positions)
    settlements = await async_step("settlements", client.fetch_settlements)
    check("the settled market is listed", [row["info"]["ticker"] for row in settlements], [SETTLED])
    for name, call in (
        ("balance", client.fetch_balance),
        ("status", client.fetch_status),
        ("ticker", lambda: client.fetch_ticker(outcome)),
        ("order book", lambda: client.fetch_order_book(outcome)),
        ("trades", lambda: client.fetch_trades(outcome)),
        ("candlesticks", lambda: client.fetch_ohlcv(outcome, "1m")),
        ("closed orders", lambda: client.fetch_closed_orders(outcome)),
    ):
        await async_step(name, call)


async def main() -> None:
    """Run all steps on the YES outcome of the market."""
    client = ccxt.prediction.kalshi({"apiKey": KEY_ID, "privateKey": PRIVATE_KEY})
    client.urls["api"] = {"kalshi": URL, "elections": URL}
    client.enableRateLimit = False
    try:
        markets = await async_step("markets", lambda: client.fetch_markets({"limit": 100}))
        outcome = next(row["outcomes"][0]["outcome"] for row in markets if row["id"] == TICKER)
        await trade(client, outcome)
        await read(client, outcome)
    finally:
        await client.close()


asyncio.run(main())
finish()
