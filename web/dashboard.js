/** The dashboard: reads the state, follows the stream, and lets every part of the page show its share. */

import { Account, TERM } from './account.js';
import * as age from './age.js';
import { Bars } from './bars.js';
import { Chart } from './chart.js';
import { Curve } from './curve.js';
import { at, say, soon } from './dom.js';
import { Figures } from './figures.js';
import { plain } from './format.js';
import { Holdings } from './holdings.js';
import { readAll } from './journal.js';
import { Markets } from './markets.js';
import { Model } from './model.js';
import { Notice } from './notice.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { parse } from './sequence.js';
import * as service from './service.js';
import * as states from './states.js';
import { connect } from './stream.js';
import { Trades } from './trades.js';

const base = new URL('../', import.meta.url);
const model = new Model();
const figures = new Figures(at('figures'));
const chart = new Chart(at('equity-chart'), at('equity-readout'));
const bars = new Bars(at('bymarket-chart'));
const holdings = new Holdings(at('positions'));
const notice = new Notice();
const curve = new Curve();
const trades = new Trades(model, older, () => soon(draw));
const markets = new Markets(base, (found) => {
  const known = model.titles.size;
  model.quote(found);
  if (model.titles.size !== known) trades.refresh();
  soon(draw);
});

let progress = ''; // of reading the journal
let ready = false; // the journal has been read

/** Read the journal to its head, and say where that is: the stream goes on from there. */
async function load() {
  [ready, progress] = [false, ''];
  model.clear();
  const first = await get(new URL('portfolio/trades/live?limit=100', base));
  const epoch = parse(first.cursor)?.epoch;
  if (!epoch) throw new Error('The server gave no cursor.');
  trades.preview(first.trades); // what is new can be read at once; sums need the whole journal
  let place = { epoch, seq: 0 };
  for await (const page of readAll(base, place)) {
    for (const entry of page.entries) model.add(entry);
    model.book.settle(); // page by page: a million at once would hold the page still
    place = page.at;
    progress = `Reading the journal: ${plain(place.seq)} of ${plain(page.total)}`;
    states.stream(stream.freshness, progress);
    holdings.wait(progress);
  }
  [ready, progress] = [true, ''];
  trades.preview([]);
  trades.refresh();
  soon(draw);
  return `${place.epoch}-${place.seq}`;
}

const stream = connect({ base, load });
stream.on('entry', (entry) => {
  model.add(entry);
  trades.add(entry);
  soon(draw);
});
stream.on('trades', ({ count }) => { notice.tell(count); account.in(1.5); });
stream.on('settlement', () => account.in(1.5));
stream.on('status', (status) => {
  if (model.status?.mode !== status.mode) trades.refresh();
  model.status = status;
  soon(draw);
});
stream.on('freshness', () => soon(draw));
stream.on('reset', ({ reason }) => states.alert('reset', 'The journal was exchanged; everything is being read anew', `The server says: ${reason}.`));
stream.on('error', ({ reason, message }) => {
  if (reason === 'hole') states.alert('hole', 'Some entries could not be read', `${message} Reload the page to try again; the sums here are without them.`);
  if (reason === 'full') states.alert('full', 'The server has no stream left', 'It is asked again by itself. Close other pages, or raise MAX_STREAMS.');
  if (reason === 'load') states.alert('load', 'The journal cannot be read now', `${message} It is tried again by itself.`);
});

