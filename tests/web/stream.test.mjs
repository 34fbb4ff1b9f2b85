/** The stream client's decisions without a browser: order, holes, resets, silence, waits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../../web/backoff.js';
import { Reader } from '../../web/reader.js';
import { Sequence, format, parse } from '../../web/sequence.js';
import { Watchdog } from '../../web/watchdog.js';

const entry = (seq) => ({ seq });
const seqs = (entries) => entries.map(({ seq }) => seq);

/** @param {number} seq */
const trade = (seq, source = 'bot_live') => ({ seq, trade_id: `t${seq}`, source, timestamp: seq, ticker: 'A', mode: 'live' });
const message = (name, data, id = '') => ({ name, data: JSON.stringify(data), id });
const news = (first, last, epoch = 'abcd1234') => message('new_trades',
  { trades: Array.from({ length: last - first + 1 }, (_, n) => trade(first + n)) }, `${epoch}-${last}`);

function listening() {
  const told = [];
  const reader = new Reader((name, detail) => told.push([name, detail]));
  const trades = () => told.filter(([name]) => name === 'entry').map(([, each]) => each.seq);
  const names = () => told.map(([name]) => name);
  return { reader, told, trades, names };
}

test('a cursor is an epoch and a seq, and nothing else is', () => {
  assert.deepEqual(parse('abcd1234-1042'), { epoch: 'abcd1234', seq: 1042 });
  assert.equal(format(parse('abcd1234-0')), 'abcd1234-0');
  for (const text of ['', null, undefined, 'abcd', '-5', 'a-', 'a-b', 'a-1-2', 'A-1', 'a--1', 'a-1 ']) assert.equal(parse(text), null, String(text));
});

test('each entry is handed out once and in order, however it comes', () => {
  const sequence = new Sequence();
  sequence.start({ epoch: 'e', seq: 3 });
  assert.deepEqual(seqs(sequence.offer([2, 3, 4, 5].map(entry))), [4, 5]);
  assert.deepEqual(seqs(sequence.offer([8, 7].map(entry))), []);
  assert.deepEqual(sequence.hole, { after: 5, to: 6 });
  assert.deepEqual(seqs(sequence.offer([6, 5].map(entry))), [6, 7, 8]);
  assert.equal(sequence.hole, null);
});

test('any shuffling of any repetition gives the same order', () => {
  let state = 42;
  const random = () => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648; };
  for (let round = 0; round < 200; round += 1) {
    const all = Array.from({ length: 30 }, (_, n) => n + 1);
    const wire = [...all, ...all.slice(0, 10)].sort(() => random() - 0.5);
    const sequence = new Sequence();
    sequence.start({ epoch: 'e', seq: 0 });
    const got = [];
    while (wire.length) got.push(...seqs(sequence.offer(wire.splice(0, 1 + Math.floor(random() * 4)).map(entry))));
    assert.deepEqual(got, all);
  }
});

test('what came before the place was known waits for it', () => {
  const sequence = new Sequence();
  assert.deepEqual(sequence.offer([5, 6].map(entry)), []);
  sequence.start({ epoch: 'e', seq: 5 });
  assert.deepEqual(seqs(sequence.offer([])), [6]);
});

test('a hole too wide to wait beside is bounded: what is let go is asked for again', () => {
  const sequence = new Sequence(3);
  sequence.start({ epoch: 'e', seq: 0 });
  sequence.offer([2, 3, 4, 5, 6].map(entry));
  assert.equal(sequence.early.size, 3);
  assert.deepEqual(seqs(sequence.offer([entry(1)])), [1, 2, 3, 4]);
  assert.deepEqual(sequence.hole, { after: 4, to: 6 });
});

test('a head beyond us is a hole, and skipping it goes on behind', () => {
  const sequence = new Sequence();
  sequence.start({ epoch: 'e', seq: 1 });
  sequence.expect(4);
  assert.deepEqual(sequence.hole, { after: 1, to: 4 });
  sequence.offer([entry(6)]);
  assert.deepEqual(sequence.hole, { after: 1, to: 5 });
  assert.deepEqual(seqs(sequence.skip()), [6]);
  assert.equal(sequence.hole, null);
});

