/** Readings at an interval: when they are repeated, and when an answer counts as late. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Poll } from '../../web/poll.js';
import { browser, newBrowser } from './browser_double.mjs';

/** A poll whose answers the test gives, with what it was told. */
function scriptedPoll(seconds, more = {}) {
  newBrowser();
  const seen = { readings: [], errors: 0, late: 0 };
  const read = () => new Promise((resolve, reject) => { seen.readings.push({ resolve, reject }); });
  const poll = new Poll(seconds, read, () => { seen.errors += 1; }, { late: () => { seen.late += 1; }, ...more });
  poll.start();
  return { poll, seen };
}

test('a reading without an answer is late after one second, and no longer when it is answered', async () => {
  const { poll, seen } = scriptedPoll(1);
  await browser.advance(999);
  assert.deepEqual([poll.late, seen.late], [0, 0]);
  await browser.advance(1);
  assert.deepEqual([poll.late, seen.late], [1, 1]);
  await browser.advance(4000);
  assert.deepEqual([poll.late, seen.readings.length], [5, 1]);
  seen.readings[0].resolve();
  await browser.advance(0);
  assert.equal(poll.late, 0);
  await browser.advance(1000);
  assert.deepEqual([seen.readings.length, seen.late], [2, 1]);
});

test('an answer within the second is never late', async () => {
  const { poll, seen } = scriptedPoll(10);
  await browser.advance(900);
  seen.readings[0].resolve();
  await browser.advance(5000);
  assert.deepEqual([poll.late, seen.late, seen.errors], [0, 0, 0]);
});

test('a reading that fails is late at once and until a later one is answered, and is repeated within its interval', async () => {
  const { poll, seen } = scriptedPoll(1);
  await browser.advance(200);
  seen.readings[0].reject(new Error('refused'));
  await browser.advance(0);
  assert.deepEqual([poll.late, seen.errors], [0.2, 1]);
  for (let number = 1; number < 8; number += 1) {
    await browser.advance(1000);
    assert.equal(seen.readings.length, number + 1);
    assert.ok(poll.late > 0.2);
    seen.readings[number].reject(new Error('refused'));
    await browser.advance(0);
  }
  await browser.advance(1000);
  seen.readings.at(-1).resolve();
  await browser.advance(0);
  assert.equal(poll.late, 0);
});

for (const [hidden, after] of [[0, 1], [15, 2]]) {
  test(`a hidden tab with an interval of ${hidden} s reads ${after - 1} times in 16 s, and once more when it is visible`, async () => {
    const { seen } = scriptedPoll(1, hidden ? { hidden } : {});
    await browser.advance(0);
    browser.document.hidden = true;
    seen.readings[0].resolve();
    await browser.advance(16_000);
    assert.equal(seen.readings.length, after);
    seen.readings.at(-1).resolve();
    browser.document.hidden = false;
    browser.document.dispatchEvent(new Event('visibilitychange'));
    await browser.advance(0);
    assert.equal(seen.readings.length, after + 1);
  });
}

test('a reading that is due sooner replaces the later one, and a later one changes nothing', async () => {
  const { poll, seen } = scriptedPoll(20);
  await browser.advance(0);
  seen.readings[0].resolve();
  await browser.advance(0);
  poll.soon(5);
  poll.soon(2);
  poll.soon(8);
  await browser.advance(1999);
  assert.equal(seen.readings.length, 1);
  await browser.advance(1);
  assert.equal(seen.readings.length, 2);
  seen.readings[1].resolve();
  await browser.advance(19_999);
  assert.equal(seen.readings.length, 2);
  await browser.advance(1);
  assert.equal(seen.readings.length, 3);
});

test('two readings never run at the same time', async () => {
  const { poll, seen } = scriptedPoll(20);
  await browser.advance(0);
  poll.soon(0);
  await browser.advance(3000);
  assert.equal(seen.readings.length, 1);
  seen.readings[0].resolve();
  await browser.advance(500);
  assert.equal(seen.readings.length, 2);
});

test('nothing is read before the start and after the end', async () => {
  newBrowser();
  let readings = 0;
  const poll = new Poll(1, async () => { readings += 1; }, () => {});
  poll.soon(0);
  await browser.advance(1000);
  assert.deepEqual([readings, poll.late], [0, 0]);
  poll.start();
  await browser.advance(0);
  poll.stop();
  await browser.advance(5000);
  assert.equal(readings, 1);
});

