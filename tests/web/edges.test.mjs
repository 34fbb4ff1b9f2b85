/** Edges of the stream's client and of the model: what is true before the first message, at a limit, and after the end. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Backoff } from '../../web/backoff.js';
import { Connection } from '../../web/connection.js';
import { FifoLots } from '../../web/lots.js';
import { Model } from '../../web/model.js';
import { ACCOUNT_TERM, MARK_TERM } from '../../web/staleness.js';
import { connect } from '../../web/stream.js';
import { TabGroup } from '../../web/tabs.js';
import { Watchdog } from '../../web/watchdog.js';
import { EPOCH, browser, newBrowser, turn } from './browser_double.mjs';

beforeEach(() => { newBrowser(); });

// Waits

test('waits double from the first to the longest, by the reason of the end, and vary by half', () => {
  const waits = (reason, random, count = 5) => {
    const backoff = new Backoff(() => random);
    return Array.from({ length: count }, () => Math.round(backoff.next(reason) * 1000));
  };
  assert.deepEqual(waits('error', 0.5), [400, 800, 1600, 2400, 2400]);
  assert.deepEqual(waits('full', 0.5), [5000, 10_000, 20_000, 30_000, 30_000]);
  assert.deepEqual([waits('busy', 0, 1), waits('busy', 1, 1), waits('a new word', 0.5, 1)], [[1500], [4500], [400]]);
  assert.deepEqual(['shutdown', 'age', 'slow', 'away'].map((reason) => waits(reason, 0.5, 4).at(-1)), [2400, 2400, 2400, 3000]);
});

test('after a reset the first wait comes again', () => {
  const backoff = new Backoff(() => 0.5);
  backoff.next('error');
  backoff.next('error');
  backoff.reset();
  assert.equal(backoff.next('error'), 0.4);
});

// Silence

/** Check once a second up to a moment. */
function checked(watchdog, from, to) {
  let verdict = 'ok';
  for (let now = from; now <= to; now += 1) verdict = watchdog.check(now, now);
  return verdict;
}

test('a connection is dead after two heartbeats and a margin, and not before', () => {
  const watchdog = new Watchdog(30);
  assert.equal(watchdog.limit, 68);
  watchdog.arm(100, 100);
  assert.equal(checked(watchdog, 100, 168), 'ok');
  assert.equal(checked(watchdog, 169, 169), 'dead');
  watchdog.feed(169);
  assert.equal(checked(watchdog, 170, 237), 'ok');
  watchdog.disarm();
  assert.equal(checked(watchdog, 238, 400), 'ok');
});

test('a machine that slept more than ten seconds is found, a page whose timers were held is not', () => {
  const watchdog = new Watchdog(30);
  watchdog.arm(100, 5000);
  assert.deepEqual([watchdog.check(101, 5011), watchdog.check(102, 5022.5), watchdog.check(103, 5023.5)], ['ok', 'slept', 'ok']);
  assert.equal(watchdog.check(303, 5223.5), 'ok', 'frozen for 200 s: it gets a full term');
  assert.equal(checked(watchdog, 304, 371), 'ok');
  assert.equal(watchdog.check(372, 372), 'dead');
});

test('a pause of a quarter of the term or of ten seconds is silence', () => {
  const watchdog = new Watchdog(30);
  watchdog.arm(0, 0);
  for (let now = 17; now <= 68; now += 17) assert.equal(watchdog.check(now, now), 'ok');
  assert.equal(watchdog.check(69, 69), 'dead');
  const short = new Watchdog(4); // a term of 10.8 s
  short.arm(0, 0);
  assert.deepEqual([short.check(10, 10), short.check(11, 11)], ['ok', 'dead']);
});

test('heartbeats that are rarer than assumed make the term longer, each at most twice as long, to 120 s', () => {
  const watchdog = new Watchdog(30);
  watchdog.feed(5, true);
  watchdog.feed(35, true);
  assert.equal(watchdog.heartbeat, 30);
  watchdog.feed(80, true);
  assert.equal(watchdog.heartbeat, 45);
  watchdog.feed(480, true);
  assert.equal(watchdog.heartbeat, 90);
  watchdog.feed(980, true);
  assert.equal(watchdog.heartbeat, 120);
  watchdog.arm(2000, 0);
  watchdog.feed(2500, true);
  watchdog.feed(2501);
  assert.equal(watchdog.heartbeat, 120, 'the first of a connection is compared with none');
});