test('trades of one source make one event; all else its own', () => {
  const { reader, names } = listening();
  reader.start('abcd1234-0');
  reader.take([trade(1), trade(2), trade(3, 'kalshi_api'), { seq: 4, result: 'yes' }, { seq: 5, why: 'x' }, { seq: 6, positions: [] }]);
  assert.deepEqual(names().filter((name) => name !== 'entry'), ['trades', 'trades', 'settlement', 'gap', 'baseline']);
});

test('messages before the state was read are not lost and not told twice', () => {
  const { reader, trades } = listening();
  reader.hear(news(3, 6));
  assert.deepEqual(trades(), []);
  reader.start('abcd1234-4');
  assert.deepEqual(trades(), [5, 6]);
});

test('a heartbeat\'s head shows a hole that no later trade would', () => {
  const { reader } = listening();
  reader.start('abcd1234-4');
  reader.hear(message('heartbeat', { timestamp: 1, head: 'abcd1234-6' }));
  assert.deepEqual(reader.sequence.hole, { after: 4, to: 6 });
});

for (const [name, heard] of [
  ['reset', message('reset', { reason: 'epoch', head: 'zzzz9999-7' }, 'zzzz9999-7')],
  ['trades of another epoch', news(8, 9, 'zzzz9999')],
  ['a heartbeat of another epoch', message('heartbeat', { head: 'zzzz9999-9' })],
]) {
  test(`${name} asks for the state to be read anew, and hands out nothing until it is`, () => {
    const { reader, trades, names } = listening();
    reader.start('abcd1234-100');
    reader.hear(heard);
    assert.ok(names().includes('reset'));
    assert.equal(reader.unread, true);
    assert.deepEqual(trades(), []);
    reader.hear(news(10, 10, 'zzzz9999'));
    reader.start('zzzz9999-9');
    assert.deepEqual(trades(), [10]);
  });
}

test('an unreadable message is an error and changes nothing', () => {
  const { reader, told } = listening();
  reader.start('abcd1234-0');
  reader.hear({ name: 'new_trades', data: '{', id: 'abcd1234-9' });
  assert.equal(told[0][1].reason, 'message');
  assert.equal(reader.cursor, 'abcd1234-0');
});

test('giving a hole up says which entries are missing and goes on', () => {
  const { reader, told, trades } = listening();
  reader.start('abcd1234-0');
  reader.take([trade(3)]);
  reader.giveUp();
  assert.match(told[0][1].message, /#1 to #2/);
  assert.deepEqual(trades(), [3]);
});

test('waits grow, are bounded, and differ between browsers', () => {
  for (const [reason, longest] of [['error', 3.6], ['shutdown', 3.6], ['full', 45], ['a new word', 3.6]]) {
    const [low, high] = [new Backoff(() => 0), new Backoff(() => 0.999)];
    let last = 0;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const [least, most] = [low.next(reason), high.next(reason)];
      assert.ok(least >= last && most <= longest && least < most, reason);
      last = least;
    }
    low.reset();
    assert.ok(low.next(reason) < last);
  }
});

test('silence of two heartbeats is death, one heard in time is not', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 0);
  for (let now = 1; now <= 60; now += 1) assert.equal(dog.check(now, now), 'ok');
  dog.hear(60, true);
  for (let now = 61; now <= 128; now += 1) assert.equal(dog.check(now, now), 'ok');
  assert.equal(dog.check(129, 129), 'dead');
});

test('a frozen tab gets a full term: what came meanwhile is only now delivered', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 0);
  dog.check(1, 1);
  assert.equal(dog.check(600, 600), 'ok');
  assert.equal(dog.check(601, 601), 'ok');
});

test('a machine that slept cannot trust its connection', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 1000);
  dog.check(1, 1001);
  assert.equal(dog.check(2, 9000), 'slept');
});

test('a server that beats more slowly is learned, within reason', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 0);
  dog.hear(10, true);
  dog.hear(55, true);
  assert.equal(dog.heartbeat, 45);
  dog.hear(5000, true);
  assert.equal(dog.heartbeat, 90);
});

test('a disarmed watchdog says nothing', () => {
  const dog = new Watchdog(1);
  dog.arm(0, 0);
  dog.disarm();
  for (let now = 1; now < 9; now += 1) assert.equal(dog.check(now, now), 'ok');
});
