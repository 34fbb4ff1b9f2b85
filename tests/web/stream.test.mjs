/** The stream module in a scripted browser: connections, tabs that share one, missing entries, resets, silence. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { EVENTS, connect } from '../../web/stream.js';
import { EPOCH, browser, newBrowser, turn } from './browser_double.mjs';

const BASE = 'http://service.test/api/python/';
/** @type {import('../../web/stream.js').Stream[]} */
let open = [];

beforeEach(() => { newBrowser(); });
afterEach(() => {
  for (const stream of open) stream.close();
  open = [];
  assert.deepEqual(browser.errors, []);
  assert.equal(browser.timers.size, 0, 'a closed stream leaves no timer');
  assert.equal(browser.channels.size, 0, 'a closed stream leaves no channel');
  assert.ok(browser.sources.every((source) => source.closed), 'a closed stream leaves no connection');
});

/** A tab that keeps what it received. */
function tab(options = {}) {
  const stream = connect({ base: BASE, ...options });
  open.push(stream);
  const received = [];
  for (const name of EVENTS) stream.on(name, (detail) => received.push([name, detail]));
  const of = (name) => received.filter(([each]) => each === name).map(([, detail]) => detail);
  return { stream, received, of, seqs: () => of('entry').map(({ seq }) => seq) };
}

/** A tab whose connection is open and live. */
async function liveTab(options = {}) {
  const made = tab(options);
  await browser.advance(0);
  browser.source?.open();
  await turn();
  return made;
}

test('the stream begins at the cursor of the state that was read', async () => {
  browser.append(3);
  const { of, stream } = await liveTab();
  assert.deepEqual(of('state').map(({ cursor, trades }) => [cursor, trades.length]), [[`${EPOCH}-3`, 3]]);
  assert.equal(browser.source.cursor, `${EPOCH}-3`);
  assert.equal(browser.source.url.split('?')[0], `${BASE}sse/trading`);
  assert.deepEqual([stream.freshness.state, stream.freshness.complete, stream.freshness.seq], ['live', true, 3]);
});

test('a load of one\'s own replaces the state, and the stream begins at its cursor', async () => {
  browser.append(5);
  const { of } = await liveTab({ load: async () => `${EPOCH}-2` });
  assert.deepEqual([of('state'), browser.source.cursor], [[], `${EPOCH}-2`]);
});

test('an event that does not exist is refused, and the message offers those that do', () => {
  const { stream } = tab();
  assert.throws(() => stream.on('trade', () => {}), (error) => error instanceof TypeError && EVENTS.every((name) => error.message.includes(name)) && error.message.includes('"trade"'));
});

test('a listener that was removed is not called, and one that throws does not stop the others', async () => {
  const { stream, seqs } = await liveTab();
  let calls = 0;
  stream.on('entry', () => { throw new Error('of a page'); });
  const end = stream.on('entry', () => { calls += 1; });
  browser.trade();
  end();
  browser.trade();
  await turn();
  assert.deepEqual([calls, seqs(), browser.errors.splice(0).length], [1, [1, 2], 2]);
});

test('every kind of entry is an entry and an event of its name', async () => {
  const { of, seqs } = await liveTab();
  const kinds = {
    settlement: { result: 'yes' }, correction: { corrects: 1, trade_id: 't1' }, transfer: { amount: 5, direction: 'deposit' }, gap: { why: 'x', from: 1, to: 2 }, baseline: { positions: [] },
  };
  browser.trade();
  for (const [name, fields] of Object.entries(kinds)) {
    const seq = browser.journal.length + 1;
    browser.journal.push({ seq, timestamp: seq, ...fields });
    browser.source.send(name, browser.journal.at(-1), browser.cursor());
  }
  await turn();
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.equal(of('trades').length, 1);
  for (const name of Object.keys(kinds)) assert.equal(of(name).length, 1, name);
});

test('heartbeats and the bot\'s status are events', async () => {
  const { of } = await liveTab();
  browser.heartbeat();
  browser.source.send('bot_status', { status: 'online', activity: 'halted', reason: 'loss' });
  assert.deepEqual([of('heartbeat')[0].timestamp, of('status')[0].activity], [browser.wall / 1000, 'halted']);
});

