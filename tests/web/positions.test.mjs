/** Positions and profit: the page's ledger against the vectors that the service's ledger is held to, and its laws. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { text, whole } from '../../web/amounts.js';
import { Book, Books } from '../../web/positions.js';

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/ledger/${name}.json`, import.meta.url), 'utf8'));
const cases = [...vectors('cases'), ...vectors('random')];
const time = 1_700_000_000;

const trade = (fields) => ({
  seq: 1, timestamp: time, ticker: 'A', side: 'BUY', quantity: 1, price: 0.5, trade_id: 't', outcome: 'yes', fee: 0,
  order_id: null, origin: 'bot', mode: 'live', source: 'bot_live', ...fields,
});
const settlement = (fields) => ({
  seq: 9, timestamp: time + 9, ticker: 'A', event_ticker: 'E', result: 'yes', value: 1, yes_quantity: 10, no_quantity: 0, revenue: 10, fee: 0, mode: 'live', source: 'kalshi_api', ...fields,
});
const rows = (book, marks = {}) => book.positions((ticker) => marks[ticker]).map(({ last, ...row }) => row).sort((a, b) => (a.ticker < b.ticker ? -1 : 1));
const add = (books, entry) => { try { books.add(entry); } catch (error) { assert.ok(error instanceof RangeError, error); } };

test('there are vectors of the service', () => assert.ok(cases.length > 100));

for (const [order, arranged] of [['the order of the journal', (entries) => entries], ['the opposite order', (entries) => [...entries].reverse()]]) {
  test(`every vector has the digits of the service's ledger when entries arrive in ${order}`, () => {
    for (const { name, entries, marks, expected } of cases) {
      const books = new Books();
      for (const entry of arranged(entries)) {
        add(books, entry);
        if (order !== 'the order of the journal' && entry.mode) rows(books.of(entry.mode));
      }
      for (const [mode, { positions, totals }] of Object.entries(expected)) {
        assert.deepEqual(rows(books.of(mode), marks), positions, `${name}, ${mode}`);
        const sums = Book.totals(books.of(mode).positions((ticker) => marks[ticker]));
        const { realized_pnl, fees, unrealized_pnl, unmarked } = sums;
        assert.deepEqual({ realized_pnl, fees, unrealized_pnl, unmarked }, { realized_pnl: totals.realized_pnl, fees: totals.fees, unrealized_pnl: totals.unrealized_pnl, unmarked: totals.unmarked }, `${name}, ${mode}`);
      }
    }
  });
}

test('the fees of a settlement that its trades reported already count once', () => {
  const book = new Book();
  book.add(trade({ quantity: 4, price: 0.6, fee: 0.1 }));
  book.add(trade({ seq: 2, quantity: 6, price: 0.6, fee: 0.075 }));
  book.add(settlement({ fee: 0.175 }));
  const [row] = rows(book);
  assert.deepEqual([row.realized_pnl, row.fees, Book.totals(book.positions()).net], ['4', '0.175', '3.825']);
});

test('a settlement fills in fees that were unknown, and only those', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, fee: null }));
  book.add(settlement({ fee: 0.175 }));
  assert.deepEqual([rows(book)[0].fees, rows(book)[0].fees_unknown], ['0.175', 0]);
});

test('fees of the baseline count as known when the market settles', () => {
  const book = new Book();
  book.add({ seq: 1, timestamp: time - 5, positions: [{ ticker: 'A', quantity: 10, cost: 6, realized_pnl: 0, fees: 0.35 }], mode: 'live', source: 'journal' });
  book.add(settlement({ fee: 0.35 }));
  assert.equal(rows(book)[0].fees, '0.35');
});

test('a scalar settlement pays what the account received', () => {
  const book = new Book();
  book.add(trade({ outcome: 'no', price: 0.75, fee: 0.0132 }));
  book.add(settlement({ result: 'scalar', value: 0.82, yes_quantity: 0, no_quantity: 1, revenue: 0.82, fee: 0.0132 }));
  assert.equal(Book.totals(book.positions()).net, '0.0568');
});

test('a payout without a value is of no contracts', () => {
  const book = new Book();
  book.add(trade({ quantity: 5, price: 0.6 }));
  book.add(trade({ seq: 2, side: 'SELL', quantity: 5, price: 0.7 }));
  book.add(settlement({ result: 'scalar', value: null, yes_quantity: 5, no_quantity: 5, revenue: 0 }));
  assert.equal(Book.totals(book.positions()).net, '0.5');
});

for (const [field, changes] of [['value', { value: null }], ['value', { value: 0 }], ['value', { value: 5 }], ['value', { result: 'no', value: 1 }], ['revenue', { revenue: -1 }]]) {
  test(`a settlement with ${JSON.stringify(changes)} is refused by the name of its field`, () => {
    const book = new Book();
    book.add(trade({}));
    assert.throws(() => book.add(settlement(changes)), new RegExp(`^RangeError: ${field}: expected`));
    assert.equal(rows(book)[0].quantity, '1');
  });
}

test('a correction replaces the trade, a correction of it replaces it again, and quantity 0 voids it', () => {
  const entries = [
    trade({ seq: 1, quantity: 10 }),
    { ...trade({ seq: 2, quantity: 7 }), corrects: 1 },
    { ...trade({ seq: 3, quantity: 5, ticker: 'B' }), corrects: 2 },
  ];
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1]]) {
    const book = new Book();
    for (const at of order) book.add(entries[at]);
    assert.deepEqual(rows(book).filter((row) => row.outcome).map((row) => [row.ticker, row.quantity]), [['B', '5']], String(order));
    book.add({ ...trade({ seq: 4, quantity: 0 }), corrects: 1 });
    assert.deepEqual(rows(book).filter((row) => row.outcome), [], String(order));
  }
});

test('a trade that is known only after its market settled is still closed by the settlement', () => {
  const book = new Book();
  book.add(trade({ quantity: 4, price: 0.6 }));
  book.add(settlement({ seq: 2 }));
  rows(book);
  book.add(trade({ seq: 3, quantity: 6, price: 0.6 }));
  const [row] = rows(book);
  assert.deepEqual([row.quantity, row.realized_pnl], ['0', '4']);
});

test('a repeated settlement pays once', () => {
  const book = new Book();
  book.add(trade({ quantity: 10 }));
  book.add(settlement({ seq: 2 }));
  rows(book);
  book.add(settlement({ seq: 3 }));
  assert.equal(rows(book)[0].realized_pnl, '5');
});

test('two lots of one moment close in the order of their seq', () => {
  const book = new Book();
  book.add(trade({ seq: 2, quantity: 1, price: 0.6 }));
  book.add(trade({ seq: 1, quantity: 1, price: 0.4 }));
  book.add(trade({ seq: 3, timestamp: time + 1, side: 'SELL', quantity: 1, price: 0.5 }));
  assert.deepEqual([rows(book)[0].realized_pnl, rows(book)[0].cost], ['0.1', '0.6']);
});

test('NO bought at 0.30 is YES sold at 0.70', () => {
  const book = new Book();
  book.add(trade({ outcome: 'no', quantity: 2, price: 0.3 }));
  const [row] = rows(book, { A: 0.65 });
  assert.deepEqual([row.quantity, row.outcome, row.cost, row.mark, row.unrealized_pnl], ['-2', 'no', '0.6', '0.35', '0.1']);
});

test('a sale beyond what is held opens the other outcome with the rest', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, price: 0.4 }));
  book.add(trade({ seq: 2, side: 'SELL', quantity: 15, price: 0.55 }));
  const [row] = rows(book, { A: '0.5' });
  assert.deepEqual([row.quantity, row.outcome, row.cost, row.average_price], ['-5', 'no', '2.25', '0.45']);
  assert.deepEqual([row.realized_pnl, row.value, row.unrealized_pnl], ['1.5', '2.5', '0.25']);
});

test('trades until the baseline are included in it', () => {
  const book = new Book();
  book.add(trade({ seq: 1, timestamp: time - 1, quantity: 5 }));
  book.add({ seq: 2, timestamp: time, positions: [{ ticker: 'A', quantity: 5, cost: 2.5, realized_pnl: 0, fees: 0 }], mode: 'live', source: 'journal' });
  book.add(trade({ seq: 3, timestamp: time, quantity: 100 }));
  book.add(trade({ seq: 4, timestamp: time + 1, quantity: 1 }));
  assert.equal(rows(book)[0].quantity, '6');
  assert.equal(book.gain('A', time - 1, 1), null);
  assert.equal(book.gain('A', time + 1, 4), 0);
});

test('an older baseline after a newer one changes nothing, and a newer one replaces it', () => {
  const baseline = (seq, timestamp, quantity) => ({ seq, timestamp, positions: quantity ? [{ ticker: 'A', quantity, cost: quantity / 2 }] : [], mode: 'live', source: 'journal' });
  const book = new Book();
  book.add(baseline(2, time, 5));
  book.add(baseline(3, time - 10, 9));
  assert.equal(rows(book)[0].quantity, '5');
  book.add(baseline(4, time, 7));
  assert.equal(rows(book)[0].quantity, '7');
  book.add(baseline(1, time, 1));
  assert.equal(rows(book)[0].quantity, '7');
  book.add(baseline(5, time + 5, 0));
  assert.deepEqual([rows(book)[0].quantity, rows(book)[0].trades], ['0', 0]);
});

test('modes have books of their own', () => {
  const books = new Books();
  books.add(trade({ mode: 'paper', quantity: 7 }));
  books.add(trade({ seq: 2, mode: 'live', quantity: 2 }));
  assert.equal(rows(books.of('live'))[0].quantity, '2');
  assert.equal(rows(books.of('paper'))[0].quantity, '7');
  assert.equal(books.latest, 'live');
});

test('sums leave unmarked positions out and count them; where none has a mark they are unknown', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, price: 0.4, fee: 0.07 }));
  book.add(trade({ seq: 2, ticker: 'B', quantity: 3, price: 0.9999, fee: null }));
  assert.deepEqual(Book.totals(book.positions((ticker) => (ticker === 'A' ? 0.5 : null))), {
    cost: '6.9997', value: '5', unrealized_pnl: '1', realized_pnl: '0', fees: '0.07', net: '0.93', trades: 2, fees_unknown: 1, open: 2, unmarked: 1,
  });
  const { value, unrealized_pnl, net, unmarked } = Book.totals(book.positions());
  assert.deepEqual([value, unrealized_pnl, net, unmarked], [null, null, null, 2]);
  assert.deepEqual([Book.totals([]).value, Book.totals([]).net], ['0', '0']);
});

test('each trade has what it realized less its fee', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, price: 0.4, fee: 0.07 }));
  book.add(trade({ seq: 2, timestamp: time + 1, side: 'SELL', quantity: 4, price: 0.5, fee: 0.02 }));
  assert.deepEqual([book.gain('A', time, 1), book.gain('A', time + 1, 2)], [-0.07, 0.38]);
  assert.deepEqual([book.gain('A', time, 7), book.gain('Z', time, 1)], [null, null]);
});

test('closed lots hold the fees of purchase and sale, in parts that add up', () => {
  const book = new Book();
  book.add(trade({ quantity: 3, price: 0.4, fee: 0.1 }));
  book.add(trade({ seq: 2, timestamp: time + 1, quantity: 3, price: 0.5, fee: 0.2 }));
  book.add(trade({ seq: 3, timestamp: time + 2, side: 'SELL', quantity: 4, price: 0.6, fee: 0.04 }));
  const lots = book.markets.get('A').closedLots();
  assert.deepEqual(lots.map((lot) => [lot.quantity, lot.opened, lot.closed]), [[300, time, time + 2], [100, time + 1, time + 2]]);
  assert.equal(lots.reduce((sum, lot) => sum + lot.profit, 0n), 49_333_333n);
  assert.deepEqual(rows(book)[0].realized_pnl, '0.7');
});

test('the fees of closed lots add up where a lot grows after a sale', () => {
  const book = new Book();
  const sides = [['BUY', 10, 0.1], ['SELL', 5, 0], ['BUY', 10, 0.3], ['SELL', 15, 0]];
  sides.forEach(([side, quantity, fee], at) => book.add(trade({ seq: at + 1, side, quantity, fee, price: 0.5 })));
  assert.equal(book.markets.get('A').closedLots().reduce((sum, lot) => sum + lot.fees, 0n), 40_000_000n);
});

for (const [value, places] of [[0.1 + 0.2, 6], [NaN, 2], [Infinity, 2], ['', 2], [null, 2], ['1e400', 2], [0.00000001, 6], [1e300, 2], [true, 2]]) {
  test(`${String(value)} is refused at ${places} decimals`, () => assert.throws(() => whole(value, places, 'field'), /field: expected/));
}

test('text and whole are each other\'s inverse', () => {
  for (const amount of [0n, 1n, -1n, 5_275n, 1_000_000n, -123_456_789n]) assert.equal(BigInt(whole(text(amount, 6), 6, 'field')), amount);
});

test('100 000 trades are added up in seconds, late ones included', () => {
  const book = new Book();
  const begun = process.cpuUsage(); // of this process alone: others may be busy too
  for (let seq = 1; seq <= 100_000; seq += 1) {
    book.add(trade({
      seq, ticker: `M${seq % 50}`, side: seq % 3 ? 'BUY' : 'SELL', quantity: 1 + (seq % 7), price: Number((0.2 + (seq % 50) / 100).toFixed(2)),
      timestamp: time + seq - (seq % 1000 === 0 ? 500 : 0), fee: 0.01,
    }));
    if (seq % 100 === 0) book.markets.get(`M${seq % 50}`).settle();
  }
  book.positions();
  assert.ok(process.cpuUsage(begun).user < 8_000_000);
});