// Tabs

/** A tab of a group; leads counts how often it was made the leader. */
function member(name = 'group') {
  const received = [];
  const counts = { leads: 0, follows: 0 };
  const group = new TabGroup(name, { lead: () => { counts.leads += 1; }, follow: () => { counts.follows += 1; }, receive: (message) => received.push(message) });
  group.join();
  return { group, counts, received };
}

test('the first tab leads, the others follow, and messages reach all others', async () => {
  const tabs = [member(), member(), member()];
  await turn();
  assert.deepEqual(tabs.map(({ group, counts }) => [group.leading, counts.leads, counts.follows]), [[true, 1, 0], [false, 0, 0], [false, 0, 0]]);
  tabs[1].group.send({ n: 1 });
  await turn();
  assert.deepEqual(tabs.map(({ received }) => received), [[{ n: 1 }], [], [{ n: 1 }]]);
});

test('a leader that leaves makes the next one lead, and one that left the queue never leads', async () => {
  const [one, two, three] = [member(), member(), member()];
  await turn();
  two.group.leave();
  one.group.leave();
  await turn();
  assert.deepEqual([one, two, three].map(({ group, counts }) => [group.leading, counts.leads]), [[false, 1], [false, 0], [true, 1]]);
  assert.deepEqual([browser.channels.size, browser.locks.queue.length], [1, 0]);
  one.group.join();
  await turn();
  three.group.leave();
  await turn();
  assert.deepEqual([one.group.leading, one.counts.leads], [true, 2]);
});

test('a lead that is taken makes the old leader follow and wait in the queue', async () => {
  const [one, two] = [member(), member()];
  await turn();
  two.group.steal();
  await turn();
  assert.deepEqual([one, two].map(({ group, counts }) => [group.leading, counts.leads, counts.follows]), [[false, 1, 1], [true, 1, 0]]);
  assert.equal(browser.locks.queue.length, 1);
  two.group.steal(); // it leads already
  two.group.leave();
  await turn();
  assert.deepEqual([one.group.leading, one.counts.leads], [true, 2]);
  two.group.steal(); // it has left
  await turn();
  assert.equal(one.group.leading, true);
});

test('without locks each tab leads at once, and nothing is sent', () => {
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const { group, counts } = member();
  group.steal();
  group.send({ n: 1 });
  assert.deepEqual([group.alone, group.leading, counts.leads, browser.channels.size], [true, true, 1, 0]);
  group.leave();
  assert.equal(group.leading, false);
});

test('without channels each tab leads at once too', () => {
  delete browser.window.BroadcastChannel;
  assert.deepEqual([member().group.alone, browser.channels.size], [true, 0]);
});

// One connection

/** A connection that records its states. */
function connection(cursor = null) {
  const [states, messages] = [[], []];
  const made = new Connection('http://service.test/sse', { message: (message) => messages.push(message), state: (...state) => states.push(state), cursor: () => cursor });
  made.open();
  return { made, states, messages };
}

test('a connection begins without a cursor where there is none, and with it where there is one', () => {
  const { made, states } = connection();
  assert.deepEqual([browser.source.url, states], ['http://service.test/sse', [['connecting', 0, '']]]);
  made.close();
  assert.equal(connection('a-1-ffff').made.events.url, 'http://service.test/sse?last_event_id=a-1-ffff');
});

test('a connection that was closed stays closed', async () => {
  const { made, states, messages } = connection();
  const { source } = browser;
  source.open();
  made.close();
  source.closed = false; // a browser may still deliver what was on its way
  source.send('heartbeat', {});
  source.fail();
  made.open();
  browser.window.dispatchEvent(new Event('online'));
  browser.document.dispatchEvent(new Event('visibilitychange'));
  await browser.advance(120_000);
  assert.deepEqual([browser.sources.length, messages, states.length, browser.timers.size], [1, [], 2, 0]);
});

