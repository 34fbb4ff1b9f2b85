/** Places in the journal, waits and silence: the decisions of the stream's client without a browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../../web/backoff.js';
import { Decoder, kindOf } from '../../web/decoder.js';
import { Sequence, conflict, format, parse } from '../../web/sequence.js';
import { Watchdog } from '../../web/watchdog.js';

const entry = (seq) => ({ seq });
const seqs = (entries) => entries.map(({ seq }) => seq);

test('a cursor is an epoch, a seq and perhaps a checksum, and nothing else is', () => {
  assert.deepEqual(parse('abcd1234-1042'), { epoch: 'abcd1234', seq: 1042 });
  assert.deepEqual(parse('abcd1234-1042-0f9a'), { epoch: 'abcd1234', seq: 1042, check: '0f9a' });
  for (const text of ['abcd1234-0', 'abcd1234-7-0f9a']) assert.equal(format(parse(text)), text);
  for (const text of ['', null, undefined, 'abcd', '-5', 'a-', 'a-b', 'a-1-2', 'a-1-xyzw', 'A-1', 'a--1', 'a-1 ']) assert.equal(parse(text), null, String(text));
  const [a, b] = [parse('e-5-aaaa'), parse('e-5-bbbb')];
  assert.deepEqual([conflict(a, b), conflict(a, parse('e-5')), conflict(a, parse('e-6-bbbb')), conflict(a, parse('f-5'))], [true, false, false, true]);
});

test('each entry is returned once and in order, however it arrives', () => {
  const sequence = new Sequence();
  sequence.start({ epoch: 'e', seq: 3 });
  assert.deepEqual(seqs(sequence.offer([2, 3, 4, 5].map(entry))), [4, 5]);
  assert.deepEqual(seqs(sequence.offer([8, 7].map(entry))), []);
  assert.deepEqual(sequence.missing, { after: 5, to: 6 });
  assert.deepEqual(seqs(sequence.offer([6, 5].map(entry))), [6, 7, 8]);
  assert.equal(sequence.missing, null);
});

test('any shuffle of any repetition gives the same order', () => {
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

test('what arrives before the place is known waits for it, unless the journal is another', () => {
  const sequence = new Sequence();
  assert.deepEqual(sequence.offer([5, 6].map(entry)), []);
  sequence.start({ epoch: 'e', seq: 5 });
  assert.deepEqual(seqs(sequence.offer([])), [6]);
  sequence.offer([entry(9)]);
  sequence.start({ epoch: 'f', seq: 1 });
  assert.deepEqual([sequence.early.size, sequence.missing], [0, null]);
});

test('what waits is bounded; what was dropped is missing again', () => {
  const sequence = new Sequence(3);
  sequence.start({ epoch: 'e', seq: 0 });
  sequence.offer([2, 3, 4, 5, 6].map(entry));
  assert.equal(sequence.early.size, 3);
  assert.deepEqual(seqs(sequence.offer([entry(1)])), [1, 2, 3, 4]);
  assert.deepEqual(sequence.missing, { after: 4, to: 6 });
});

test('a head beyond the place is missing, and skipping goes on behind it', () => {
  const sequence = new Sequence();
  sequence.start({ epoch: 'e', seq: 1 });
  sequence.expect(4);
  assert.deepEqual(sequence.missing, { after: 1, to: 4 });
  sequence.offer([entry(6)]);
  assert.deepEqual(sequence.missing, { after: 1, to: 5 });
  assert.deepEqual(seqs(sequence.skip()), [6]);
  assert.deepEqual([sequence.missing, sequence.skip()], [null, []]);
});

test('a checksum is kept for its own entry only', () => {
  const sequence = new Sequence();
  sequence.start({ epoch: 'e', seq: 1 });
  sequence.confirm({ epoch: 'e', seq: 2, check: 'aaaa' });
  sequence.confirm({ epoch: 'f', seq: 1, check: 'aaaa' });
  sequence.confirm(null);
  assert.equal(format(sequence.place), 'e-1');
  sequence.confirm({ epoch: 'e', seq: 1, check: 'bbbb' });
  assert.equal(format(sequence.place), 'e-1-bbbb');
  sequence.offer([entry(2)]);
  assert.equal(format(sequence.place), 'e-2');
});

test('the kind of an entry follows from its fields', () => {
  assert.deepEqual([{ corrects: 1, trade_id: 't' }, { trade_id: 't' }, { result: 'yes' }, { positions: [] }, { why: 'x' }, { amount: 5 }, {}].map(kindOf), ['correction', 'trade', 'settlement', 'baseline', 'gap', 'transfer', 'unknown']);
});

test('trades of one source make one event', () => {
  const received = [];
  const decoder = new Decoder((name, detail) => received.push([name, detail]));
  decoder.start('abcd1234-0');
  const trade = (seq, source = 'bot_live') => ({ seq, trade_id: `t${seq}`, source });
  decoder.take([trade(1), trade(2), trade(3, 'kalshi_api'), { seq: 4, result: 'yes' }, trade(5)]);
  assert.deepEqual(received.filter(([name]) => name === 'trades').map(([, { count, source }]) => [count, source]), [[2, 'bot_live'], [1, 'kalshi_api'], [1, 'bot_live']]);
  assert.deepEqual(received.filter(([name]) => name === 'entry').length, 5);
});

test('trades of another epoch, or a heartbeat of one, are a reset', () => {
  for (const message of [{ name: 'new_trades', data: '{"trades":[]}', id: 'zzzz9999-9' }, { name: 'heartbeat', data: '{"head":"zzzz9999-9"}', id: '' }]) {
    const received = [];
    const decoder = new Decoder((name, detail) => received.push([name, detail]));
    decoder.start('abcd1234-100');
    decoder.receive(message);
    assert.deepEqual([received.filter(([name]) => name === 'reset'), decoder.unread], [[['reset', { reason: 'epoch', head: 'zzzz9999-9' }]], true]);
  }
  assert.throws(() => new Decoder(() => {}).start('nothing'), /cursor: expected/);
});

test('waits grow, are bounded, and differ between browsers', () => {
  for (const [reason, longest] of [['error', 3.6], ['shutdown', 3.6], ['full', 45], ['busy', 45], ['away', 4.5], ['a new word', 3.6]]) {
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

test('silence of two heartbeats is death, a message in time is not', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 0);
  for (let now = 1; now <= 60; now += 1) assert.equal(dog.check(now, now), 'ok');
  dog.feed(60, true);
  for (let now = 61; now <= 128; now += 1) assert.equal(dog.check(now, now), 'ok');
  assert.equal(dog.check(129, 129), 'dead');
});

test('a frozen tab gets a full term, since its messages are delivered only now', () => {
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

test('rarer heartbeats are learned, within limits, and a disarmed watchdog is silent', () => {
  const dog = new Watchdog(30);
  dog.arm(0, 0);
  dog.feed(10, true);
  dog.feed(55, true);
  assert.equal(dog.heartbeat, 45);
  dog.feed(5000, true);
  assert.equal(dog.heartbeat, 90);
  dog.disarm();
  assert.equal(dog.check(99_999, 99_999), 'ok');
});
