"""A simulated Kalshi exchange: the same API with signatures, a matching engine, and faults on demand.

    python -m simulator --port 9500 --keys DIR [--speed 60] [--quiet-markets] [--crowd toxic]

Layers, all synchronous: units, fees, orders, order_book, market, account, events -> market_state, order_rules,
matching_engine -> order_groups, cash_transfers, catalog, lifecycle, price_process, liquidity, read_replica,
candlesticks -> simulated_exchange. api/ is the REST and WebSocket API over it, admin/ the control port,
in_process the exchange without sockets and with a virtual clock.

Assumptions where neither documentation nor recordings describe the exchange: cash reserved by resting orders stays in
`balance`; `portfolio_value` is of positions only; timestamps may differ by 20 s; a pause refuses with 400
`trading_is_paused` or `exchange_is_paused`, a closed market with 400 `MARKET_INACTIVE`; an unknown order group is 404;
a missing scope and an expired attestation are 403 `forbidden`; a void market pays its last price, as `scalar`; a voided
fill disappears from the lists; there is one subaccount.
"""
