/** What the page shows, without a browser: staleness, alerts, curve, statistics, store, names, addresses, export, formats. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alertsOf } from '../../web/alerts.js';
import { describeBot, isBotDown } from '../../web/bot_state.js';
import { ServerClock } from '../../web/clock.js';
import { parseCsv } from '../../web/export.js';
import { ago, alignPoint, compactMoney, decimals, duration, exactMoney, money, percent, price, profit, quantity, tone } from '../../web/format.js';
import { complement, markOf } from '../../web/mark.js';
import { MarketNames } from '../../web/market_names.js';
import { Model } from '../../web/model.js';
import { describeTrades } from '../../web/notifier.js';
import { rangeOf, sortOf } from '../../web/panels.js';
import { differenceOf } from '../../web/position_list.js';
import { Book } from '../../web/positions.js';
import { ProfitCurve, deepestDrawdown, thin } from '../../web/profit_curve.js';
import { address, parseAddress } from '../../web/router.js';
import { fields, kind } from '../../web/schema.js';
import { compareValues, sortedIndices } from '../../web/sorting.js';
import { factOf, isOld, sourceName } from '../../web/staleness.js';
import { days, statistics, weeks } from '../../web/statistics.js';
import { numberTicks, timeTicks } from '../../web/ticks.js';
import { tradeColumns } from '../../web/trade_columns.js';
import { TradeStore } from '../../web/trade_store.js';
import { drawBars, valueText } from '../../web/view_money.js';
import { matchingTickers } from '../../web/view_trades.js';

const now = 1_700_000_000;
const trade = (fields_) => ({
  seq: 1, timestamp: now, ticker: 'A', side: 'BUY', quantity: 1, price: 0.5, trade_id: 't', outcome: 'yes', fee: 0, order_id: null,
  origin: 'bot', mode: 'live', source: 'bot_live', ...fields_,
});
const settlement = (fields_) => ({ seq: 9, timestamp: now + 9, ticker: 'A', event_ticker: 'E', result: 'yes', value: 1, yes_quantity: 1, no_quantity: 0, revenue: 1, fee: 0, mode: 'live', source: 'kalshi_api', ...fields_ });

// Staleness

const situation = { now, connected: true, complete: true, blind: false, exchangeFailed: null };
const fact = { source: 'kalshi_api', asOf: now, received: now, stale: false, term: 60, exchange: true };
for (const [name, old, facts, changes] of [
  ['a fresh answer', false, {}, {}],
  ['an answer while the server does not answer', true, {}, { connected: false }],
  ['an answer that the server calls stale', true, { stale: true }, {}],
  ['an answer within its term', false, { received: now - 60 }, {}],
  ['an answer beyond its term', true, { received: now - 61 }, {}],
  ['an answer from before the exchange failed', true, { asOf: now - 5 }, { exchangeFailed: now - 1 }],
  ['an answer from after the exchange failed', false, { asOf: now }, { exchangeFailed: now - 1 }],
  ['an answer of the journal while the exchange fails', false, { exchange: false, asOf: now - 5 }, { exchangeFailed: now - 1 }],
  ['a sum of the stream', false, { stream: true, received: 0 }, {}],
  ['a sum of an incomplete stream', true, { stream: true }, { complete: false }],
  ['a sum while neither bot nor exchange can report trades', true, { stream: true }, { blind: true }],
]) test(`${name} is ${old ? 'old' : 'current'}`, () => assert.equal(isOld({ ...fact, ...facts }, { ...situation, ...changes }), old));

test('an answer of the exchange depends on the exchange, one of the journal does not', () => {
  assert.deepEqual(factOf({ source: 'kalshi_api', as_of: 5, stale: false }, 6, 7), { source: 'kalshi_api', asOf: 5, received: 6, stale: false, term: 7, exchange: true });
  assert.equal(factOf({ source: 'journal', as_of: 5, stale: true }, 6, 7).exchange, false);
});

// The server's clock

test('the clock follows the server, whatever the browser\'s clock says, and prefers the fastest message', () => {
  let mono = 100;
  const clock = new ServerClock(() => mono, () => 5);
  assert.equal(clock.now(), 5);
  clock.observe(now - 0.2);
  mono += 10;
  clock.observe(now + 10);
  assert.equal(clock.now(), now + 10);
  mono += 1;
  assert.equal(clock.now(), now + 11);
  assert.equal(clock.skew, 5 - now - 11);
  clock.observe(NaN);
  assert.equal(clock.now(), now + 11);
});

test('messages that a frozen tab receives late do not set the clock back; a clock that was set back does', () => {
  let mono = 0;
  const clock = new ServerClock(() => mono, () => 0);
  clock.observe(now);
  mono = 600;
  for (const behind of [570, 540, 510]) clock.observe(now + 600 - behind);
  assert.equal(clock.now(), now + 600);
  clock.observe(now + 600 - 100);
  mono += 30;
  clock.observe(now + 630 - 100);
  assert.equal(clock.now(), now + 530);
});

// Bot and alerts

const online = { status: 'online', activity: 'trading', since: now - 60, mode: 'live', reason: null, trades: 1 };
const part = (state = 'ok', reason = null) => ({ state, reason, age: 1 });
const health = (parts = {}, more = {}) => ({ status: 'ok', version: '1', uptime: 1, as_of: now, parts: { poller: part(), bot: part(), kalshi: { ...part(), keys: true }, journal: part(), cache: part(), ...parts }, warnings: [], ...more });
const calm = { connected: true, down: 0, health: health(), bot: online, loadError: null, missing: null, full: false, reset: false, refused: [], accountError: null };
const ids = (state) => alertsOf({ ...calm, ...state }).map(({ id }) => id);
const bad = part('degraded', 'timed out');

for (const [name, expected, state] of [
  ['all is well', [], {}],
  ['health was not read yet', [], { health: null }],
  ['the server is gone', ['server'], { connected: false, down: 5, health: health({ kalshi: bad }), bot: { ...online, activity: 'halted' } }],
  ['the server is gone for a moment', [], { connected: false, down: 1 }],
  ['the bot is dead: poller and bot are one cause', ['bot'], { bot: { ...online, status: 'offline' }, health: health({ bot: bad, poller: bad }) }],
  ['the bot is dead and health does not say so yet', ['bot'], { bot: { ...online, status: 'offline' } }],
  ['the bot is back before health says so', [], { bot: online, health: health({ cache: part('idle') }) }],
  ['the bot is online and its trades cannot be read', ['bot'], { health: health({ poller: bad }) }],
  ['the bot is halted', ['bot'], { bot: { ...online, activity: 'halted' }, health: health({ bot: bad }) }],
  ['the bot is paused', ['bot'], { bot: { ...online, activity: 'paused' } }],
  ['an older server gives no activity', [], { bot: { ...online, activity: undefined } }],
  ['the exchange is down: push and healing are one cause', ['exchange'], { health: health({ kalshi: bad, push: bad, healer: bad }) }],
  ['only the push is down', ['exchange'], { health: health({ push: bad }) }],
  ['the account cannot be read', ['exchange'], { accountError: 'x' }],
  ['there are no keys', ['keys'], { health: health({ kalshi: { ...part(), keys: false } }), accountError: 'x' }],
  ['the journal and its recorder fail', ['journal'], { health: health({ journal: bad, recorder: bad }) }],
  ['an unknown part fails', ['part-new_part'], { health: health({ new_part: bad }) }],
  ['the service warns', ['warning-0'], { health: health({}, { warnings: ['public'] }) }],
  ['reading fails in every way', ['load', 'reset', 'missing', 'full', 'refused'], { loadError: 'x', reset: true, missing: 'x', full: true, refused: ['#1'] }],
]) test(`alerts: ${name}`, () => assert.deepEqual(ids(state), expected));

test('a halt is red and brings the command that clears it; a pause is not red', () => {
  const [halt] = alertsOf({ ...calm, bot: { ...online, activity: 'halted', reason: 'daily loss' } });
  assert.deepEqual([halt.tone, halt.title], ['bad', 'The bot is halted: daily loss']);
  assert.match(halt.command, /clear/);
  assert.equal(alertsOf({ ...calm, bot: { ...online, activity: 'paused' } })[0].tone, 'info');
});

test('a word that no table has is an unknown state, in header, alert and title alike, whatever the word is', () => {
  for (const activity of ['zzz', 'constructor', '__proto__', 'toString']) {
    const bot = { status: 'online', activity, since: now, mode: 'live', reason: null, trades: 1 };
    assert.deepEqual([describeBot(bot, true, now).word, isBotDown(bot)], ['unknown state', true], activity);
    assert.deepEqual(ids({ bot }), ['bot'], activity);
  }
  assert.equal(describeBot({ status: 'constructor', activity: null, since: now, mode: 'live', reason: null, trades: 1 }, true, now).word, 'unknown state');
  assert.equal(sourceName('constructor'), 'constructor');
});

test('the advice for a dead bot says whether the exchange replaces it', () => {
  const state = { bot: { ...online, status: 'offline' } };
  assert.match(alertsOf({ ...calm, ...state })[0].text, /read from the exchange meanwhile/);
  assert.match(alertsOf({ ...calm, ...state, health: health({ kalshi: bad }) })[0].text, /may be old/);
});

for (const [status, tone_, text, down] of [
  [null, 'idle', 'Bot: no status yet', false],
  [online, 'good', 'Bot trading for 60 s', false],
  [{ ...online, activity: undefined }, 'good', 'Bot online for 60 s', false],
  [{ ...online, activity: 'paused' }, 'info', 'Bot paused for 60 s', false],
  [{ ...online, activity: 'halted' }, 'bad', 'Bot HALTED for 60 s', true],
  [{ ...online, activity: 'refused' }, 'bad', 'Bot orders refused for 60 s', true],
  [{ ...online, activity: 'stopped' }, 'bad', 'Bot stopped for 60 s', true],
  [{ ...online, activity: 'a new word' }, 'warn', 'Bot unknown state for 60 s', true],
  [{ ...online, status: 'offline', activity: 'trading' }, 'bad', 'Bot offline for 60 s', true],
  [{ ...online, status: 'stalled', since: null }, 'warn', 'Bot stalled', true],
]) {
  test(`the bot's state reads ${text}`, () => {
    const found = describeBot(status, true, now);
    assert.deepEqual([found.tone, found.text, isBotDown(status)], [tone_, text, down]);
    if (status) assert.deepEqual([describeBot(status, false, now).tone, describeBot(status, false, now).text.startsWith('Bot was ')], ['idle', true]);
  });
}

// Curve and statistics

test('the curve ends at realized less fees, and a late trade changes its past', () => {
  const [book, curve] = [new Book(), new ProfitCurve()];
  book.add(trade({ quantity: 10, price: 0.4, fee: 0.07 }));
  book.add(trade({ seq: 2, timestamp: now + 10, side: 'SELL', quantity: 5, price: 0.6 }));
  assert.deepEqual(curve.of(book).totals.map((total) => Number(total.toFixed(6))), [0, -0.07, 0.93]);
  book.add(trade({ seq: 3, timestamp: now - 10, quantity: 1, price: 0.1 }));
  const { times, totals } = curve.of(book);
  assert.ok(times.every((time, at) => at === 0 || time >= times[at - 1]));
  const [row] = book.positions();
  assert.equal(totals.at(-1).toFixed(6), (Number(row.realized_pnl) - Number(row.fees)).toFixed(6));
});

test('the curve holds settlements, corrections and the profit of the baseline', () => {
  const [book, curve] = [new Book(), new ProfitCurve()];
  book.add({ seq: 1, timestamp: now - 9, positions: [{ ticker: 'A', quantity: 1, cost: 0.5, realized_pnl: 3, fees: 1 }], mode: 'live', source: 'journal' });
  assert.deepEqual(curve.of(book).totals, [2]);
  book.add(settlement({ seq: 2, fee: 1.25 }));
  assert.deepEqual(curve.of(book), { times: [now - 9, now + 9], totals: [2, 2.25], falls: [0, 0] });
  book.add(trade({ seq: 3, ticker: 'B', timestamp: now + 20, fee: 1 }));
  assert.equal(curve.of(book).totals.at(-1), 1.25);
  book.add({ ...trade({ seq: 4, ticker: 'B', timestamp: now + 20, quantity: 0 }), corrects: 3 });
  assert.equal(curve.of(book).totals.at(-1), 2.25);
});

test('the curve of many markets is their sum in the order of time, however long it is', () => {
  const [book, curve] = [new Book(), new ProfitCurve()];
  const add = (seq, time) => book.add(trade({ seq, ticker: `M${seq % 7}`, timestamp: time, fee: 0.01 }));
  for (let seq = 1; seq <= 200_000; seq += 1) add(seq, now + seq);
  const before = curve.of(book);
  assert.deepEqual([before.times.length, before.totals.at(-1).toFixed(2)], [200_001, '-2000.00']);
  book.add(trade({ seq: 200_001, ticker: 'LATE', timestamp: now, fee: 5 }));
  const { times, totals } = curve.of(book);
  assert.ok(times.every((time, at) => at === 0 || time >= times[at - 1]));
  assert.deepEqual([times.length, totals[1], totals.at(-1).toFixed(2)], [200_002, -5, '-2005.00']);
});

test('the drawdown of the curve grows with it, and is that of the whole line', () => {
  const [book, curve] = [new Book(), new ProfitCurve()];
  const gains = [5, -3, 1, 4, -2];
  gains.forEach((gain, at) => {
    book.add(trade({ seq: at + 1, ticker: `M${at}`, timestamp: now + at, fee: -gain }));
    const line = curve.of(book);
    assert.deepEqual(curve.drawdown, deepestDrawdown(line));
    let top = -Infinity;
    assert.deepEqual(line.falls, line.totals.map((total) => { top = Math.max(top, total); return total - top; }));
  });
  assert.deepEqual(curve.drawdown, { depth: 3, start: now, end: now + 1, now: 2 });
});

test('closed lots are those of the whole life, also when more are closed after they were read', () => {
  const [book, other] = [new Book(), new Book()];
  const entries = [1, 2, 3, 4, 5, 6].map((seq) => trade({ seq, timestamp: now + seq, side: seq % 2 ? 'BUY' : 'SELL', price: seq / 10, fee: 0.01 }));
  for (const entry of entries) {
    book.add(entry);
    book.markets.get(entry.ticker).closedLots();
    other.add(entry);
  }
  const [market, whole] = [book.markets.get(entries[0].ticker), other.markets.get(entries[0].ticker)];
  assert.equal(market.closedLots().length, 3);
  assert.deepEqual(market.closedLots(), whole.closedLots());
  book.add({ ...entries[1], seq: 7, corrects: 2, price: 0.9 });
  assert.equal(market.closedLots()[0].proceeds, 90_000_000n);
});

test('a thinned line keeps its highest, its lowest and its end, and nothing outside of the range', () => {
  const times = Array.from({ length: 100_000 }, (_, n) => now + n);
  const totals = times.map((_, n) => Math.sin(n / 5000) + (n === 54_321 ? 9 : 0));
  const points = thin({ times, totals }, -Infinity, now + 100_000, 300);
  assert.ok(points.length <= 1300, String(points.length));
  assert.equal(Math.max(...points.map(([, level]) => level)), totals[54_321]);
  assert.deepEqual(points.at(-1), [times.at(-1), totals.at(-1)]);
  const part_ = thin({ times, totals }, now + 100, now + 200, 50);
  assert.deepEqual([part_[0][0], part_.at(-1)[0]], [now + 100, now + 200]);
});

test('a range begins at the level before it', () => {
  const line = { times: [now - 100, now - 50, now], totals: [1, 2, 3] };
  assert.deepEqual(thin(line, now - 60, now, 100), [[now - 60, 1], [now - 50, 2], [now, 3]]);
  assert.deepEqual(thin({ times: [], totals: [] }, -Infinity, now, 100), []);
});

test('the drawdown is the deepest fall below the highest point before', () => {
  const line = { times: [1, 2, 3, 4, 5], totals: [0, 5, 2, 6, 4] };
  assert.deepEqual(deepestDrawdown(line), { depth: 3, start: 2, end: 3, now: 2 });
  assert.deepEqual(deepestDrawdown({ times: [], totals: [] }), { depth: 0, start: null, end: null, now: 0 });
});

test('statistics count lots after fees: a win of a cent, a loss of two, an even one', () => {
  const lot = (profit_, opened = 10) => ({ profit: BigInt(profit_), fees: 1_000_000n, opened, closed: 20 });
  const found = statistics([lot(1_000_000), lot(-2_000_000), lot(0, null)]);
  assert.deepEqual([found.closed, found.wins, found.losses, found.grossProfit, found.grossLoss], [3, 1, 1, 0.01, 0.02]);
  assert.deepEqual([found.winRate.toFixed(3), found.profitFactor, found.averageWin, found.averageLoss, found.heldSeconds], ['0.333', 0.5, 0.01, 0.02, 10]);
  assert.deepEqual([statistics([]).winRate, statistics([]).profitFactor], [null, null]);
});

test('days add up to the curve, and weeks run from Monday to Sunday', () => {
  const at = (text) => new Date(text).getTime() / 1000;
  const line = { times: [at('2026-11-18T09:00'), at('2026-11-18T10:00'), at('2026-11-18T23:59:59'), at('2026-11-24T00:00')], totals: [1, 3, 2, 7] };
  assert.deepEqual(days(line).map(({ start, profit: sum, moves }) => [start, sum, moves]), [[at('2026-11-18T00:00'), 1, 2], [at('2026-11-24T00:00'), 5, 1]]);
  const rows = weeks(days(line));
  assert.equal(rows.length, 2);
  assert.deepEqual(rows.map((week) => week.map((day) => (day ? day.profit : null))), [[0, 5, null, null, null, null, null], [null, null, 1, 0, 0, 0, 0]]);
  assert.deepEqual(weeks([]), []);
});

test('ticks are round numbers and local times inside of the range', () => {
  assert.deepEqual(numberTicks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.equal(numberTicks(0, 0, 4).length, 1);
  const noon = new Date('2026-11-26T12:07:00').getTime() / 1000;
  const hours = timeTicks(noon, noon + 4 * 3600, 6);
  assert.deepEqual(hours.map(({ label }) => label), ['13:00', '14:00', '15:00', '16:00']);
  const over = timeTicks(noon, noon + 30 * 3600, 8).map(({ label }) => label);
  assert.ok(over.includes('Nov 27') && over.includes('18:00'), String(over));
  assert.ok(timeTicks(noon, noon + 800 * 86_400, 8).length <= 9);
  for (const span of [5, 60, 3600, 86_400, 20 * 86_400, 300 * 86_400]) {
    const found = timeTicks(noon, noon + span, 6);
    assert.ok(found.length >= 1 && found.length <= 8, `${span}: ${found.length}`);
    assert.ok(found.every(({ time }) => time >= noon && time <= noon + span), String(span));
  }
});

// Store, names, model

test('the store keeps every entry, selects by mode, market and time, and applies corrections', () => {
  const store = new TradeStore();
  for (let seq = 1; seq <= 3000; seq += 1) store.add(trade({ seq, ticker: `M${seq % 3}`, timestamp: now + seq, fee: seq % 2 ? null : 0.5, mode: seq % 10 ? 'live' : 'paper' }));
  store.add({ seq: 3001, timestamp: now + 3001, from: 1, to: 2, why: 'x', source: 'journal' });
  store.add({ ...trade({ seq: 3002, ticker: 'M9', quantity: 7, timestamp: now + 2 }), corrects: 2 });
  store.add({ ...trade({ seq: 3003, ticker: 'M9', quantity: 8, timestamp: now + 2 }), corrects: 3002 });
  const all = { tickers: null, from: -Infinity, to: Infinity, mode: 'live' };
  assert.equal(store.select(all).length, 2703);
  assert.deepEqual([...store.select({ ...all, tickers: new Set(['M9']) })].map((at) => store.at(at).seq), [2, 3002, 3003]);
  assert.equal(store.select({ ...all, from: now + 2999, mode: 'paper' }).length, 2);
  assert.deepEqual([store.at(1).quantity, store.at(1).seq, store.at(1).corrected, store.at(0).fee, store.at(3000).kind], [8, 2, true, null, 'gap']);
  assert.deepEqual(store.tickers().sort(), ['M0', 'M1', 'M2', 'M9']);
  const before = store.revision;
  store.clear();
  assert.deepEqual([store.length, store.select(all).length, store.revision], [0, 0, before + 1]);
});

test('100 000 numbers sort like Array.sort, unknown ones first, equal ones in their order', () => {
  const keys = Float64Array.from({ length: 100_000 }, (_, n) => (n % 97 === 0 ? NaN : ((n * 7919) % 1000) - 500 + (n % 3) / 4));
  const order = sortedIndices(keys);
  const known = [...keys.keys()].filter((at) => !Number.isNaN(keys[at])).sort((a, b) => keys[a] - keys[b] || a - b);
  const unknown = [...keys.keys()].filter((at) => Number.isNaN(keys[at]));
  assert.deepEqual([...order], [...unknown, ...known]);
  assert.deepEqual([...sortedIndices(Float64Array.of(-Infinity, 5, -0.5, Infinity, -7, 0))], [0, 4, 2, 5, 1, 3]);
  const long = Float64Array.from({ length: 5000 }, (_, n) => Math.sin(n) * 10 ** (n % 19)); // no whole numbers at any scale
  assert.deepEqual([...sortedIndices(long)], [...long.keys()].sort((a, b) => long[a] - long[b] || a - b));
  const cents = Float64Array.from({ length: 5000 }, (_, n) => ((n * 7919) % 300) / 100 - 1);
  assert.deepEqual([...sortedIndices(cents)], [...cents.keys()].sort((a, b) => cents[a] - cents[b] || a - b));
  assert.deepEqual([[...sortedIndices(Float64Array.of(NaN, NaN))], [...sortedIndices(Float64Array.of())]], [[0, 1], []]);
  const store = new TradeStore();
  for (const [at, ticker] of ['B', 'A', 'C'].entries()) store.add(trade({ seq: at + 1, ticker }));
  assert.deepEqual([...store.sort(Uint32Array.of(0, 1, 2), store.ranked('ticker'))], [1, 0, 2]);
  assert.deepEqual([[2, 1], [1, 2], [1, 1], [null, 1], [1, null], ['a', 'b']].map(([a, b]) => compareValues(a, b)), [1, -1, 0, -1, 1, -1]);
});

test('a market is named by its outcome, and strikes that share words by their ticker too', () => {
  const names = new MarketNames();
  assert.deepEqual(names.name('KXHIGHNYC-26NOV27-B54.5'), { lead: 'B54.5', event: '', code: '26NOV27-B54.5' });
  names.add({ ticker: 'KXHIGHNYC-26NOV27-B54.5', title: 'Highest temperature?', yes_title: '54° to 55°' });
  assert.deepEqual(names.name('KXHIGHNYC-26NOV27-B54.5'), { lead: '54° to 55°', event: 'Highest temperature?', code: '26NOV27-B54.5' });
  names.add({ ticker: 'E-1-A', title: 'T', yes_title: 'Same' });
  names.add({ ticker: 'E-1-B', title: 'T', yes_title: 'Same' });
  assert.deepEqual([names.name('E-1-A').lead, names.name('E-1-B').lead], ['Same · A', 'Same · B']);
  names.name('KXHIGHCHI-26NOV27-B54.5');
  assert.deepEqual([names.name('KXHIGHNYC-26NOV27-B54.5').code, names.name('KXHIGHCHI-26NOV27-B54.5').code], ['…HNYC-26NOV27-B54.5', '…HCHI-26NOV27-B54.5']);
  names.add({ ticker: 'E-1-A', title: '' });
  assert.ok(names.has('E-1-A') && names.searchText('E-1-A').includes('same') && !names.has('Z'));
});

test('a title is one line without marks that reorder what follows, and one of spaces is none', () => {
  const names = new MarketNames();
  names.add({ ticker: 'A-B1', title: ' a\nb\u2028c\td ', yes_title: '\u202eevil\u2066 words' });
  names.add({ ticker: 'A-B2', title: 'x', yes_title: '  ' });
  assert.deepEqual([names.name('A-B1').lead, names.name('A-B1').event, names.name('A-B2').lead], ['evil words', 'a b c d', 'B2']);
});

test('an entry shows what it moved: a correction its new content, an opening trade its fee quietly', () => {
  const book = new Book();
  const store = new TradeStore();
  const entries = [
    trade({ fee: 0.02, quantity: 2 }), trade({ seq: 2, timestamp: now + 1, side: 'SELL', price: 0.4, fee: 0.01, trade_id: 'u' }),
    trade({ seq: 3, timestamp: now + 1, side: 'SELL', price: 0.3, fee: 0.01, trade_id: 'u', corrects: 2 }),
  ];
  for (const entry of entries) { book.add(entry); store.add(entry); }
  const columns = tradeColumns((row) => (row.kind === 'trade' ? book.gain(row.ticker, row.timestamp, row.seq) : null));
  const cells = (at, name) => { const column = columns.find((each) => each.name === name); return [column.text(store.at(at), false), column.tone?.(store.at(at)) ?? '']; };
  assert.deepEqual([0, 1].map((at) => cells(at, 'profit')), [['\u2212$0.02', 'quiet'], ['\u2212$0.21', 'loss']]);
  assert.deepEqual(['quantity', 'price', 'amount', 'profit'].map((name) => cells(2, name)[0]), ['1', '0.30', '', '']);
});

test('a trade shows its strategy and the time between its stages, as far as they are known', () => {
  const store = new TradeStore();
  store.add(trade({ strategy: 'maker', timestamp: now + 100, decided_at: now, sent_at: now + 0.004, acknowledged_at: now + 1.504 }));
  store.add(trade({ seq: 2, timestamp: now + 2, acknowledged_at: now }));
  store.add(trade({ seq: 3, timestamp: now, strategy: 'own', decided_at: now + 5, sent_at: now + 4 }));
  store.add(trade({ seq: 4 }));
  const side = tradeColumns(() => null).find(({ name }) => name === 'side');
  assert.deepEqual([0, 1, 2, 3].map((at) => side.full(store.at(at))), [
    'Strategy maker: sent 4 ms after the decision, acknowledged 1.50 s later, executed 2 min after the acknowledgement',
    'executed 2.00 s after the acknowledgement', 'Strategy own', '',
  ]);
});

test('the mark rule has the cases of the service', () => {
  const quotes = (yes_bid, yes_ask, last_price, more = {}) => markOf({ yes_bid, yes_ask, last_price, ...more });
  assert.deepEqual([quotes(0.4, 0.45, 0.9), quotes(0.01, 0.99, 0.9), quotes(0.01, 0.5, 0.9), quotes(0.2, 0.9, 0.1)], [0.425, 0.9, 0.5, 0.2]);
  assert.deepEqual([quotes(0.1, 0.9, null), quotes(null, 0.9, null), quotes(null, 0.9, 0.95), quotes(null, null, 0.9), quotes(0.6, 0.5, 0.9)], [0.1, null, 0.9, null, null]);
  assert.deepEqual([quotes(0.4, 0.5, 0.4), quotes(0.4, 0.5, 0.4, { result: 'no' }), quotes(0.4, 0.5, 0.4, { result: 'scalar', settlement_value: 0.33 })], [0.45, 0, 0.33]);
  assert.equal(complement(0.3), 0.7);
});

test('a mark has the source and age of what made it: the exchange, quotes, or an own trade', () => {
  const model = new Model();
  model.add(trade({ outcome: 'no', price: 0.3, timestamp: now }));
  assert.deepEqual([model.mark('A').price, model.mark('A').fact.source, model.mark('A').fact.asOf], [0.7, 'own', now]);
  model.add(trade({ seq: 2, price: 0.2, timestamp: now - 50 }));
  assert.equal(model.mark('A').price, 0.7);
  assert.equal(isOld(model.mark('A').fact, { ...situation, now: now + 61 }), true);
  const answer = { source: 'kalshi_api', as_of: now + 1, stale: false };
  model.holdAccount({ ...answer, positions: [{ ticker: 'A', title: 'T', quantity: -1, outcome: 'no', cost: 0.3, mark: 0.4 }], marks_as_of: now - 3 }, now + 1);
  assert.deepEqual([model.mark('A').price, model.mark('A').fact.asOf], [0.6, now - 3]);
  model.quote([{ ticker: 'A', title: 'T', yes_bid: 0.5, yes_ask: 0.52, last_price: null }], factOf(answer, now + 1, 60));
  assert.equal(model.mark('A').price, 0.51);
  model.holdAccount({ ...answer, as_of: now + 9, stale: true, positions: [] }, now + 9);
  assert.equal(model.mark('A').price, 0.51);
});

test('values are unknown without marks, and a row with an old mark makes the sum old', () => {
  const model = new Model();
  model.add({ seq: 1, timestamp: now - 9, positions: [{ ticker: 'A', quantity: 3, cost: 1 }, { ticker: 'B', quantity: 1, cost: 1 }], mode: 'live', source: 'journal' });
  const unknown = model.positions();
  assert.deepEqual([unknown.totals.value, unknown.rows[0].net, model.oldestMark(unknown.rows, situation)], [null, null, null]);
  model.quote([{ ticker: 'A', title: 'T', yes_bid: 0.5, yes_ask: 0.5, last_price: null }], { ...fact, asOf: now - 5 });
  model.quote([{ ticker: 'B', title: 'T', yes_bid: 0.5, yes_ask: 0.5, last_price: null }], { ...fact, stale: true });
  const { rows, totals } = model.positions();
  assert.deepEqual([totals.value, rows[0].net], ['2', 0.5]);
  assert.equal(model.oldestMark(rows, situation).stale, true);
});

test('entries with numbers that cannot be used are counted and left out', () => {
  const model = new Model();
  model.add(trade({ price: 1 / 3 }));
  assert.match(model.refused[0], /^#1: price: expected/);
  assert.equal(model.positions().totals.open, 0);
});

test('the mode is the bot\'s, else that of the newest trade; another journal forgets all', () => {
  const model = new Model();
  assert.equal(model.mode, null);
  model.add(trade({}));
  assert.equal(model.mode, 'live');
  model.status = { ...online, mode: 'paper' };
  assert.deepEqual([model.mode, model.positions().totals.open], ['paper', 0]);
  model.status = null;
  model.clear();
  assert.deepEqual([model.mode, model.store.length, model.mark('A'), model.entries, model.positions().rows], [null, 0, null, 0, []]);
});

test('the steps of an amount begin where the one before ended; what is none has no bar', () => {
  const rows = [0, 1, 2, 3].map(() => ({ values: {}, style: { setProperty(name, value) { rows[rows.findIndex((row) => row.style === this)].values[name] = value; } } }));
  drawBars({ children: rows }, [null, -10, 4, 0]);
  assert.deepEqual(rows.map(({ values }) => [values['--from'], values['--to']]), [['0.00%', '0.00%'], ['0.00%', '100.00%'], ['0.00%', '40.00%'], ['0.00%', '0.00%']]);
  drawBars({ children: rows }, []);
  assert.equal(rows[1].values['--from'], '0.00%');
});

test('differences name the side and the cause; what agrees or was not compared is none', () => {
  const reconciliation = { positions: [{ ticker: 'A', journal: 5, exchange: 7, bot: 5, causes: ['outside the bot'] }, { ticker: 'B', journal: 1, exchange: 1, bot: null, causes: ['method'] }] };
  assert.deepEqual([differenceOf(reconciliation, 'A'), differenceOf(reconciliation, 'B'), differenceOf(reconciliation, 'C'), differenceOf(null, 'A')], ['exchange 7 (outside the bot)', '', '', '']);
});

// Addresses, export, formats

test('an address holds view and parameters, and anything else is none', () => {
  assert.deepEqual(parseAddress('#/trades?ticker=A%20B&sort=-price'), { view: 'trades', parameters: { ticker: 'A B', sort: '-price' } });
  assert.equal(address('trades', { ticker: 'A B', sort: '', from: '5' }), '#/trades?ticker=A+B&from=5');
  assert.equal(address('money'), '#/money');
  for (const hash of ['', '#content', '#/nothing', '#trades']) assert.equal(parseAddress(hash), null, hash);
});

test('ranges move with the time or stand still; a sort order begins with minus to descend', () => {
  assert.deepEqual(rangeOf({ last: '1h' }, now), { from: now - 3600, to: Infinity });
  assert.deepEqual(rangeOf({ from: String(now - 5), to: '2023-11-14T22:13:20Z' }, now), { from: now - 5, to: now });
  assert.deepEqual(rangeOf({ from: 'x' }, now), { from: -Infinity, to: Infinity });
  assert.deepEqual([sortOf('-price', null), sortOf('price', null), sortOf('', 7)], [{ column: 'price', descending: true }, { column: 'price', descending: false }, 7]);
});

test('a time beyond the calendar of a date field is no bound of a range', () => {
  for (const text of ['99999999999999', '253402300799', '0001-01-01T00:00:00', '-5', '1e400', 'abc']) {
    assert.deepEqual(rangeOf({ from: text, to: text }, 1000), { from: -Infinity, to: Infinity }, text);
  }
});

test('a search means the ticker itself, else all names with every word', () => {
  const model = new Model();
  for (const [at, ticker] of ['RAIN-1', 'RAIN-11', 'SNOW-1'].entries()) model.add(trade({ seq: at + 1, ticker }));
  model.names.add({ ticker: 'SNOW-1', title: 'Snow in New York' });
  assert.deepEqual(matchingTickers(model, 'rain-1'), ['RAIN-1']);
  assert.deepEqual(matchingTickers(model, 'rain'), ['RAIN-1', 'RAIN-11']);
  assert.deepEqual([matchingTickers(model, 'york snow'), matchingTickers(model, ''), matchingTickers(model, 'z')], [['SNOW-1'], null, []]);
});

test('CSV is read with quotes, line breaks in fields and either line end', () => {
  const records = parseCsv('a,b\r\n1,"x ""y"", z"\n2,"two\r\nlines"\n\n3,');
  assert.deepEqual(records.map(({ fields: row }) => row), [['a', 'b'], ['1', 'x "y", z'], ['2', 'two\r\nlines'], ['3', '']]);
  assert.deepEqual(records.map(({ raw }) => raw), ['a,b', '1,"x ""y"", z"', '2,"two\r\nlines"', '3,']);
});

test('money keeps its sign, its cents and what is smaller', () => {
  assert.deepEqual([money('-1234.5'), profit('3'), profit('0'), money(null), money(0.0001), money(undefined)], ['\u2212$1,234.50', '+$3.00', '$0.00', '–', '$0.0001', '–']);
  assert.equal(money('9007199254740993.25'), '$9,007,199,254,740,993.25');
  assert.deepEqual([compactMoney(99_999.99), compactMoney(10_000_000), compactMoney('-1961276.97'), compactMoney(null)], ['$99,999.99', '$10.0M', '\u2212$1.96M', '–']);
  assert.deepEqual([exactMoney('1234.56789012'), exactMoney(5), exactMoney(null)], ['$1,234.56789012', '$5.00', '–']);
  assert.deepEqual([tone(1), tone(-1), tone(0.004), tone(null)], ['gain', 'loss', '', '']);
});

test('decimal points of a column stand under each other', () => {
  assert.deepEqual([price(0.65), price(0.5275), price(null), quantity('5'), quantity(5.25)], ['0.65', '0.5275', '–', '5', '5.25']);
  assert.deepEqual([decimals('0.5275'), decimals('5'), decimals('–')], [4, 0, 0]);
  assert.equal(alignPoint('0.65', 4).length, 6);
  assert.deepEqual([alignPoint('5', 2).length, alignPoint('5.25', 2), alignPoint('–', 2), alignPoint('17.5M', 4)], [4, '5.25', '–', '17.5M']);
});

test('durations and shares are words and per cent', () => {
  assert.deepEqual([0, 12, 100, 7200, 864_000].map(duration), ['now', '12 s', '2 min', '2 h', '10 days']);
  assert.deepEqual([ago(-5), ago(30), percent(0.5184), percent(null)], ['now', '30 s ago', '51.8%', '–']);
});

test('a schema is described in a few words', () => {
  const named = { Trade: { type: 'object', properties: { side: { enum: ['BUY', 'SELL'] } } } };
  assert.equal(kind({ type: 'array', items: { $ref: '#/components/schemas/Trade' } }), 'list of Trade');
  const found = fields({ type: 'object', properties: { trades: { type: 'array', items: { $ref: '#/x/Trade' }, description: 'new' } } }, named);
  assert.deepEqual(found, [['trades', 'list of Trade', 'new'], ['trades[].side', 'BUY | SELL', '']]);
});

// Notices

for (const [name, trades, expected] of [
  ['one trade', [{}], 'BUY 14 NO at 0.23 · Above 2.9% · Inflation?'],
  ['the last of several', [{ side: 'SELL' }, { quantity: 0.5, ticker: 'X' }], '2 trades, the last: BUY 0.5 NO at 0.23 · X'],
]) {
  test(`the notice of ${name} names side, contracts, outcome, price and market`, () => {
    const nameOf = (ticker) => (ticker === 'A' ? { lead: 'Above 2.9%', event: 'Inflation?', code: 'A' } : { lead: ticker, event: '', code: ticker });
    assert.equal(describeTrades(trades.map((fields_) => trade({ quantity: 14, price: 0.23, outcome: 'no', ...fields_ })), nameOf), expected);
  });
}

// The value of the open positions on both sides

for (const [name, value, text] of [
  ['equal values', { journal: 12.3, exchange: 12.3, difference: 0, cause: null }, 'Open positions are worth $12.30 by our marks, and $12.30 by the exchange.'],
  ['values that differ', { journal: 12.3, exchange: 12.25, difference: -0.05, cause: 'mark' }, 'Open positions are worth $12.30 by our marks, and $12.25 by the exchange (−$0.05: mark).'],
  ['a position without a mark', { journal: null, exchange: 12.25, difference: null, cause: null }, 'Open positions are worth – by our marks, and $12.25 by the exchange.'],
  ['a service that does not compare them', undefined, ''],
]) test(`${name} are shown as they are`, () => assert.equal(valueText(value), text));
