"""A Kalshi that runs on your desk: the same API, signatures checked, orders really matched, faults on demand.

    python -m simulator --port 9500 --keys DIR [--speed 60] [--quiet-markets]

Inside, from the floor up, all synchronous: units, fees, order, book, account, market -> floor, rules, exchange
-> catalog, walk, crowd, life -> replica, desk. Around it: keys, auth, buckets, faults, gate -> public, portfolio,
history, membership, annex, trading -> channels, session, sockets -> control, app.

Where neither documentation nor recordings say what the exchange does, this is what happens here:
cash that resting orders hold stays in `balance`; `portfolio_value` is of positions only; timestamps may lie 20 s off;
a fill-or-kill that cannot fill is 201 with nothing filled; a pause refuses with 400 `trading_is_paused` or
`exchange_is_paused`, a closed market with 400 `MARKET_INACTIVE`; a void market pays its last price, as `scalar`;
there is one shard and one subaccount.
"""