test('what an old connection still delivers is not used', async () => {
  const { made, states, messages } = connection();
  const old = browser.source;
  old.open();
  old.fail();
  await browser.advance(1000);
  const { length } = states;
  old.closed = false;
  old.open();
  old.fail();
  old.send('heartbeat', {});
  assert.deepEqual([states.length, messages.length, browser.sources.length], [length, 0, 2]);
  made.close();
});

test('an unreadable bye ends the connection like an error', () => {
  const { made, states } = connection();
  browser.source.open();
  browser.source.send('bye', '{');
  assert.deepEqual([states.at(-1)[0], states.at(-1)[2]], ['waiting', 'error']);
  made.close();
});

test('a hidden page does not try at once, a visible one does; an open connection is left alone', async () => {
  const { made } = connection();
  browser.source.open();
  browser.window.dispatchEvent(new Event('online'));
  assert.equal(browser.sources.length, 1);
  browser.source.send('bye', { reason: 'full' });
  browser.document.visibilityState = 'hidden';
  browser.document.dispatchEvent(new Event('visibilitychange'));
  assert.equal(browser.sources.length, 1);
  browser.document.visibilityState = 'visible';
  browser.document.dispatchEvent(new Event('visibilitychange'));
  assert.equal(browser.sources.length, 2);
  await browser.advance(9000); // the wait that was cut short opens nothing more
  assert.equal(browser.sources.length, 2);
  made.close();
});

test('a page that comes back gives an open connection a full term', async () => {
  const { made } = connection();
  browser.source.open();
  await browser.advance(60_000);
  browser.window.dispatchEvent(new Event('online'));
  await browser.advance(67_000);
  assert.equal(browser.sources.length, 1);
  await browser.advance(4000);
  assert.equal(browser.sources.length, 2);
  made.close();
});

test('a connection may take ten seconds to open', async () => {
  const { made, states } = connection();
  await browser.advance(10_000);
  assert.equal(states.length, 1);
  await browser.advance(1000);
  assert.deepEqual(states[1].filter((_, at) => at !== 1), ['waiting', 'error']);
  made.close();
});

test('waits begin again after a connection has held for more than five seconds', async () => {
  const { made, states } = connection();
  made.backoff = new Backoff(() => 0.5);
  const waits = () => states.filter(([state]) => state === 'waiting').map(([, wait]) => wait);
  for (const held of [0, 0, 4000, 7000]) {
    browser.source.open();
    await browser.advance(held);
    browser.source.fail();
    while (!browser.source) await browser.advance(100);
  }
  assert.deepEqual(waits(), [0.4, 0.8, 1.6, 0.4]);
  made.close();
});

// The stream before its first message and after its end

const BASE = 'http://service.test/api/python/';

test('before the state was read nothing is known, and nothing has been received', async () => {
  browser.instead = () => new Promise(() => {});
  const stream = connect({ base: BASE });
  await browser.advance(0);
  assert.deepEqual(stream.freshness, { state: 'starting', cursor: null, seq: 0, complete: false, leader: false, received: 0, retry: 0 });
  stream.close();
  assert.deepEqual([stream.freshness.state, stream.freshness.retry], ['closed', 0]);
});

test('freshness has the time of the last message, and is emitted once for each change', async () => {
  const stream = connect({ base: BASE });
  const seen = [];
  stream.on('freshness', (detail) => seen.push(detail));
  await browser.advance(0);
  browser.source.open();
  await browser.advance(5000);
  const { length } = seen;
  browser.heartbeat();
  assert.deepEqual([stream.freshness.received, seen.length], [browser.wall / 1000, length]);
  browser.trade();
  assert.deepEqual([seen.length, seen.at(-1).seq, seen.at(-1).received], [length + 1, 1, browser.wall / 1000]);
  stream.close();
});

test('a stream that is closed before it has begun stops no other and opens nothing', async () => {
  const first = connect({ base: BASE });
  await browser.advance(0);
  const timers = browser.timers.size;
  const second = connect({ base: BASE });
  second.close();
  await browser.advance(0);
  assert.deepEqual([browser.timers.size, browser.channels.size, second.freshness.state], [timers, 1, 'closed']);
  first.close();
  assert.deepEqual([browser.timers.size, browser.channels.size], [0, 0]);
});

