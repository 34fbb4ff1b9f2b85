/** What the page shows, without a page: model, curve, filter, CSV, formats, schema. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { csv } from '../../web/csv.js';
import { Curve, thinned, ticks } from '../../web/curve.js';
import { Filter } from '../../web/filter.js';
import { ago, count, gain, money, price } from '../../web/format.js';
import { KEEP, Model } from '../../web/model.js';
import { Book } from '../../web/positions.js';
import { fields, kind } from '../../web/schema.js';
import { told, why } from '../../web/verdict.js';

const now = 1_700_000_000;
const trade = (fields_) => ({
  seq: 1, timestamp: now, ticker: 'A', side: 'BUY', quantity: 1, price: 0.5, trade_id: 't', outcome: 'yes', fee: 0, order_id: null,
  origin: 'bot', mode: 'live', source: 'bot_live', ...fields_,
});

test('the curve ends where the sums stand, and a late trade bends its past', () => {
  const [book, curve] = [new Book(), new Curve()];
  book.add(trade({ quantity: 10, price: 0.4, fee: 0.07 }));
  book.add(trade({ seq: 2, timestamp: now + 10, side: 'SELL', quantity: 5, price: 0.6 }));
  assert.deepEqual(curve.of(book).totals.map((total) => Number(total.toFixed(6))), [0, -0.07, 0.93]);
  book.add(trade({ seq: 3, timestamp: now - 10, quantity: 1, price: 0.1 }));
  const { times, totals } = curve.of(book);
  assert.ok(times.every((time, at) => at === 0 || time >= times[at - 1]));
  const [row] = book.positions();
  assert.equal(totals.at(-1).toFixed(6), (Number(row.realized_pnl) - Number(row.fees)).toFixed(6));
});

test('the curve is the sum of all markets in the order of time, and a late one of another market bends it, however long it is', () => {
  const [book, curve] = [new Book(), new Curve()];
  const one = (seq, time, quantity = 1) => book.add(trade({ seq, ticker: `M${seq % 7}`, timestamp: time, quantity, fee: 0.01 }));
  for (let seq = 1; seq <= 200_000; seq += 1) one(seq, now + seq);
  const before = curve.of(book);
  assert.deepEqual([before.times.length, before.totals.at(-1).toFixed(2)], [200_001, '-2000.00']);
  book.add(trade({ seq: 200_001, ticker: 'LATE', timestamp: now, fee: 5 }));
  const { times, totals } = curve.of(book);
  assert.ok(times.every((time, at) => at === 0 || time >= times[at - 1]));
  assert.deepEqual([times.length, totals[1], totals.at(-1).toFixed(2)], [200_002, -5, '-2005.00']);
});

test('a thinned line keeps its highest, its lowest and its end', () => {
  const times = Array.from({ length: 100_000 }, (_, n) => now + n);
  const totals = times.map((_, n) => Math.sin(n / 5000) + (n === 54_321 ? 9 : 0));
  const points = thinned({ times, totals }, -Infinity, now + 100_000, 300);
  assert.ok(points.length <= 1300, String(points.length));
  assert.equal(Math.max(...points.map(([, level]) => level)), totals[54_321]);
  assert.deepEqual(points.at(-1), [times.at(-1), totals.at(-1)]);
});

test('a period begins at what it stood at', () => {
  const line = { times: [now - 100, now - 50, now], totals: [1, 2, 3] };
  assert.deepEqual(thinned(line, now - 60, now, 100), [[now - 60, 1], [now - 50, 2], [now, 3]]);
  assert.deepEqual(thinned({ times: [], totals: [] }, -Infinity, now, 100), []);
});

test('ticks are round and inside', () => {
  assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks(0, 0, 4).length, 1);
});

test('the model holds a bounded number of entries and all of the book', () => {
  const model = new Model();
  for (let seq = 1; seq <= KEEP * 3; seq += 1) model.add(trade({ seq, timestamp: now + seq }));
  assert.ok(model.recent.length <= KEEP * 1.5);
  assert.equal(model.positions().totals.trades, KEEP * 3);
});

test('an entry whose numbers cannot be kept is told and not guessed', () => {
  const model = new Model();
  model.add(trade({ price: 1 / 3 }));
  assert.equal(model.refused.length, 1);
  assert.equal(model.positions().totals.open, 0);
});

test('the mode shown is the bot\'s, and paper is never compared with the exchange', () => {
  const model = new Model();
  model.add(trade({}));
  model.hold([], now + 60);
  assert.ok(model.differences(model.positions().rows));
  model.status = { status: 'online', mode: 'paper', since: 1, reason: null, trades: 0 };
  assert.equal(model.mode, 'paper');
  assert.equal(model.positions().totals.open, 0);
  assert.equal(model.differences(model.positions().rows), null);
});

test('a market that traded since the exchange spoke is not called different', () => {
  const model = new Model();
  model.add(trade({ timestamp: now }));
  model.hold([], now);
  const { rows } = model.positions();
  for (const later of [0, 60]) assert.equal(model.differences(rows, now + later).rows.size, 0);
});

const held = (fields_) => ({ ticker: 'A', title: 'T', quantity: 1, outcome: 'yes', cost: 0.5, realized_pnl: 0, mark: 0.5, ...fields_ });

test('a difference in contracts is told when it has stood for a while, and only then', () => {
  const model = new Model();
  model.add(trade({ timestamp: now }));
  model.hold([held({ quantity: 3, cost: 1.5 })], now + 10);
  const { rows } = model.positions();
  assert.deepEqual([model.differences(rows, now + 10).checking, model.differences(rows, now + 39).quantities], [true, 0]);
  assert.deepEqual([...model.differences(rows, now + 41).rows], [['A', { quantity: 3, average: null, realized: null }]]);
  model.add(trade({ seq: 2, timestamp: now + 5, quantity: 2 }));
  const agreed = model.differences(model.positions().rows, now + 42);
  assert.deepEqual([agreed.checking, agreed.quantities, agreed.rows.size], [false, 0, 0]);
  assert.equal(told(agreed, false), 'quantities agree with the exchange');
});

test('cost and profit by another method are told with their sums and a reason', () => {
  const model = new Model();
  model.add(trade({ quantity: 10, price: 0.4 }));
  model.add(trade({ seq: 2, quantity: 10, price: 0.6 }));
  model.add(trade({ seq: 3, side: 'SELL', quantity: 10, price: 0.7 }));
  model.hold([held({ quantity: 10, cost: 5, realized_pnl: 2 })], now + 60);
  const found = model.differences(model.positions().rows, now + 60);
  assert.deepEqual([...found.rows], [['A', { quantity: null, average: 0.5, realized: 2 }]]);
  assert.deepEqual([found.amounts, found.cost, found.realized], [1, -1, -1]);
  assert.match(why(found), /one market: cost .\$1\.00, realized .\$1\.00, together the same profit\. It counts by its own method/);
  model.hold([held({ quantity: 10, cost: 6.004, realized_pnl: 3.004 })], now + 60);
  assert.equal(why(model.differences(model.positions().rows, now + 60)), '');
});

test('marks are of what is held: NO at 0.3 is YES at 0.7', () => {
  const model = new Model();
  model.hold([{ ticker: 'A', title: 'T', quantity: -5, outcome: 'no', cost: 1, mark: 0.3 }], now);
  assert.equal(model.mark('A'), 0.7);
  model.quote([{ ticker: 'B', title: 'U', yes_bid: 0.4, yes_ask: 0.45, last_price: 0.9 }, { ticker: 'C', title: 'V', yes_bid: 0.1, yes_ask: 0.9, last_price: 0.3 }]);
  assert.deepEqual([model.mark('B'), model.mark('C'), model.mark('D')], [0.425, 0.3, null]);
});

test('the filter keeps the mode, the period, and tickers or titles that match', () => {
  const filter = new Filter();
  const takes = (entry) => filter.takes(entry, 'live', now, () => 'Rain in New York');
  assert.ok(takes(trade({})) && !takes(trade({ mode: 'paper' })));
  filter.text = 'rain';
  assert.ok(takes(trade({})) && !takes({ seq: 2, timestamp: now, why: 'x', from: 1, to: 2, source: 'journal' }));
  filter.text = '';
  filter.seconds = 60;
  assert.ok(!takes(trade({ timestamp: now - 61 })) && takes({ seq: 2, timestamp: now, why: 'x', from: 1, to: 2, source: 'journal' }));
});

test('CSV quotes what it must and starts no formula', () => {
  const lines = csv([trade({ ticker: '=A1,"x"' }), trade({ price: 0.5275, fee: null })]).split('\r\n');
  assert.match(lines[1], /"'=A1,""x"""/);
  assert.match(lines[2], /,0\.5275,,/);
  assert.equal(lines.length, 4);
  assert.ok(lines.slice(1, 3).every((line) => line.startsWith('1,2023-11-14T22:13:20.000Z,')));
});

test('numbers keep their sign, their decimals and their column', () => {
  assert.deepEqual([money('-1234.5'), gain('3'), gain('0'), money(null)], ['\u2212$1,234.50', '+$3.00', '$0.00', '–']);
  assert.equal(price(0.65).length, price(0.5275).length);
  assert.equal(count('5').length, count('5.25').length);
  assert.equal(money('9007199254740993.25'), '$9,007,199,254,740,993.25');
  assert.deepEqual([0, 12, 100, 7200, 864_000].map(ago), ['now', '12 s', '2 min', '2 h', '10 days']);
});

test('a schema is told in few words', () => {
  const named = { Trade: { type: 'object', properties: { side: { enum: ['BUY', 'SELL'] } } } };
  assert.equal(kind({ type: 'array', items: { $ref: '#/components/schemas/Trade' } }), 'list of Trade');
  const found = fields({ type: 'object', properties: { trades: { type: 'array', items: { $ref: '#/x/Trade' }, description: 'new' } } }, named);
  assert.deepEqual(found, [['trades', 'list of Trade', 'new'], ['trades[].side', 'BUY | SELL', '']]);
});
