/** The view Orders and settlements, as the exchange reports them, page by page. */

import { h, setText } from './dom.js';
import { clock } from './clock.js';
import { count, exactMoney, fullTime, money, price, profit, quantity, shortTime, tone } from './format.js';
import { button } from './panels.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { compareValues } from './sorting.js';
import { ACCOUNT_TERM, factOf, isOld, sourceName } from './staleness.js';
import { Table } from './table.js';
import { panel } from './view_overview.js';

/** @typedef {import('./dashboard.js').Page} Page */

const INTERVAL = 15; // seconds
const LIMIT = '100';

/** @type {import('./table.js').Column<any>[]} */
export const ORDER_COLUMNS = [
  { name: 'created', title: 'Created', chars: 8, text: (row) => shortTime(row.created, clock.now()), full: (row) => fullTime(row.created), sort: (row) => row.created },
  { name: 'market', title: 'Market', text: (row) => row.ticker, market: (row) => row.ticker, sort: (row) => row.ticker },
  { name: 'side', title: 'Side', chars: 8, text: (row) => `${row.side} ${String(row.outcome).toUpperCase()}`, tone: (row) => `side ${String(row.side).toLowerCase()}`, sort: (row) => row.side },
  { name: 'price', title: 'Price', numeric: true, point: true, text: (row) => price(row.price), sort: (row) => row.price },
  { name: 'quantity', title: 'Ordered', numeric: true, point: true, priority: 2, text: (row) => quantity(row.quantity), sort: (row) => row.quantity },
  { name: 'filled', title: 'Filled', numeric: true, point: true, priority: 1, text: (row) => quantity(row.filled), sort: (row) => row.filled },
  { name: 'remaining', title: 'Rests', numeric: true, point: true, text: (row) => quantity(row.remaining), sort: (row) => row.remaining },
  { name: 'fees', title: 'Fees', numeric: true, priority: 4, text: (row) => money(row.fees), full: (row) => exactMoney(row.fees), sort: (row) => row.fees },
  { name: 'expires', title: 'Expires', priority: 3, text: (row) => (row.expires ? shortTime(row.expires, clock.now()) : 'never'), sort: (row) => row.expires },
  { name: 'status', title: 'Status', text: (row) => row.status, sort: (row) => row.status },
];

/** @type {import('./table.js').Column<any>[]} */
const SETTLEMENT_COLUMNS = [
  { name: 'time', title: 'Paid', chars: 8, text: (row) => shortTime(row.timestamp ?? row.settled ?? 0, clock.now()), full: (row) => fullTime(row.timestamp ?? row.settled ?? 0), sort: (row) => row.timestamp ?? row.settled ?? 0 },
  { name: 'market', title: 'Market', text: (row) => row.ticker, market: (row) => row.ticker, sort: (row) => row.ticker },
  { name: 'result', title: 'Result', text: (row) => row.result, sort: (row) => row.result },
  { name: 'value', title: 'Payout', numeric: true, point: true, text: (row) => price(row.value), sort: (row) => row.value },
  { name: 'yes', title: 'YES held', numeric: true, point: true, priority: 2, text: (row) => quantity(row.yes_quantity), sort: (row) => row.yes_quantity },
  { name: 'no', title: 'NO held', numeric: true, point: true, priority: 2, text: (row) => quantity(row.no_quantity), sort: (row) => row.no_quantity },
  { name: 'revenue', title: 'Revenue', numeric: true, text: (row) => profit(row.revenue), full: (row) => exactMoney(row.revenue), tone: (row) => tone(row.revenue), sort: (row) => row.revenue },
  { name: 'fee', title: 'Fees in all', numeric: true, point: true, priority: 1, text: (row) => money(row.fee ?? row.fees), sort: (row) => row.fee ?? row.fees },
];

/** A list that is read from the exchange: its first page again and again, older ones on demand. */
class PagedList {
  /**
   * @param {Page} page
   * @param {{ id: string, title: string, path: string, field: string, columns: import('./table.js').Column<any>[], empty: [string, string] }} options
   */
  constructor(page, options) {
    this.page = page;
    this.options = options;
    this.age = h('span', { class: 'age' });
    this.older = button('Read older', () => void this.#older());
    const { element, body } = panel(options.id, options.title, this.age, h('span', { class: 'tools' }, this.older));
    this.element = element;
    body.classList.add('table', 'half');
    this.sort = { column: options.columns[0].name, descending: true };
    this.table = new Table(body, { caption: options.title, columns: options.columns, name: (ticker) => page.model.names.name(ticker), empty: options.empty, onSort: (column, descending) => { this.sort = { column, descending }; this.draw(); } });
    /** @type {any[]} */
    this.newest = [];
    /** @type {any[]} */
    this.past = [];
    /** @type {string | null} */
    this.next = null;
    /** @type {import('./staleness.js').Fact | null} */
    this.fact = null;
    this.error = '';
    this.poll = new Poll(INTERVAL, () => this.#read(), (error) => { this.error = error.message; this.draw(); });
  }

  draw() {
    const { columns } = this.options;
    const column = columns.find(({ name }) => name === this.sort.column) ?? columns[0];
    const sign = this.sort.descending ? -1 : 1;
    const rows = [...this.newest, ...this.past].sort((a, b) => sign * compareValues(column.sort?.(a), column.sort?.(b)));
    this.table.markSorted(column.name, this.sort.descending);
    this.table.show(rows);
    const situation = this.page.situation();
    const old = this.fact ? isOld(this.fact, situation) : true;
    this.element.classList.toggle('old', old);
    setText(this.age, this.fact ? `${count(rows.length)} read · ${sourceName(this.fact.source)}${old ? ' · old' : ''}` : this.error || 'reading…');
    this.older.disabled = this.next === null;
  }

  async #read() {
    const url = new URL(this.options.path, this.page.base);
    url.searchParams.set('limit', LIMIT);
    const answer = await get(url);
    this.newest = answer[this.options.field];
    const ids = new Set(this.newest.map(keyOf));
    this.past = this.past.filter((row) => !ids.has(keyOf(row)));
    if (this.past.length === 0) this.next = answer.next;
    this.fact = factOf(answer, clock.now(), ACCOUNT_TERM);
    this.error = '';
    this.draw();
  }

  async #older() {
    if (this.next === null) return;
    this.older.disabled = true;
    const url = new URL(this.options.path, this.page.base);
    url.searchParams.set('limit', LIMIT);
    url.searchParams.set('cursor', this.next);
    try {
      const answer = await get(url);
      this.past.push(...answer[this.options.field]);
      this.next = answer.next;
    } catch (error) {
      this.page.announce(`Older ones cannot be read: ${/** @type {Error} */ (error).message}`);
    }
    this.draw();
  }
}

/** @param {any} row */
function keyOf(row) {
  return row.order_id ?? `${row.ticker} ${row.timestamp ?? row.settled}`;
}

export class OrdersView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.lists = [
      new PagedList(page, { id: 'orders', title: 'Orders', path: 'portfolio/orders', field: 'orders', columns: ORDER_COLUMNS, empty: ['No orders', 'Orders of the account appear here; without keys they are not known.'] }),
      new PagedList(page, { id: 'settlements', title: 'Settlements', path: 'portfolio/settlements', field: 'settlements', columns: SETTLEMENT_COLUMNS, empty: ['No settlements', 'A market that pays appears here.'] }),
    ];
    place.append(...this.lists.map((list) => list.element));
  }

  show() {
    for (const list of this.lists) list.poll.start();
  }

  hide() {
    for (const list of this.lists) list.poll.stop();
  }

  draw() {
    for (const list of this.lists) list.draw();
  }
}