test('after its end a stream emits nothing, whatever still arrives', async () => {
  const stream = connect({ base: BASE });
  await browser.advance(0);
  const { source } = browser;
  source.open();
  const seen = [];
  stream.on('entry', (detail) => seen.push(detail));
  stream.on('freshness', (detail) => seen.push(detail));
  stream.close();
  seen.length = 0;
  browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  source.closed = false;
  browser.trade();
  await browser.advance(5000);
  assert.deepEqual([seen, browser.sources.length, browser.channels.size], [[], 1, 0]);
});

test('a page that was loaded anew is not joined twice', async () => {
  const stream = connect({ base: BASE });
  await browser.advance(0);
  const timers = browser.timers.size;
  browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
  assert.deepEqual([browser.timers.size, browser.channels.size], [timers, 1]);
  stream.close();
});

test('a follower has the wait of its leader', async () => {
  const [leader, follower] = [connect({ base: BASE }), connect({ base: BASE })];
  await browser.advance(0);
  browser.source.open();
  browser.source.send('bye', { reason: 'full' });
  await turn();
  assert.ok(leader.freshness.retry > 2);
  assert.deepEqual([follower.freshness.retry, follower.freshness.leader], [leader.freshness.retry, false]);
  leader.close();
  follower.close();
});

test('a follower asks its leader only after some seconds of silence', async () => {
  const [leader, follower] = [connect({ base: BASE }), connect({ base: BASE })];
  await browser.advance(0);
  browser.source.open();
  await browser.advance(0);
  const asked = [];
  const listener = new BroadcastChannel([...browser.channels][0].name);
  listener.onmessage = ({ data }) => { if (data.kind === 'hello') asked.push(browser.time); };
  for (let second = 0; second < 6; second += 1) {
    browser.heartbeat();
    await browser.advance(1000);
  }
  assert.deepEqual(asked, []);
  await browser.advance(5000);
  assert.equal(asked.length, 1, 'the answer begins another term');
  listener.close();
  leader.close();
  follower.close();
});

test('a status that a late tab has already is not emitted again', async () => {
  const [leader, follower] = [connect({ base: BASE }), connect({ base: BASE })];
  await browser.advance(0);
  browser.source.open();
  const seen = [];
  follower.on('status', (detail) => seen.push(detail));
  browser.source.send('bot_status', { status: 'online' });
  await turn();
  follower.tabs.send({ kind: 'hello' });
  await turn();
  assert.equal(seen.length, 1);
  leader.close();
  follower.close();
});

test('a state that is being read is not read a second time', async () => {
  const waiting = [];
  browser.answer = (url) => new Promise((resolve) => {
    browser.requests.push(url);
    waiting.push(() => resolve(Response.json({ trades: [], entries: [], cursor: `${EPOCH}-0` })));
  });
  const stream = connect({ base: BASE });
  await browser.advance(0);
  waiting.pop()();
  await browser.advance(0);
  browser.source.open();
  browser.source.send('reset', { reason: 'epoch', head: `${EPOCH}-0` });
  browser.heartbeat();
  browser.heartbeat();
  await browser.advance(0);
  assert.equal(browser.requests.length, 2);
  stream.close();
});

test('a page is complete as soon as the state after a reset was read, without a further message', async () => {
  const stream = connect({ base: BASE });
  await browser.advance(0);
  browser.source.open();
  const seen = [];
  stream.on('freshness', ({ complete }) => seen.push(complete));
  browser.source.send('reset', { reason: 'epoch', head: `${EPOCH}-0` });
  await browser.advance(0);
  assert.deepEqual(seen, [false, true]);
  stream.close();
});

// The model

const now = 1_700_000_000;
const trade = (fields) => ({
  seq: 1, timestamp: now, ticker: 'A', side: 'BUY', quantity: 2, price: 0.5, trade_id: 't', outcome: 'yes', fee: 0.25, order_id: null, origin: 'bot', mode: 'live', source: 'bot_live', ...fields,
});
const held = (fields) => ({ ticker: 'A', title: 'T', quantity: 1, outcome: 'yes', cost: 0.3, mark: 0.4, ...fields });
const answer = { source: 'kalshi_api', as_of: now, stale: false };
const situation = { now, connected: true, complete: true, blind: false, exchangeFailed: null };