test('a missing entry is read by REST before a later one is emitted, and meanwhile the page is not complete', async () => {
  const { seqs, of, stream } = await liveTab();
  browser.trade();
  browser.append(2); // lost on the way
  browser.trade();
  assert.deepEqual([seqs(), stream.freshness.complete], [[1], false]);
  await browser.advance(0);
  assert.deepEqual([seqs(), stream.freshness.complete], [[1, 2, 3, 4], true]);
  assert.ok(of('freshness').some(({ complete }) => complete === false));
  assert.equal(browser.requests.at(-1).searchParams.get('after'), `${EPOCH}-1`);
});

test('a heartbeat shows entries that no later one would', async () => {
  const { seqs, stream } = await liveTab();
  browser.append(2);
  browser.heartbeat();
  assert.equal(stream.freshness.complete, false);
  await browser.advance(0);
  assert.deepEqual([seqs(), stream.freshness.complete], [[1, 2], true]);
});

test('reading of missing entries is tried again until it succeeds', async () => {
  const { seqs, of } = await liveTab();
  browser.instead = () => new TypeError('network');
  browser.append(2);
  browser.heartbeat();
  await browser.advance(2000);
  assert.deepEqual(seqs(), []);
  assert.ok(of('error').every(({ reason, retry }) => reason === 'load' && retry > 0) && of('error').length > 0);
  browser.instead = () => undefined;
  await browser.advance(5000);
  assert.deepEqual(seqs(), [1, 2]);
});

