/** Positions and profit: the page's arithmetic against the oracle's, and its pace. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Book, Books } from '../../web/positions.js';
import { text, whole } from '../../web/exact.js';

const cases = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8'));
const day = 1_700_000_000;

/** @param {object} fields */
const trade = (fields) => ({
  seq: 1, timestamp: day, ticker: 'A', side: 'BUY', quantity: 1, price: 0.5, trade_id: 't', outcome: 'yes', fee: 0,
  order_id: null, origin: 'bot', mode: 'live', source: 'bot_live', ...fields,
});

/** @param {Book} book @param {Record<string, string>} marks */
const rows = (book, marks = {}) => book.positions((ticker) => marks[ticker])
  .map(({ last, ...row }) => row).sort((a, b) => (a.ticker < b.ticker ? -1 : 1));

test('every case of the oracle comes out to the last digit, in the order of the stream', () => {
  for (const { name, entries, marks, answer } of cases) {
    const books = new Books();
    for (const entry of entries) books.add(entry);
    for (const [mode, expected] of Object.entries(answer)) assert.deepEqual(rows(books.of(mode), marks), expected, `${name} ${mode}`);
  }
});

test('the order of arrival does not matter, nor when one looks', () => {
  for (const { name, entries, marks, answer } of cases) {
    const books = new Books();
    for (const entry of [...entries].reverse()) {
      books.add(entry);
      rows(books.of(entry.mode));
    }
    for (const [mode, expected] of Object.entries(answer)) assert.deepEqual(rows(books.of(mode), marks), expected, `${name} ${mode}`);
  }
});

test('a sale beyond what is held flips through zero and the rest is NO at the other price', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, price: 0.4 }));
  book.add(trade({ seq: 2, side: 'SELL', quantity: 15, price: 0.55 }));
  const [row] = rows(book, { A: '0.5' });
  assert.deepEqual([row.quantity, row.outcome, row.cost, row.average_price], ['-5', 'no', '2.25', '0.45']);
  assert.deepEqual([row.realized_pnl, row.value, row.unrealized_pnl], ['1.5', '2.5', '0.25']);
});

test('trades until the baseline are inside it', () => {
  const book = new Book();
  book.add(trade({ seq: 1, timestamp: day - 1, quantity: 5 }));
  book.add({ seq: 2, timestamp: day, positions: [{ ticker: 'A', quantity: 5, cost: 2.5, realized_pnl: 0, fees: 0 }], mode: 'live', source: 'journal' });
  book.add(trade({ seq: 3, timestamp: day, quantity: 100 }));
  book.add(trade({ seq: 4, timestamp: day + 1, quantity: 1 }));
  assert.equal(rows(book)[0].quantity, '6');
});

test('a baseline without a position says that there was none', () => {
  const book = new Book();
  book.add(trade({ timestamp: day - 5, quantity: 5 }));
  book.add({ seq: 2, timestamp: day, positions: [], mode: 'live', source: 'journal' });
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

test('totals add up and count what has no mark', () => {
  const book = new Book();
  book.add(trade({ quantity: 10, price: 0.4, fee: 0.07 }));
  book.add(trade({ seq: 2, ticker: 'B', quantity: 3, price: 0.9999, fee: null }));
  const totals = Book.totals(book.positions((ticker) => (ticker === 'A' ? 0.5 : null)));
  assert.deepEqual(totals, {
    cost: '6.9997', value: '5', unrealized_pnl: '1', realized_pnl: '0', fees: '0.07', net: '0.93', trades: 2,
    fees_unknown: 1, open: 2, unmarked: 1,
  });
});

for (const [value, places] of [[0.1 + 0.2, 6], [NaN, 2], [Infinity, 2], ['', 2], [null, 2], ['1e400', 2], [0.00000001, 6], [1e300, 2], [true, 2]]) {
  test(`${String(value)} is refused at ${places} decimals`, () => assert.throws(() => whole(value, places, 'it'), RangeError));
}

test('text and whole are each other\'s inverse', () => {
  for (const amount of [0n, 1n, -1n, 5_275n, 1_000_000n, -123_456_789n]) assert.equal(BigInt(whole(text(amount, 6), 6, 'it')), amount);
});

test('100 000 trades take well under a second of arithmetic, late ones included', () => {
  const book = new Book();
  const begun = performance.now();
  for (let seq = 1; seq <= 100_000; seq += 1) {
    book.add(trade({
      seq, ticker: `M${seq % 50}`, side: seq % 3 ? 'BUY' : 'SELL', quantity: 1 + (seq % 7), price: Number((0.2 + (seq % 50) / 100).toFixed(2)),
      timestamp: day + seq - (seq % 1000 === 0 ? 500 : 0), fee: 0.01,
    }));
    if (seq % 100 === 0) book.ledgers.get(`M${seq % 50}`).settle();
  }
  book.positions();
  const took = performance.now() - begun;
  assert.ok(took < 4000, `${took} ms`);
});
