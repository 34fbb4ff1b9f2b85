/** The view Markets: a search over all open markets, and one market with its quotes, the own position, trades and orders. */

import { clock } from './clock.js';
import { h, setText } from './dom.js';
import { ago, compactQuantity, count, duration, fullTime, money, price, profit, quantity, tone } from './format.js';
import { fillList, button } from './panels.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { address } from './router.js';
import { compareValues } from './sorting.js';
import { factOf, isOld } from './staleness.js';
import { Table } from './table.js';
import { TradeList } from './trade_list.js';
import { ORDER_COLUMNS } from './view_orders.js';
import { panel } from './view_overview.js';

/** @typedef {import('./dashboard.js').Page} Page */
/** @typedef {import('./model.js').Market} Market */

const PAGE = '200'; // markets a request
const PAGES = 25; // requests a search makes at most
const INTERVAL = 60; // seconds between two readings of the first page
const TERM = INTERVAL + 2; // seconds after which a list of markets is old
const AGAIN = 100; // markets of further pages that are read again with the first

/** @typedef {Market & { fact: import('./staleness.js').Fact }} Listed a market with the answer that it was read in */

/** @type {import('./table.js').Column<Listed>[]} */
const COLUMNS = [
  { name: 'market', title: 'Market', text: (row) => row.ticker, market: (row) => row.ticker, sort: (row) => row.ticker },
  { name: 'bid', title: 'Bid', numeric: true, point: true, text: (row) => price(row.yes_bid), sort: (row) => row.yes_bid },
  { name: 'ask', title: 'Ask', numeric: true, point: true, text: (row) => price(row.yes_ask), sort: (row) => row.yes_ask },
  { name: 'last', title: 'Last', numeric: true, point: true, priority: 1, text: (row) => price(row.last_price), sort: (row) => row.last_price },
  { name: 'volume', title: '24 h volume', numeric: true, point: true, priority: 3, text: (row, compact) => (compact ? compactQuantity : quantity)(row.volume_24h), full: (row) => count(row.volume_24h), sort: (row) => row.volume_24h },
  { name: 'closes', title: 'Closes', priority: 2, text: (row) => closes(row), full: (row) => (row.close_time ? fullTime(row.close_time) : ''), sort: (row) => row.close_time },
  { name: 'status', title: 'State', priority: 4, text: (row) => row.status, sort: (row) => row.status },
];

/** @param {Market} row */
function closes(row) {
  if (!row.close_time) return '–';
  const left = row.close_time - clock.now();
  return left > 0 ? `in ${duration(left)}` : 'past';
}

export class MarketsView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.search = h('input', { type: 'search', placeholder: 'Search title or ticker', 'aria-label': 'Search markets', autocomplete: 'off', spellcheck: 'false' });
    this.search.addEventListener('input', () => page.router.set({ q: this.search.value.trim() }));
    this.summary = h('span', { class: 'minor', role: 'status' });
    this.table = h('div', { class: 'table tall' });
    this.all = h('div', { class: 'fill' }, h('div', { class: 'filters' }, this.search, this.summary), this.table);
    this.one = new OneMarket(page);
    place.append(this.all, this.one.element);
    this.sort = { column: 'volume', descending: true };
    const aged = (/** @type {Listed} */ row) => (isOld(row.fact, page.situation()) ? 'old' : '');
    this.list = new Table(this.table, { caption: 'Markets', columns: COLUMNS.map((column) => ({ ...column, tone: aged })), name: (ticker) => page.model.names.name(ticker), empty: ['No such market', 'Other words, or a ticker as the exchange writes it.'], onSort: (column, descending) => page.router.set({ sort: `${descending ? '-' : ''}${column}` }) });
    /** @type {Map<string, Listed>} */
    this.markets = new Map();
    /** @type {import('./staleness.js').Fact | null} */
    this.fact = null;
    /** @type {string | null} where the exchange's list goes on; null at its end */
    this.next = null;
    this.pages = 0;
    this.reading = false;
    this.error = '';
    /** @type {Record<string, string>} */
    this.parameters = {};
    this.poll = new Poll(INTERVAL, () => this.#read(), (error) => { this.error = error.message; });
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.parameters = parameters;
    const { ticker } = parameters;
    this.all.hidden = Boolean(ticker);
    this.one.show(ticker ?? '');
    if (ticker) return this.poll.stop();
    if (this.search !== document.activeElement) this.search.value = parameters.q ?? '';
    this.sort = parameters.sort ? { column: parameters.sort.replace(/^-/, ''), descending: parameters.sort.startsWith('-') } : { column: 'volume', descending: true };
    this.poll.start();
    if (parameters.q && this.next !== null) void this.#readMore();
    return undefined;
  }

  hide() {
    this.poll.stop();
    this.one.show('');
  }

  draw() {
    if (this.parameters.ticker) return this.one.draw();
    const found = this.#found();
    this.list.markSorted(this.#column().name, this.sort.descending);
    this.list.show(found);
    const more = this.next === null ? '' : this.parameters.q && this.pages < PAGES ? ', reading more…' : ' read so far; a search reads on';
    const all = `${count(found.length)} of ${count(this.markets.size)}${more}`;
    const old = this.fact ? isOld(this.fact, this.page.situation()) : true;
    setText(this.summary, this.fact ? `${all}${old ? ' · old' : ''}` : this.error || 'reading…');
    this.table.classList.toggle('old', old);
    return undefined;
  }

  async #read() {
    const answer = await get(new URL(`markets/?status=open&limit=${PAGE}`, this.page.base));
    if (this.pages <= 1) [this.next, this.pages] = [answer.next ?? null, 1];
    this.#take(answer);
    if (this.parameters.q) void this.#readMore();
    const others = this.#found().filter(({ fact }) => clock.now() - fact.received > INTERVAL / 2).slice(0, AGAIN);
    const tickers = others.map(({ ticker }) => encodeURIComponent(ticker)).join(',');
    if (tickers) this.#take(await get(new URL(`markets/?tickers=${tickers}&limit=${PAGE}`, this.page.base)));
  }

  #column() {
    return COLUMNS.find(({ name }) => name === this.sort.column) ?? COLUMNS[4];
  }

  /** Return the markets that the search means, in the order of the list. */
  #found() {
    const matches = this.page.model.names.matcher(this.parameters.q ?? '');
    const [column, sign] = [this.#column(), this.sort.descending ? -1 : 1];
    return [...this.markets.values()].filter((market) => matches(market.ticker))
      .sort((a, b) => sign * compareValues(column.sort?.(a), column.sort?.(b)) || compareValues(a.ticker, b.ticker));
  }

  /** Read on through the exchange's list while a search is open. */
  async #readMore() {
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.next !== null && this.pages < PAGES && this.parameters.q && !this.parameters.ticker) {
        const answer = await get(new URL(`markets/?status=open&limit=${PAGE}&cursor=${encodeURIComponent(this.next)}`, this.page.base));
        this.pages += 1;
        this.next = answer.next ?? null;
        this.#take(answer);
      }
    } catch (error) {
      this.error = /** @type {Error} */ (error).message;
    } finally {
      this.reading = false;
    }
  }

  /** @param {any} answer */
  #take(answer) {
    this.fact = factOf(answer, clock.now(), TERM);
    const { fact } = this;
    for (const market of answer.markets) this.markets.set(market.ticker, { ...market, fact });
    this.page.model.quote(answer.markets, fact);
    this.page.draw();
  }
}