test('a new model knows nothing', () => {
  const model = new Model();
  assert.deepEqual([model.status, model.hint, model.health, model.cash, model.accountError, model.reconciliation, model.reconciliationFact], Array(7).fill(null));
  assert.deepEqual([model.entries, model.refused, model.mode, model.mark('A')], [0, [], null, null]);
  assert.deepEqual(model.positions(), { rows: [], totals: model.positions().totals });
});

test('entries are counted, and another journal begins without them, their refusals and their prices', () => {
  const model = new Model();
  model.add(trade({}));
  model.add(trade({ seq: 2, price: 1 / 3 }));
  model.add({ seq: 3, timestamp: now, why: 'x', from: 1, to: 2, source: 'journal' });
  assert.deepEqual([model.entries, model.refused.length], [3, 1]);
  model.clear();
  assert.deepEqual([model.entries, model.refused, model.mark('A'), model.store.length, model.books.latest ?? null], [0, [], null, 0, null]);
});

test('while the journal is read the hint gives the mode; without any the book is that of live', () => {
  const model = new Model();
  assert.equal(model.book, model.books.of('live'));
  model.hint = 'demo';
  assert.deepEqual([model.mode, model.book], ['demo', model.books.of('demo')]);
  model.status = { status: 'online', mode: 'paper' };
  assert.equal(model.mode, 'paper');
});

for (const [name, stale, changes] of [
  ['current', false, {}], ['of an old answer', true, { stale: true }], ['with old marks', true, { marks_stale: true }], ['with current marks', false, { marks_stale: false }],
]) {
  test(`marks of the account ${name} are ${stale ? 'stale' : 'not stale'}`, () => {
    const model = new Model();
    model.holdAccount({ ...answer, positions: [held({})], ...changes }, now + 1);
    assert.deepEqual(model.mark('A'), { price: 0.4, fact: { source: 'kalshi_api', asOf: now, received: now + 1, stale, term: ACCOUNT_TERM, exchange: true } });
  });
}

test('a position without a mark or without contracts has no mark, and an answer replaces the one before', () => {
  const model = new Model();
  model.holdAccount({ ...answer, positions: [held({}), held({ ticker: 'B', mark: null }), held({ ticker: 'C', mark: undefined }), held({ ticker: 'D', outcome: null })] }, now);
  assert.deepEqual(['A', 'B', 'C', 'D'].map((ticker) => model.mark(ticker) && model.mark(ticker).price), [0.4, null, null, null]);
  model.holdAccount({ ...answer, positions: [held({ ticker: 'B', mark: 0 })] }, now);
  assert.deepEqual(['A', 'B'].map((ticker) => model.mark(ticker)?.price ?? null), [null, 0]);
});

test('of two marks the newer one counts, and the account\'s where they are of one moment', () => {
  const model = new Model();
  const quote = (asOf) => model.quote([{ ticker: 'A', title: 'T', yes_bid: 0.6, yes_ask: 0.6, last_price: null }], { source: 'kalshi_api', asOf, received: now, stale: false, term: 60 });
  model.holdAccount({ ...answer, positions: [held({})] }, now);
  for (const [asOf, expected] of [[now - 1, 0.4], [now, 0.4], [now + 1, 0.6]]) {
    quote(asOf);
    assert.equal(model.mark('A').price, expected);
  }
  model.quote([{ ticker: 'A', title: 'T', yes_bid: null, yes_ask: null, last_price: null }], { source: 'kalshi_api', asOf: now + 2, received: now, stale: false, term: 60 });
  assert.equal(model.mark('A').price, 0.4);
});