test('entries that the server does not have after three answers are given up by name', async () => {
  const { seqs, of, stream } = await liveTab();
  browser.append(3);
  const [, , last] = browser.journal;
  browser.journal = [];
  browser.source.send('new_trades', { trades: [last] }, `${EPOCH}-3`);
  browser.instead = () => ({ entries: [], cursor: `${EPOCH}-3` });
  await browser.advance(20_000);
  assert.deepEqual(seqs(), [3]);
  assert.deepEqual(of('error').map(({ reason }) => reason), ['missing']);
  assert.match(of('error')[0].message, /#1 to #2/);
  assert.equal(stream.freshness.complete, true);
});

test('a reset reads the state again; what waited of the old journal is dropped', async () => {
  const { seqs, of, stream } = await liveTab();
  browser.trade();
  browser.instead = () => new Promise(() => {}); // nothing is answered: entry 9 has to wait for 2 to 8
  browser.source.send('new_trades', { trades: [{ seq: 9, trade_id: 'old', source: 'x' }] }, `${EPOCH}-9`);
  await turn();
  browser.instead = () => undefined;
  browser.epoch = 'zzzz9999';
  browser.journal = [];
  browser.append(7);
  browser.source.send('reset', { reason: 'epoch', head: 'zzzz9999-7' }, 'zzzz9999-7');
  assert.equal(stream.freshness.complete, false);
  await browser.advance(20_000);
  assert.deepEqual(of('reset'), [{ reason: 'epoch', head: 'zzzz9999-7' }]);
  browser.trade();
  await browser.advance(0);
  assert.deepEqual(seqs(), [1, 8]);
  assert.equal(stream.freshness.cursor, 'zzzz9999-8');
});

test('a head of the same place with another checksum is another journal', async () => {
  const { of } = await liveTab({ load: async () => `${EPOCH}-0` });
  browser.append();
  browser.source.send('new_trades', { trades: [browser.journal[0]] }, `${EPOCH}-1-0a1b`);
  browser.heartbeat(`${EPOCH}-1-0a1b`);
  assert.deepEqual(of('reset'), []);
  browser.heartbeat(`${EPOCH}-1-ffff`);
  assert.equal(of('reset').length, 1);
});

test('a cursor keeps the checksum of its entry when the stream is opened again', async () => {
  await liveTab({ load: async () => `${EPOCH}-0` });
  browser.append();
  browser.source.send('new_trades', { trades: [browser.journal[0]] }, `${EPOCH}-1-0a1b`);
  browser.source.fail();
  await browser.advance(5000);
  assert.equal(browser.source.cursor, `${EPOCH}-1-0a1b`);
});

test('a connection that fails is opened again from the last entry, and the page is not complete until it is live', async () => {
  const { stream, of } = await liveTab();
  browser.trade();
  browser.source.fail();
  assert.deepEqual([stream.freshness.state, stream.freshness.complete, browser.source], ['waiting', false, undefined]);
  assert.deepEqual(of('error').map(({ reason }) => reason), ['connection']);
  await browser.advance(1000);
  assert.deepEqual([browser.source.cursor, stream.freshness.state], [`${EPOCH}-1`, 'connecting']);
  browser.source.open();
  assert.deepEqual([stream.freshness.state, stream.freshness.complete], ['live', true]);
});

test('waits between tries grow until a connection has lasted', async () => {
  await liveTab();
  const waits = [];
  const fail = async () => {
    const [before, begun] = [browser.sources.length, browser.time];
    browser.source.fail();
    while (browser.sources.length === before) await browser.advance(50);
    waits.push(browser.time - begun);
    browser.source.open();
  };
  for (let at = 0; at < 6; at += 1) await fail();
  assert.ok(Math.max(...waits.slice(3)) > 1200 && Math.max(...waits) <= 3700, String(waits));
  await browser.advance(8000);
  await fail();
  assert.ok(waits.at(-1) <= 650, String(waits));
});

for (const [reason, least, most] of [['shutdown', 400, 1300], ['full', 2500, 7600], ['busy', 1500, 4600], ['away', 500, 1600], ['a new word', 200, 700], ['age', 150, 500]]) {
  test(`a bye of reason ${reason} ends the connection, which is opened again after a fitting wait`, async () => {
    const { of } = await liveTab();
    browser.source.send('bye', { reason });
    assert.deepEqual([browser.source, of('error')[0].reason], [undefined, reason === 'full' ? 'full' : 'connection']);
    const wait = of('error')[0].retry * 1000;
    assert.ok(wait >= least && wait <= most, String(wait));
    await browser.advance(wait + 1);
    assert.ok(browser.source);
  });
}

test('a connection that does not open within ten seconds is tried again', async () => {
  tab();
  await browser.advance(9000);
  assert.equal(browser.sources.length, 1);
  await browser.advance(6000);
  assert.ok(browser.sources.length >= 2 && browser.sources[0].closed);
});

test('a connection that is silent for more than two heartbeats is opened again', async () => {
  await liveTab();
  for (let at = 0; at < 3; at += 1) { await browser.advance(30_000); browser.heartbeat(); }
  assert.equal(browser.sources.length, 1);
  await browser.advance(66_000);
  assert.equal(browser.sources.length, 1);
  await browser.advance(6000);
  assert.equal(browser.sources.length, 2);
});

test('after the machine slept the connection is opened again at once', async () => {
  await liveTab();
  await browser.advance(2000);
  browser.slept += 3_600_000;
  await browser.advance(1200);
  assert.equal(browser.sources.length, 2);
});

test('a page that becomes visible, or a network that comes back, does not wait for the next try', async () => {
  for (const [target, name] of [[() => browser.document, 'visibilitychange'], [() => browser.window, 'online']]) {
    newBrowser();
    const { stream } = await liveTab();
    browser.source.send('bye', { reason: 'full' });
    target().dispatchEvent(new Event(name));
    assert.ok(browser.source, name);
    stream.close();
  }
});

test('the state is read until it succeeds, and each failure is an error', async () => {
  browser.instead = () => ({ status: 503, body: { detail: 'the journal cannot be read' } });
  const { of } = tab();
  await browser.advance(3000);
  assert.ok(of('error').length >= 2 && of('error').every(({ reason, message }) => reason === 'load' && message === 'the journal cannot be read'));
  assert.equal(browser.source, undefined);
  browser.instead = () => undefined;
  await browser.advance(6000);
  assert.ok(browser.source);
});

test('an unreadable message is an error and changes nothing', async () => {
  const { of, seqs } = await liveTab();
  browser.source.send('new_trades', '{', `${EPOCH}-9`);
  assert.deepEqual([of('error')[0].reason, seqs()], ['message', []]);
});

// Tabs

test('tabs share one connection, and each message reaches the followers in the same turn', async () => {
  const leader = await liveTab();
  const followers = [await liveTab(), await liveTab()];
  assert.equal(browser.sources.length, 1);
  const entry = browser.trade();
  browser.source.send('bot_status', { status: 'online' });
  const begun = browser.time;
  await turn();
  assert.equal(browser.time, begun, 'no timer stands between leader and followers');
  for (const each of [leader, ...followers]) assert.deepEqual([each.seqs(), each.of('status').length], [[entry.seq], 1]);
  assert.deepEqual([leader, ...followers].map(({ stream }) => stream.freshness.leader), [true, false, false]);
});

test('a tab that joins late receives state, status and the place of the leader', async () => {
  await liveTab();
  browser.source.send('bot_status', { status: 'online', activity: 'paused' });
  browser.trade();
  const late = await liveTab({ load: async () => `${EPOCH}-0` });
  await browser.advance(0);
  assert.deepEqual([late.of('status').map(({ activity }) => activity), late.seqs(), late.stream.freshness.complete], [['paused'], [1], true]);
  assert.equal(late.stream.freshness.retry, 0);
});

test('followers know that the connection was lost, and that it is back', async () => {
  await liveTab();
  const follower = await liveTab();
  assert.equal(follower.stream.freshness.state, 'live');
  browser.source.fail();
  await turn();
  assert.deepEqual([follower.stream.freshness.state, follower.stream.freshness.complete], ['waiting', false]);
  await browser.advance(1000);
  browser.source.open();
  await turn();
  assert.deepEqual([follower.stream.freshness.state, follower.stream.freshness.complete], ['live', true]);
});

test('when the leader closes, the next tab leads from its own place, and no entry is lost or repeated', async () => {
  const leader = await liveTab();
  const follower = await liveTab();
  browser.trade();
  await turn();
  leader.stream.close();
  await turn();
  assert.deepEqual([follower.stream.freshness.leader, browser.source.cursor], [true, `${EPOCH}-1`]);
  browser.source.open();
  browser.trade();
  await turn();
  assert.deepEqual([follower.seqs(), leader.seqs()], [[1, 2], [1]]);
});

test('a leader that hangs loses the lead after about ten seconds of silence; one that answers does not', async () => {
  const leader = await liveTab();
  const follower = await liveTab();
  await browser.advance(60_000);
  assert.equal(leader.stream.freshness.leader, true);
  leader.stream.tabs.send = () => {}; // it hangs: it sends and answers nothing
  const begun = browser.time;
  while (!follower.stream.freshness.leader && browser.time - begun < 30_000) await browser.advance(500);
  assert.ok(browser.time - begun >= 8000 && browser.time - begun <= 13_000, String(browser.time - begun));
  await turn();
  assert.deepEqual([leader.stream.freshness.leader, browser.sources.filter((source) => !source.closed).length], [false, 1]);
});

test('a page in the browser\'s cache gives its connection up and reads what it missed when it is back', async () => {
  const { seqs, stream } = await liveTab();
  browser.trade();
  browser.window.dispatchEvent(new Event('pagehide'));
  assert.equal(browser.source, undefined);
  browser.append(2);
  browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  assert.equal(stream.freshness.complete, false);
  await turn();
  assert.equal(browser.source.cursor, `${EPOCH}-1`);
  browser.source.open();
  browser.heartbeat();
  await browser.advance(0);
  assert.deepEqual([seqs(), stream.freshness.complete], [[1, 2, 3], true]);
});

test('a browser without locks has a connection for each tab', async () => {
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const tabs = [tab(), tab()];
  await browser.advance(0);
  assert.equal(browser.sources.length, 2);
  for (const source of browser.sources) source.open();
  assert.ok(tabs.every(({ stream }) => stream.freshness.leader && stream.freshness.complete));
});