test('a poll that is started again keeps its interval', async () => {
  const { poll, seen } = scriptedPoll(10);
  await browser.advance(0);
  seen.readings[0].resolve();
  await browser.advance(3000);
  poll.stop();
  await browser.advance(2000);
  poll.start();
  poll.start();
  await browser.advance(4999);
  assert.equal(seen.readings.length, 1);
  await browser.advance(1);
  assert.equal(seen.readings.length, 2);
});

test('a poll that is started again after its interval reads at once', async () => {
  const { poll, seen } = scriptedPoll(10);
  await browser.advance(0);
  seen.readings[0].resolve();
  await browser.advance(0);
  poll.stop();
  await browser.advance(25_000);
  poll.start();
  await browser.advance(0);
  assert.equal(seen.readings.length, 2);
});

test('a poll that is stopped during a reading reads no more', async () => {
  const { poll, seen } = scriptedPoll(1);
  await browser.advance(0);
  poll.stop();
  seen.readings[0].resolve();
  await browser.advance(5000);
  assert.equal(seen.readings.length, 1);
});

test('a tab that is hidden reads nothing for that, nor does a stopped poll whose tab becomes visible', async () => {
  const { poll, seen } = scriptedPoll(5, { hidden: 15 });
  await browser.advance(0);
  seen.readings[0].resolve();
  await browser.advance(1000);
  browser.document.hidden = true;
  browser.document.dispatchEvent(new Event('visibilitychange'));
  await browser.advance(3999);
  assert.equal(seen.readings.length, 1);
  poll.stop();
  browser.document.hidden = false;
  browser.document.dispatchEvent(new Event('visibilitychange'));
  await browser.advance(20_000);
  assert.equal(seen.readings.length, 1);
});

test('a failed reading is repeated when the server allows it, and in a hidden tab no sooner than its interval there', async () => {
  for (const [hidden, retry, after] of [[false, 4, 4000], [true, 0, 15_000], [true, 20, 20_000]]) {
    const { seen } = scriptedPoll(1, { hidden: 15 });
    await browser.advance(0);
    browser.document.hidden = hidden;
    seen.readings[0].reject(Object.assign(new Error('busy'), { retry }));
    await browser.advance(after - 1);
    assert.equal(seen.readings.length, 1);
    await browser.advance(1);
    assert.equal(seen.readings.length, 2);
  }
});

test('a reading that fails is late from its own beginning, and no timer of others is ended', async () => {
  newBrowser();
  let fired = 0;
  globalThis.window.setTimeout(() => { fired += 1; }, 500);
  const seen = [];
  const poll = new Poll(1, () => new Promise((resolve, reject) => { seen.push(reject); }), () => {});
  await browser.advance(300);
  poll.start();
  await browser.advance(200);
  seen[0](new Error('refused'));
  await browser.advance(0);
  assert.deepEqual([fired, poll.late], [1, 0.2]);
});

test('a reading is due at a moment, whenever it was asked for', async () => {
  for (const [seconds, later, again, due] of [[5, 1000, 2, 3000], [5, 4900, 0.101, 5000]]) {
    const { poll, seen } = scriptedPoll(60);
    await browser.advance(0);
    seen.readings[0].resolve();
    await browser.advance(0);
    poll.soon(seconds);
    await browser.advance(later);
    poll.soon(again);
    await browser.advance(due - later - 1);
    assert.equal(seen.readings.length, 1);
    await browser.advance(1);
    assert.equal(seen.readings.length, 2);
  }
});

test('a reading after one that was answered is not late within its first second', async () => {
  const { poll, seen } = scriptedPoll(1);
  await browser.advance(0);
  seen.readings[0].resolve();
  await browser.advance(1500);
  assert.deepEqual([seen.readings.length, poll.late], [2, 0]);
});

test('a failed reading is repeated within an interval shorter than a second', async () => {
  const { seen } = scriptedPoll(0.5);
  await browser.advance(0);
  seen.readings[0].reject(new Error('refused'));
  await browser.advance(500);
  assert.equal(seen.readings.length, 2);
});

test('an answer makes the pause after the next failure short again', async () => {
  const { seen } = scriptedPoll(60);
  const pauses = [];
  await browser.advance(0);
  for (const answered of [false, false, false, false, false, true, false, false]) {
    const before = seen.readings.length;
    seen.readings.at(-1)[answered ? 'resolve' : 'reject'](new Error('refused'));
    let waited = 0;
    while (seen.readings.length === before) { await browser.advance(100); waited += 100; }
    pauses.push(waited);
  }
  assert.equal(pauses[5], 60_000);
  assert.ok(pauses[4] >= 1200 && pauses[6] <= 700, String(pauses));
});