/** Draw all that follows from the entries; at most once a frame. */
function draw() {
  const fresh = stream.freshness;
  states.stream(fresh, progress);
  states.bot(model.status, fresh.state === 'live');
  states.mode(model.status || model.entries ? model.mode : null);
  disconnected(fresh.state);
  if (!ready) return;
  states.alert('load', '');
  if (fresh.complete) for (const name of ['reset', 'full']) states.alert(name, '');
  refused();
  const { rows, totals } = model.positions();
  const now = Date.now() / 1000;
  const stamp = { source: 'stream', as_of: stream.heard || now, got: now, stale: false, term: 0, live: () => stream.freshness.complete };
  const why = totals.unmarked ? `${totals.unmarked} positions have no price` : 'Marks are the exchange\u2019s, or our own last trade.';
  const { as_of, got, stale } = model.marked; // what is held is live, what it is worth only as good as its marks
  const marked = totals.open && got ? { source: 'marks', as_of, got, stale: stale || !stream.freshness.complete, term: TERM, doubt, why } : stamp;
  figures.set('value', totals.value, marked);
  figures.set('unrealized', totals.unrealized_pnl, marked);
  figures.set('net', totals.net, marked);
  figures.set('realized', totals.realized_pnl, stamp);
  figures.set('fees', totals.fees, totals.fees_unknown ? { ...stamp, why: `${totals.fees_unknown} trades came without their fee` } : stamp);
  const old = model.exchangeStale || now - model.exchangeGot > TERM || doubt() || !fresh.complete;
  holdings.show(rows, model.titles, model.differences(rows), old);
  if (performance.now() - drawn > CHARTS) charts(rows, totals);
  else if (!later) later = window.setTimeout(() => { later = 0; soon(draw); }, CHARTS);
  say(at('trades-count'), `${plain(totals.trades)} in all`);
  for (const name of ['equity', 'bymarket', 'positions', 'trades']) age.mark(at(`${name}-age`), stamp, at(name));
}

const CHARTS = 400; // milliseconds between two drawings of the charts; numbers change with every frame
let drawn = -Infinity;
let later = 0;

/**
 * @param {import('./types').Position[]} rows
 * @param {import('./types').Totals} totals
 */
function charts(rows, totals) {
  drawn = performance.now();
  const now = Date.now() / 1000;
  chart.show({ line: curve.of(model.book), since: trades.filter.since(now), now, open: totals.open ? Number(totals.net) : null });
  bars.show(rows.filter((row) => row.trades > 0 || row.outcome !== null).map((row) => ({
    name: row.ticker, value: Number(row.realized_pnl) + Number(row.unrealized_pnl ?? 0) - Number(row.fees),
  })));
}

/** @param {import('./types').State} state */
function disconnected(state) {
  const down = state === 'waiting' || state === 'connecting';
  lostAt = down ? lostAt || performance.now() : 0;
  const long = down && performance.now() - lostAt > 4000;
  states.alert('stream', long ? 'The server cannot be reached' : '', 'The page goes on by itself when it is back, and misses nothing. Grey numbers are the last that were known.');
}
let lostAt = 0;

function refused() {
  const [first] = model.refused;
  states.alert('refused', first ? `${model.refused.length} entries hold numbers that cannot be kept exactly` : '', `${first}. Positions are without them.`);
}

/**
 * @param {number} before
 * @param {import('./filter.js').Filter} filter
 */
async function older(before, filter) {
  const url = new URL('portfolio/trades/history', base);
  url.searchParams.set('limit', '500');
  url.searchParams.set('before', String(before));
  if (/^[A-Za-z0-9._-]+$/.test(filter.text) && model.book.ledgers.has(filter.text.toUpperCase())) url.searchParams.set('ticker', filter.text.toUpperCase());
  const page = await get(url);
  return { entries: page.entries, more: page.next !== null && page.entries.length > 0 };
}

/** @type {string[]} parts of the service that are ill */
let ill = [];
const doubt = () => ill.includes('kalshi');
const account = new Account(base, model, figures, doubt, (titles) => {
  if (titles) trades.refresh();
  soon(draw);
});
const listing = new Poll(60, () => markets.read(), (error) => markets.fail(error.message));
const health = new Poll(15, async () => { ill = service.show(await get(new URL('health', base))); }, () => {});

age.start();
window.setInterval(() => soon(draw), 5000); // ages in words, and the end of the curve, move on without any news
/** @type {HTMLAnchorElement} */ (at('docs')).href = new URL('docs', base).href;
account.in(0);
health.in(0.2);
listing.in(0.4);