test('the price of the newest own trade is a mark, and of two at one moment the later one', () => {
  const model = new Model();
  for (const [seq, timestamp, price, expected] of [[1, now, 0.5, 0.5], [2, now, 0.6, 0.6], [3, now - 1, 0.7, 0.6]]) {
    model.add(trade({ seq, timestamp, price }));
    assert.equal(model.mark('A').price, expected);
  }
  assert.deepEqual(model.mark('A').fact, { source: 'own', asOf: now, received: now, stale: false, term: MARK_TERM });
});

test('net is profit of both kinds less fees; unknown while the mark of an open position is', () => {
  const model = new Model();
  model.add(trade({}));
  model.add(trade({ seq: 2, ticker: 'B', fee: 0 }));
  model.add(trade({ seq: 3, ticker: 'B', side: 'SELL', price: 0.75, fee: 0.125 }));
  model.ownTrades.delete('A');
  const rows = () => Object.fromEntries(model.positions().rows.map((row) => [row.ticker, [row.net, row.markFact]]));
  assert.deepEqual(rows(), { A: [null, null], B: [0.375, null] });
  model.quote([{ ticker: 'A', title: 'T', yes_bid: 0.75, yes_ask: 0.75, last_price: null }], { source: 'kalshi_api', asOf: now, received: now, stale: false, term: 60 });
  assert.equal(rows().A[0], 0.25);
});

test('the oldest mark is that with the oldest answer, among old ones where there are any', () => {
  const model = new Model();
  const fact = (asOf, stale = false) => ({ markFact: { source: 'own', asOf, received: now, stale, term: 60 } });
  const oldest = (...facts) => model.oldestMark(facts, situation)?.asOf ?? null;
  const [one, other] = [fact(5), fact(5)];
  assert.equal(model.oldestMark([one, other], situation), one.markFact, 'the first of two that are as old');
  assert.deepEqual([oldest(), oldest({ markFact: null }), oldest(fact(5), fact(3), fact(4)), oldest(fact(5), fact(3), fact(4, true), fact(6, true))], [null, null, 3, 4]);
});

// Lots

test('contracts of one moment and price join the last lot, any other is a lot of its own', () => {
  const lots = new FifoLots();
  for (const [count, cost, opened] of [[2, 1n, 5], [4, 2n, 5], [4, 3n, 5], [4, 3n, 6]]) lots.open(count, cost, BigInt(count), opened);
  assert.deepEqual(lots.lots.map(({ quantity, left, cost, fee }) => [quantity, left, cost, fee]), [[6, 6, 3n, 6n], [4, 4, 3n, 4n], [4, 4, 3n, 4n]]);
  assert.deepEqual([lots.quantity, lots.cost, lots.first], [14, 9n, 0]);
});

test('lots are closed first in first out, in parts that add up', () => {
  const lots = new FifoLots();
  lots.open(-3, 100n, 7n, 1);
  lots.open(-2, 50n, 0n, 2);
  assert.deepEqual(lots.close(1), [{ quantity: 1, opened: 1, cost: 33n, fee: 2n }]);
  assert.deepEqual(lots.close(3), [{ quantity: 2, opened: 1, cost: 67n, fee: 5n }, { quantity: 1, opened: 2, cost: 25n, fee: 0n }]);
  assert.deepEqual([lots.quantity, lots.cost], [-1, 25n]);
  lots.close(1);
  assert.deepEqual([lots.quantity, lots.cost, lots.lots, lots.first], [0, 0n, [], 0]);
});

test('contracts of its moment and price join a lot that is whole, and no lot that was closed in part', () => {
  const lots = new FifoLots();
  lots.open(2, 4n, 1n, 1);
  lots.open(2, 4n, 1n, 1);
  lots.close(1);
  lots.open(2, 4n, 0n, 1);
  assert.deepEqual(lots.lots.map(({ left, quantity }) => [left, quantity]), [[3, 4], [2, 2]]);
});

test('closed lots do not gather', () => {
  const lots = new FifoLots();
  for (let at = 0; at <= 1002; at += 1) lots.open(1, BigInt(at), 0n, at);
  for (let at = 0; at <= 999; at += 1) lots.close(1);
  assert.deepEqual([lots.first, lots.lots.length], [1000, 1003]);
  lots.close(1);
  assert.deepEqual([lots.first, lots.lots.length, lots.lots[0].opened], [0, 2, 1001]);
});