/** One market: quotes, the own position, its trades, its orders. */
class OneMarket {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.title = h('h2', {});
    this.facts = h('dl', { class: 'facts' });
    this.age = h('span', { class: 'age' });
    const trades = panel('own-trades', 'Own trades');
    const orders = panel('own-orders', 'Orders', h('span', { class: 'minor' }, 'resting and filled, the newest 100 of the account'));
    for (const { body } of [trades, orders]) body.classList.add('table', 'half');
    const back = button('All markets', () => page.router.go('markets'));
    const all = h('a', { class: 'button' }, 'In the view Trades');
    this.link = all;
    this.element = h('div', { class: 'fill', hidden: true }, h('section', { class: 'panel' }, h('header', {}, this.title, this.age, h('span', { class: 'tools' }, all, back)), this.facts), h('div', { class: 'split even' }, trades.element, orders.element));
    this.trades = new TradeList(trades.body, page.model, (column, descending) => this.trades.configure(this.trades.selection, { column, descending }), true);
    this.orders = new Table(orders.body, { caption: 'Orders of this market', columns: ORDER_COLUMNS.filter(({ name }) => name !== 'market'), empty: ['No orders', ''] });
    this.ticker = '';
    /** @type {Market | null} */
    this.market = null;
    /** @type {import('./staleness.js').Fact | null} */
    this.fact = null;
    this.error = '';
    this.poll = new Poll(5, () => this.#read(), (error) => { this.error = error.message; this.draw(); });
  }

  /** @param {string} ticker empty: show none */
  show(ticker) {
    this.element.hidden = ticker === '';
    if (ticker === this.ticker) return;
    [this.ticker, this.market, this.fact, this.error] = [ticker, null, null, ''];
    this.poll.stop();
    if (!ticker) return;
    this.trades.configure({ tickers: new Set([ticker]), from: -Infinity, to: Infinity }, { column: 'seq', descending: true });
    this.link.setAttribute('href', address('trades', { ticker }));
    this.poll.start();
    this.poll.soon(0);
  }

  draw() {
    if (!this.ticker) return;
    const { model } = this.page;
    const name = model.names.name(this.ticker);
    setText(this.title, `${name.lead}${name.event ? ` · ${name.event}` : ''}`);
    const old = this.fact ? isOld(this.fact, this.page.situation()) : true;
    this.element.classList.toggle('old', old);
    setText(this.age, this.fact ? `${this.ticker} · ${ago(this.page.now() - this.fact.asOf)}${old ? ' · old' : ''}` : this.error || 'reading…');
    const row = this.page.rows.find(({ ticker }) => ticker === this.ticker);
    const { market } = this;
    fillList(this.facts, [
      ['Bid and ask of YES', `${price(market?.yes_bid)} / ${price(market?.yes_ask)}`],
      ['Last price', price(market?.last_price)],
      ['State', market ? `${market.status}${market.result ? `, result ${market.result}` : ''}` : '–'],
      ['Closes', market ? closes(market) : '–'],
      ['24 h volume', quantity(market?.volume_24h)],
      ['Open interest', quantity(market?.open_interest)],
      ['Own position', row?.outcome ? `${quantity(row.quantity.replace('-', ''))} ${row.outcome.toUpperCase()} at ${price(row.average_price)}` : 'none'],
      ['Own profit, after fees', row ? profit(row.net) : money(null), row ? tone(row.net) : ''],
    ]);
    this.trades.update();
  }

  async #read() {
    const { ticker } = this;
    const answer = await get(new URL(`markets/${encodeURIComponent(ticker)}`, this.page.base));
    if (ticker !== this.ticker) return;
    this.market = answer.market ?? answer;
    this.fact = factOf(answer, clock.now(), 30);
    if (this.market) this.page.model.quote([this.market], this.fact);
    this.draw();
    const orders = await get(new URL('portfolio/orders?limit=100', this.page.base));
    if (ticker === this.ticker) this.orders.show(orders.orders.filter((/** @type {any} */ order) => order.ticker === ticker));
  }
}
